// sluice doctor -f FILE: runs every preflight check against the real systems, read-only. Exits 4 if
// a system does not answer (1 for the service of `route: http`). Otherwise, exits 1 if a check failed
// or is unknown. For --leftovers, it
// runs doctor-leftovers.ts instead.
import { WrongLedgerUrl } from '../clients/ledger/ledger-connection.js';
import { Systems } from '../activities/runtime/deps.js';
import { runPreflight } from '../activities/checks/preflight.js';
import { loadConfig, ownPod, resolveSecret } from '../wiring/config.js';
import {
  applyWaivers,
  databaseOf,
  openChecks,
  statementsOf,
  systemOf,
  type Check,
} from '../domain/evidence/check.js';
import { separateTarget } from '../domain/migration/databases.js';
import { resolve } from '../domain/plan/resolve.js';
import { openLedger, withClient } from './support/migration-source.js';
import type { LeftoverOptions } from './doctor-leftovers.js';
import { CliError, EXIT, asLines, print, table } from './support/output.js';
import { readSpec } from './support/spec-file.js';
import { lookAt, type Look } from './support/ask-run-state.js';
import { TEMPORAL_REMEDY } from './support/temporal-client.js';

export async function doctor(
  options: { file?: string; leftovers?: boolean } & LeftoverOptions,
): Promise<number> {
  if (options.leftovers) return (await import('./doctor-leftovers.js')).leftovers(options);
  if (!options.file)
    throw new CliError(EXIT.usage, 'usage', 'give a spec with -f FILE, or use --leftovers', [
      'sluice doctor --help',
    ]);
  const spec = readSpec(options.file);
  const systems = new Systems(resolveSecret, undefined, ownPod());
  const ledger = openLedger();
  try {
    const { waivers } = spec.spec.validation;
    const orchestration = [
      await checkTemporal(spec.metadata.name),
      ...applyWaivers([await checkLedger(ledger)], waivers, new Date().toISOString()),
    ];
    const reachableLedger =
      ledger && orchestration.every((c) => systemOf(c) !== 'ledger' || c.status === 'passed')
        ? ledger
        : undefined;
    const latest = (await reachableLedger?.migrations(spec.metadata.name))?.[0]?.generation ?? 0;
    const plan = resolve({ spec, generation: latest + 1 });
    const checks = [
      ...orchestration,
      ...(await runPreflight(
        { secret: resolveSecret, systems },
        reachableLedger,
        plan,
        new Date().toISOString(),
      )),
    ];
    const open = openChecks(checks);
    const target = separateTarget(spec);
    const sql = Object.fromEntries(
      databasesOf(target).map(({ key, checks: of }) => [key, statementsOf(checks.filter(of))]),
    );
    await print({ ok: open.length === 0, checks, ...sql }, options.output, () =>
      render(checks, open, target),
    );
    return exitCodeOf(open);
  } finally {
    await systems.close();
    await ledger?.close();
  }
}

/** Returns the exit code for the checks that failed or are unknown, without those with a waiver. */
export function exitCodeOf(open: readonly Check[]): number {
  const isSilent = (c: Check): boolean => systemOf(c) !== null && c.status === 'failed';
  return open.length === 0 ? EXIT.ok : open.some(isSilent) ? EXIT.unreachable : EXIT.failed;
}

/**
 * Asks Temporal about the migration's workflow. A connection alone proves too little, because it
 * succeeds even if the namespace does not exist, or if the credentials do not allow its use.
 */
export async function checkTemporal(name: string, connect = withClient<Look>): Promise<Check> {
  const { address, namespace } = loadConfig().temporal;
  try {
    const { seen } = await connect((client) => lookAt(name, client, '', true));
    if (seen.kind === 'unreachable') throw new Error(seen.problem);
    return {
      name: 'temporal.reachable',
      subject: '',
      status: 'passed',
      detail: `Temporal at ${address}, namespace ${namespace}`,
      remedy: '',
    };
  } catch (error) {
    return {
      name: 'temporal.reachable',
      subject: '',
      status: 'failed',
      detail: (error as Error).message,
      remedy: TEMPORAL_REMEDY,
    };
  }
}

