// Checks rules about style, architecture and documents that a linter cannot express. A failure
// names what breaks the rule.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PHASES } from '../src/domain/migration/phase.js';

const files = (folder: string, ending = '.ts'): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile() && e.name.endsWith(ending))
    .map((e) => join(e.parentPath, e.name))
    .filter((f) => !/node_modules|\/target\//.test(f));
const sources = [...files('src'), ...files('stack'), ...files('examples')];
const lines = (file: string): string[] => readFileSync(file, 'utf8').split('\n');

describe('every source file', () => {
  it('has at most 250 lines (the check tolerates 252), and so has every test', () => {
    const all = [...sources, ...files('test')];
    expect(all.filter((f) => lines(f).length > 253)).toEqual([]);
  });
  it('begins with a comment, which should say what the file is for', () =>
    expect(sources.filter((f) => !/^(#!.*\n)?(\/\/|\/\*\*)/.test(readFileSync(f, 'utf8')))).toEqual(
      [],
    ));
  it('has no function over 70 lines', () => {
    const long: string[] = [];
    for (const file of [...sources, ...files('bench'), ...files('scripts')]) {
      const text = lines(file);
      text.forEach((line, at) => {
        const [, indent, name] = /^( *)(?:export )?(?:async )?function (\w+)/.exec(line) ?? [];
        if (indent === undefined) return;
        const end = text.findIndex((l, index) => index > at && l === `${indent}}`);
        if (end - at > 70) long.push(name!);
      });
    }
    expect(long).toEqual([]);
  });
  it('has no open to-dos, silences no tool, and skips no test', () => {
    const banned =
      /\b(TODO|FIXME|XXX)\b|@ts-(ignore|expect-error|nocheck)|oxlint-disable|\bas any\b|\b(it|test|describe)\.(skip|only|todo)\(/;
    const here = 'test/tidy.heavy.test.ts';
    expect(
      [...sources, ...files('test')].filter(
        (f) => f !== here && banned.test(readFileSync(f, 'utf8')),
      ),
    ).toEqual([]);
  });
});

describe('every test', () => {
  it('has a name of at most 100 characters', () => {
    const names = files('test', '.test.ts').flatMap((file) =>
      [
        ...readFileSync(file, 'utf8').matchAll(
          /(['"`])((?:\\.|(?!\1)[^\n\\])*)\1,\s*(?:async\s*)?(?:\(|\w+ =>)/g,
        ),
      ].map(([, , name]) => `${file}: ${name}`),
    );
    expect(names.length).toBeGreaterThan(1000);
    expect(names.filter((name) => name.length - name.indexOf(': ') - 2 > 100)).toEqual([]);
  });
});

describe('in the architecture,', () => {
  it('workflows import activities, clients and six other source folders only as types', () => {
    const offending = files('src/workflows').filter((f) =>
      lines(f).some(
        (l) =>
          /from '\.\.\/(\.\.\/)?(activities|clients|manifest|connectors|compare|assess|cli|report)\//.test(
            l,
          ) && !l.startsWith('import type'),
      ),
    );
    expect(offending).toEqual([]);
  });
  it('only the file config.ts reads environment variables', () => {
    expect(
      files('src').filter(
        (f) => f !== 'src/wiring/config.ts' && readFileSync(f, 'utf8').includes('process.env'),
      ),
    ).toEqual([]);
  });
  it('every phase has its file and its section in the runbook', () => {
    const runbook = readFileSync('docs/runbook.md', 'utf8');
    for (const phase of PHASES) {
      expect(existsSync(`src/workflows/phases/${phase}.ts`), phase).toBe(true);
      expect(runbook).toContain(`\n## ${phase}\n`);
    }
  });
  it('the only protobufjs outside of proto-loader has version 8, which replaying histories needs', () => {
    const found = execFileSync(
      'find',
      ['node_modules', '-path', '*/protobufjs/package.json', '-not', '-path', '*/proto-loader/*'],
      { encoding: 'utf8' },
    )
      .trim()
      .split('\n');
    expect(found).toEqual(['node_modules/protobufjs/package.json']);
    expect((JSON.parse(readFileSync(found[0]!, 'utf8')) as { version: string }).version).toMatch(
      /^8\./,
    );
  });
});

describe('prose', () => {
  it('has few fragments and no banned words (see `npm run prose`)', () => {
    const { status, stdout } = spawnSync(process.execPath, ['scripts/prose.mjs', '--check']);
    expect(status, stdout.toString()).toBe(0);
  });
});

describe('documents', () => {
  const documents = [
    'README.md',
    'ARCHITECTURE.md',
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    ...files('docs', '.md'),
    'examples/daily-revenue/README.md',
    'examples/stock-levels/README.md',
    ...files('src', 'README.md'),
  ];
  it('link only to files that exist', () => {
    const dead: string[] = [];
    for (const document of documents) {
      for (const [, target] of readFileSync(document, 'utf8').matchAll(
        /\]\((?!https?:|#)([^)#]+)/g,
      ))
        if (!existsSync(join(dirname(document), target!))) dead.push(`${document} → ${target}`);
    }
    expect(dead).toEqual([]);
  });
  it('in a source folder name each file of this folder, or its subfolder as `name/`', () => {
    const unnamed = files('src', 'README.md').flatMap((page) => {
      const text = readFileSync(page, 'utf8');
      const isNamed = (path: string): boolean =>
        text.includes(`\`${basename(path, '.ts')}\``) ||
        text.includes(`\`${path.split('/')[0]}/\``);
      const paths = files(dirname(page)).map((file) => relative(dirname(page), file));
      return paths.filter((path) => !isNamed(path)).map((path) => `${page}: ${path}`);
    });
    expect(unnamed).toEqual([]);
  });
  it('about decisions have unique numbers', () => {
    const numbers = files('docs/decisions', '.md').map((file) => basename(file).slice(0, 4));
    expect(numbers.toSorted()).toEqual([...new Set(numbers)].toSorted());
  });
  it('include a README.md of at most 150 lines', () =>
    expect(lines('README.md').length).toBeLessThanOrEqual(151));
});
