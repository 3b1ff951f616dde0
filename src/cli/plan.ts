// sluice plan -f FILE: prints what a migration would create, do and leave behind. It contacts only
// the ledger, which knows the number of the last generation. The names of the objects contain the
// next number. With --rehearse ID, it runs the cut-over of a migration up to the commit, and then
// releases the fence.
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { stringify } from 'yaml';
import { buildPlan, type Plan } from '../manifest/build-plan.js';
import type { Rehearsed } from '../domain/evidence/ledger-rows.js';
import { openLedger, withRunning } from './support/migration-source.js';
import { nameOf } from '../domain/migration/workflow-ids.js';
import { resolveId } from './support/resolve-id.js';
import { answering } from './support/ask-run-state.js';
import { confirmByTyping, evidenceOf, signed, signedFor } from './decide.js';
import { whileServed } from './support/ask-while-served.js';
import { comparisonsOf } from './support/plan-comparisons.js';
import { CliError, EXIT, print, table, type Format } from './support/output.js';
import { readSpec } from './support/spec-file.js';

export interface PlanOptions {
  readonly file?: string;
  readonly rehearse?: string;
  readonly by?: string;
  /** The file with the private key of the person who rehearses. */
  readonly key?: string;
  readonly yes?: boolean;
  readonly output: Format;
  readonly exitCode?: boolean;
}

export async function plan(options: PlanOptions): Promise<number> {
  if (options.rehearse !== undefined) return rehearse(options.rehearse, options);
  if (options.file === undefined)
    throw new CliError(
      EXIT.usage,
      'usage',
      'give a spec (-f FILE), or a migration to rehearse (--rehearse ID)',
    );
  const spec = readSpec(options.file);
  const ledger = openLedger();
  const latest = ledger
    ? (await ledger.migrations(spec.metadata.name).catch(() => []))[0]
    : undefined;
  await ledger?.close();
  const plan = buildPlan(spec, (latest?.generation ?? 0) + 1);
  const built = { ...plan, comparisons: await comparisonsOf(spec, plan.comparisons) };
  await print(built, options.output, () => render(built));
  return options.exitCode ? EXIT.findings : EXIT.ok;
}

/**
 * Rehearses the cut-over. It asks for confirmation, because a rehearsal blocks the same writes as
 * the cut-over.
 */
async function rehearse(asked: string, options: PlanOptions): Promise<number> {
  const id = await resolveId(asked);
  await confirmByTyping(nameOf(id), 'rehearse the cut-over of', options.yes);
  const result = await withRunning(id, async (handle, client) => {
    const { evidenceId } = await answering(id, handle, client);
    const by = options.by ?? userInfo().username;
    const claims = options.key
      ? {
          ...signedFor(id, await evidenceOf(client, handle)),
          decision: 'rehearse' as const,
          approver: by,
          evidenceId,
        }
      : null;
    const args: [object] = [{ by, ...(claims ? { token: signed(options.key!, claims) } : {}) }];
    const updateId = randomUUID(); // a repeated request keeps this id, so the run rehearses once
    return whileServed(client, handle.workflowId, 'The rehearsal', () =>
      handle.executeUpdate<Rehearsed, [object]>('rehearseCutover', { args, updateId }),
    );
  });
  await print(result, options.output, () =>
    result.refused === null
      ? `rehearsed and released; the hold took ${result.holdMs} ms`
      : `not rehearsed: ${result.refused}`,
  );
  return result.refused === null ? EXIT.ok : EXIT.failed;
}

function render(plan: Plan): string {
  return [
    `Plan ${plan.hash} for ${plan.name} (generation ${plan.generation})`,
    '',
    table(
      ['CREATES', 'NAME', 'WHERE', 'AFTERWARDS'],
      plan.creates.map((o) => [o.kind, o.name, o.where, o.after]),
    ),
    '',
    ...adopted(plan.adopts),
    table(
      ['COMPARES', 'MODE'],
      plan.comparisons.map((c) => [c.subject, c.because ? `${c.mode}: ${c.because}` : c.mode]),
    ),
    '',
    table(
      ['CUT-OVER', 'DOES', 'UNDO'],
      plan.cutover.map((s) => [s.name, s.does, s.undo ?? '-']),
    ),
    '',
    ...(plan.acls.length > 0
      ? [
          table(
            ['ACL FOR', 'RESOURCE', 'NAME', 'OPERATIONS'],
            plan.acls.map((acl) => [
              acl.principal,
              acl.resource,
              acl.pattern === 'prefixed' ? `${acl.name}* (prefixed)` : acl.name,
              acl.operations.join(', '),
            ]),
          ),
          '',
        ]
      : []),
    ...(plan.needs ? [...plan.needs, ''] : []),
    ...(plan.role
      ? [
          'Connectors are KafkaConnector resources. The worker needs this Role:',
          stringify(plan.role),
        ]
      : []),
    ...(plan.notes.length > 0
      ? ['Before you approve, note:', ...plan.notes.map((note) => `  - ${note}`), '']
      : []),
    'A rollback removes everything listed under CREATES. Connector configurations: -o json.',
  ].join('\n');
}

const adopted = (objects: Plan['adopts']): string[] =>
  objects
    ? [
        table(
          ['ADOPTS', 'NAME', 'WHERE', 'AFTERWARDS'],
          objects.map((o) => [o.kind, o.name, o.where, 'untouched']),
        ),
        'Sluice never changes or removes what it adopts. sluice doctor names settings that differ.',
        '',
      ]
    : [];