/**
 * Asks the ledger whether its tables exist or can be created. `ledger` is undefined if
 * SLUICE_LEDGER_URL is not set.
 */
export async function checkLedger(ledger: ReturnType<typeof openLedger>): Promise<Check> {
  if (ledger === undefined)
    return {
      name: 'ledger.reachable',
      subject: '',
      status: 'unknown',
      detail: 'the ledger was not checked, because SLUICE_LEDGER_URL is not set',
      remedy: 'set SLUICE_LEDGER_URL as for the worker, and repeat the command',
    };
  try {
    const { isThere, mayCreate, grant } = await ledger.readiness();
    if (!isThere && !mayCreate)
      return {
        name: 'ledger.create',
        subject: '',
        status: 'failed',
        detail: `the ledger at ${ledger.address} has no tables yet, and Sluice's role lacks the privilege to create them`,
        remedy: grant,
      };
    return {
      name: 'ledger.reachable',
      subject: '',
      status: 'passed',
      detail: `ledger at ${ledger.address}`,
      remedy: '',
    };
  } catch (error) {
    return {
      name: 'ledger.reachable',
      subject: '',
      status: 'failed',
      detail: (error as Error).message,
      remedy: error instanceof WrongLedgerUrl ? error.remedy : 'check SLUICE_LEDGER_URL',
    };
  }
}

export function render(
  checks: readonly Check[],
  open: readonly Check[],
  target: string | null,
): string {
  const mark = { passed: '✔', failed: '✖', unknown: '?', waived: '~' } as const;
  const waived = checks.filter(({ status }) => status === 'waived').length;
  const rows = checks.map((c) => [mark[c.status], c.name, c.subject, c.detail]);
  const remedies = open.map((c) => `  → ${c.name}${c.subject ? ` ${c.subject}` : ''}: ${c.remedy}`);
  return [
    table(['', 'CHECK', 'SUBJECT', 'FINDING'], rows),
    '',
    open.length === 0
      ? `all ${checks.length} checks passed${waived === 0 ? '' : ` or are waived (${waived})`}`
      : `${open.length} of ${checks.length} checks are open:`,
    ...remedies.map((line) => asLines([line])),
    ...databasesOf(target).flatMap(({ place, checks: of }) =>
      block(place, checks.filter(of), open.filter(of)),
    ),
  ].join('\n');
}

/** A database in which a person may have to run SQL. */
interface SqlOf {
  /** The field of the JSON output that contains the statements. */
  readonly key: string;
  readonly place: string;
  readonly checks: (check: Check) => boolean;
}

/**
 * Returns the databases in which a person may have to run SQL. `target` is the name of the target
 * database. It is null if the target is the source.
 */
function databasesOf(target: string | null): SqlOf[] {
  const isOf = (...places: readonly string[]) => {
    return (check: Check): boolean => places.includes(databaseOf(check));
  };
  const ledger = { key: 'ledgerSql', place: 'the database of the ledger', checks: isOf('ledger') };
  const source = { key: 'sql', place: 'the source database' };
  if (target === null) return [{ ...source, checks: isOf('source', 'target') }, ledger];
  return [
    { ...source, checks: isOf('source') },
    { key: 'targetSql', place: `the target database (${target})`, checks: isOf('target') },
    ledger,
  ];
}

/**
 * Returns the lines of one block of SQL, with each statement once: the missing privileges and
 * settings, and then the statements that are only advised.
 */
function block(place: string, checks: readonly Check[], open: readonly Check[]): string[] {
  const needed = statementsOf(open);
  const advised = statementsOf(checks).filter((statement) => !needed.includes(statement));
  if (needed.length === 0 && advised.length === 0) return [];
  return [
    '',
    `-- Paste this into ${place}, as a role that may grant it:`,
    ...needed.map((statement) => `${statement};`),
    ...advised.map((statement) => `${statement}; -- useful, not required`),
  ];
}
