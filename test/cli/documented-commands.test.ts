// Checks that the pages show only commands, scripts and specs that exist. Other tests run the
// commands of some pages with real servers. These pages are about secured clusters, registries,
// comparisons, adopted objects and reporting databases.
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { buildProgram } from '../../src/cli/program/program.js';
import { parseSpecText } from '../../src/manifest/parse.js';
import { BATCH_PARTS, aSpecInput } from '../support/builders.js';
import { blocksOf, commandsOf } from '../support/pages.js';

const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'docs/runbook.md',
  ...['how-to', 'explanation'].flatMap((folder) =>
    readdirSync(`docs/${folder}`)
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${folder}/${name}`),
  ),
];

/** Returns the reason why `sluice` would refuse a command, or null. */
function refusalOf(command: string): string | null {
  const program = buildProgram('1.0.0');
  const words = command.match(/"[^"]*"|\S+/g) ?? [];
  const [verb, ...rest] = words;
  if (verb === '--version' || verb === '--help') return null;
  const known = program.commands.find((c) => c.name() === verb);
  if (!known) return `no verb ${verb}`;
  const options = known.options.flatMap(({ short, long }) => [short, long]);
  const wrong = rest.filter((word) => /^--?[a-z]/.test(word) && !options.includes(word));
  return wrong.length > 0 ? `${verb} has no option ${wrong.join(', ')}` : null;
}

/**
 * Joins two documents. Two objects are joined key by key. Any other value of `over` replaces the
 * value of `base`, and so does an object with a key `type` or `file`.
 */
function joined(base: unknown, over: unknown): unknown {
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject(base) || !isObject(over) || 'type' in over || 'file' in over) return over;
  const keys = new Set([...Object.keys(base), ...Object.keys(over)]);
  return Object.fromEntries(
    [...keys].map((key) => [key, key in over ? joined(base[key], over[key]) : base[key]]),
  );
}

/** The key of the example's result, which the pages use. */
const KEY = ['day', 'store_id'];
const KEYED = { batch: { result: { key: KEY } }, pipeline: { output: { key: KEY } } };

/**
 * Returns the specs of a page. A block that shows a part of a spec is joined with an example spec
 * and with the earlier parts on the page. A block with a whole spec needs no other block.
 */
function specsOf(page: string): { page: string; at: number; spec: string }[] {
  let whole = joined(aSpecInput({ spec: BATCH_PARTS }), { spec: KEYED });
  return blocksOf(page, 'yaml')
    .map((text) => (text.startsWith(' ') ? `spec:\n${text}` : text))
    .filter((text) => /^spec:/m.test(text))
    .map((text, at) => {
      if (!text.startsWith('apiVersion')) whole = joined(whole, parse(text));
      return {
        page,
        at,
        spec: text.startsWith('apiVersion')
          ? text
          : stringify(whole, { aliasDuplicateObjects: false }),
      };
    });
}

const specs = PAGES.flatMap(specsOf);

describe('the pages', () => {
  it('show only commands that exist, with options that these commands have', () => {
    const refused = PAGES.flatMap((page) =>
      commandsOf(page)
        // the overview in README names several verbs in one line; only the first is checked
        .flatMap((command) => (/ \| [a-z]/.test(command) ? [command.split(' | ')[0]!] : [command]))
        .map((command) => ({ page, command, refusal: refusalOf(command) })),
    ).filter(({ refusal }) => refusal !== null);
    expect(refused).toEqual([]);
    expect(PAGES.flatMap(commandsOf).length).toBeGreaterThan(30);
  });

  it('name only scripts that package.json has', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: object };
    const named = PAGES.flatMap((page) =>
      [...readFileSync(page, 'utf8').matchAll(/npm run (?:-s )?([a-z][\w:]*)/g)].map(([, n]) => n!),
    );
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
    expect(named.length).toBeGreaterThan(20);
  });

  it.each(specs)('show a spec that is accepted: $page, block $at', ({ spec, page }) => {
    const use = page.endsWith('compare-only.md') ? 'comparison' : 'migration';
    const parsed = parseSpecText(spec, 'm.yaml', () => 'SELECT 1 AS day, 2 AS store_id', use);
    expect(parsed.ok ? [] : parsed.problems).toEqual([]);
  });
});
