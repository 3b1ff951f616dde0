// sluice init --sql -f FILE: prints the roles and grants that the spec in FILE needs. The output is
// SQL to paste, with the reason for each grant.
import { askPrivilegeFacts, relationsOf } from '../activities/checks/missing-privileges.js';
import { resolveSecret, loadConfig } from '../wiring/config.js';
import { plainIdent, quoteLiteral } from '../domain/migration/names.js';
import { privilegesFor } from '../domain/access/privileges.js';
import {
  captureUser,
  type Part,
  type Privilege,
  type PrivilegeFacts,
} from '../domain/access/privilege.js';
import { hasTarget, targetPostgres, type Place } from '../domain/migration/databases.js';
import type { SecretRef } from '../domain/migration/spec.js';
import { resolve } from '../domain/plan/resolve.js';
import type { ResolvedPlan } from '../domain/plan/resolved-plan.js';
import { EXIT, print, type Format } from './support/output.js';
import { readSpec } from './support/spec-file.js';

export async function grants(options: { file: string; output: Format }): Promise<number> {
  const plan = resolve({ spec: readSpec(options.file), generation: 1 });
  const source = await factsOf(plan, 'source');
  const target = hasTarget(plan) ? await factsOf(plan, 'target') : source;
  const list = privilegesFor(plan, source.facts, target.facts);
  await print(
    {
      reached: source.why === null && target.why === null,
      privileges: list.map(({ part, in: place, sql, subject, why, without }) => ({
        part,
        database: place ? plan.targetDatabase : plan.database,
        sql,
        subject,
        why,
        without,
      })),
    },
    options.output,
    () => render(plan, list, { source: source.why, target: target.why }),
  );
  return EXIT.ok;
}

interface Known {
  readonly facts: PrivilegeFacts;
  /** The reason why the database gave no answer. Null if it answered. */
  readonly why: string | null;
}

/**
 * Asks a database for what the grants depend on, such as the owners of tables. If it does not
 * answer, returns what follows from the spec alone.
 */
async function factsOf(plan: ResolvedPlan, place: Place): Promise<Known> {
  const { facts, why } = await askPrivilegeFacts(plan, resolveSecret, place);
  const unasked = {
    owners: new Map<string, string>(),
    superusers: new Set<string>(),
    replicationRole: null,
    ...(await relationsOf(plan, place)),
  };
  return { facts: facts ?? unasked, why };
}

const PARTS: Readonly<Record<Part, string>> = {
  capture: 'Capture: the login of the source connector',
  administration: 'Administration: the objects that the worker creates, switches and removes',
  reading: 'Reading: the data that windows and checks read',
  sink: 'Sink: the table that consumers will read',
};

function render(
  plan: ResolvedPlan,
  list: readonly Privilege[],
  why: Readonly<Record<Place, string | null>>,
): string {
  return [
    `-- Roles and grants of migration ${plan.metadata.name}, for PostgreSQL 14 to 18. Reasons: docs/reference/permissions.md`,
    ...heading(plan.database, why.source),
    ...roles(plan),
    ...sections(list.filter((privilege) => privilege.in === undefined)),
    ...managed(plan),
    ...(hasTarget(plan)
      ? [
          '',
          ...heading(plan.targetDatabase, why.target),
          ...targetRole(plan),
          ...sections(list.filter((privilege) => privilege.in === 'target')),
        ]
      : []),
    ...consumers(plan),
    ...ledger(),
  ].join('\n');
}

const heading = (database: string, why: string | null): string[] => [
  `-- Run this SQL in database ${database} as a superuser, or as a role that owns the named objects and may create roles.`,
  ...(why === null
    ? []
    : [
        `-- THE DATABASE DID NOT ANSWER (${why.replaceAll(/\s+/g, ' ')}).`,
        '-- Replace each <owner of ...> with the owner, which \\dt and \\dv show. Or export PGUSER and PGPASSWORD of a role that may log in, and run this command again.',
      ]),
];

const sections = (list: readonly Privilege[]): string[] =>
  (Object.keys(PARTS) as Part[]).flatMap((part) =>
    section(
      PARTS[part],
      list.filter((privilege) => privilege.part === part),
    ),
  );

function section(title: string, list: readonly Privilege[]): string[] {
  if (list.length === 0) return [];
  return [
    '',
    `-- ${title}`,
    ...list.map(
      ({ sql, why, optional }) => `${sql}; -- ${optional ? 'useful, not required: ' : ''}${why}`,
    ),
  ];
}

