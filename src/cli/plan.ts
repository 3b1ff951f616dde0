// sluice plan -f FILE: what a start would make, do and leave behind. Offline but for the ledger, which knows the next names.
import { buildPlan, type Plan } from '../spec/plan.js';
import { openLedger } from './access.js';
import { EXIT, print, table, type Format } from './output.js';
import { readSpec } from './spec-file.js';

export async function plan(options: { file: string; output: Format; exitCode?: boolean }): Promise<number> {
  const spec = readSpec(options.file);
  const ledger = openLedger();
  const latest = ledger ? (await ledger.migrations(spec.metadata.name).catch(() => []))[0] : undefined;
  await ledger?.close();
  const built = buildPlan(spec, (latest?.generation ?? 0) + 1);
  await print(built, options.output, () => render(built));
  return options.exitCode ? EXIT.findings : EXIT.ok;
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
    table(
      ['COMPARES', 'MODE'],
      plan.comparisons.map((c) => [c.subject, c.mode]),
    ),
    '',
    table(
      ['CUT-OVER', 'DOES', 'UNDO'],
      plan.cutover.map((s) => [s.name, s.does, s.undo ?? '-']),
    ),
    '',
    ...(plan.notes.length > 0 ? ['Know before you approve:', ...plan.notes.map((note) => `  - ${note}`), ''] : []),
    'Rolling back removes everything listed under CREATES. Connector configurations: -o json.',
  ].join('\n');
}