function roles(plan: ResolvedPlan): string[] {
  const { user, passwordFrom } = plan.spec.source.postgres;
  const capture = captureUser(plan);
  const secret = placeOfSecret(passwordFrom);
  return [
    '',
    '-- The roles, if they are missing',
    ...role(user, `The worker${capture === user ? ' and Kafka Connect read' : ' reads'}`, secret),
    ...(capture === user
      ? []
      : role(
          capture,
          'Kafka Connect reads',
          plan.spec.connector.config['database.password'] ?? secret,
        )),
  ];
}

const placeOfSecret = (passwordFrom: SecretRef | undefined): string | null =>
  passwordFrom
    ? 'env' in passwordFrom
      ? `variable ${passwordFrom.env}`
      : `file ${passwordFrom.file}`
    : null;

/**
 * Returns the SQL that creates a role if it is missing. `reader` begins a sentence about its
 * password, such as `The worker reads`. `secret` is the place of the password. It is null if the
 * spec names no password.
 */
const role = (name: string, reader: string, secret: string | null): string[] => [
  `DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = ${quoteLiteral(name)}) THEN CREATE ROLE ${plainIdent(name)} LOGIN; END IF; END $$;`,
  secret === null
    ? `-- The spec has no passwordFrom, so the role gets no password. If Postgres asks for one, set it with \\password ${plainIdent(name)}, and name it in passwordFrom.`
    : `-- ${reader} its password from ${secret}. Set that password with: \\password ${plainIdent(name)}`,
];

function targetRole(plan: ResolvedPlan): string[] {
  const { user, passwordFrom } = targetPostgres(plan);
  const created = role(user, 'The worker and the sink connector read', placeOfSecret(passwordFrom));
  return ['', '-- The role, if it is missing', ...created];
}

/** Returns notes for managed services, if the capture needs a replication slot. */
function managed(plan: ResolvedPlan): string[] {
  if (!plan.capture.hasSlot) return [];
  const capture = plainIdent(captureUser(plan));
  return [
    '',
    '-- Managed services, instead of ALTER ROLE ... REPLICATION:',
    `--   Amazon RDS and Aurora: GRANT rds_replication TO ${capture};  and rds.logical_replication = 1 in the parameter group`,
    `--   Google Cloud SQL: ALTER ROLE ${capture} REPLICATION, run by a member of cloudsqlsuperuser;  and the flag cloudsql.logical_decoding`,
    `--   Google AlloyDB: ALTER ROLE ${capture} REPLICATION, run by a member of alloydbsuperuser;  and the flag alloydb.logical_decoding`,
    `--   Azure Database for PostgreSQL: ALTER ROLE ${capture} REPLICATION, run by a member of azure_pg_admin;  and wal_level = logical among the server parameters`,
    '-- From PostgreSQL 16 on, a role that is not a superuser can grant another role only with ADMIN OPTION on that role.',
    '-- It can give REPLICATION to a role only if it has REPLICATION itself.',
  ];
}

/** Returns SQL comments about the grants that consumers need. */
function consumers({ route }: ResolvedPlan): string[] {
  return route.consumers.length > 0 ? ['', ...route.consumers] : [];
}

function ledger(): string[] {
  const { ledgerUrl } = loadConfig();
  const url = ledgerUrl === undefined ? null : new URL(ledgerUrl);
  const user = plainIdent(decodeURIComponent(url?.username ?? '') || 'sluice_ledger');
  const database = plainIdent(decodeURIComponent(url?.pathname.slice(1) ?? '') || 'sluice_ledger');
  return [
    '',
    `-- Ledger: run this without the dashes in the server of SLUICE_LEDGER_URL. The worker creates schema sluice there, and owns it`,
    `-- GRANT CONNECT, CREATE ON DATABASE ${database} TO ${user};`,
    '-- People who only read it (list, get, windows, diff, report, audit, dashboard), after the first start of a worker:',
    '-- GRANT USAGE ON SCHEMA sluice TO auditor; GRANT SELECT ON ALL TABLES IN SCHEMA sluice TO auditor;',
    `-- ALTER DEFAULT PRIVILEGES FOR ROLE ${user} IN SCHEMA sluice GRANT SELECT ON TABLES TO auditor;`,
  ];
}
