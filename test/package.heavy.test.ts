// Tests that the package of `npm pack` works without the repository and its development
// dependencies. Also tests that the GitHub workflows run only scripts that exist.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from './support/temporary-folder.js';

interface Manifest {
  readonly version: string;
  readonly bin: { readonly sluice: string };
  readonly scripts: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
let home: string;
let installed: string;

const run = (...args: string[]): string =>
  execFileSync(process.execPath, [join(installed, manifest.bin.sluice), ...args], {
    cwd: home,
    encoding: 'utf8',
  });

describe('the packed package', () => {
  beforeAll(() => {
    home = temporaryFolder('sluice-package-');
    execFileSync('npm', ['pack', '--silent', '--pack-destination', home], { stdio: 'pipe' });
    const [tarball] = readdirSync(home);
    installed = join(home, 'node_modules/sluice');
    mkdirSync(installed, { recursive: true });
    execFileSync('tar', ['-xzf', join(home, tarball!), '--strip-components=1', '-C', installed]);
    for (const name of Object.keys(manifest.dependencies)) {
      mkdirSync(dirname(join(home, 'node_modules', name)), { recursive: true });
      symlinkSync(resolve('node_modules', name), join(home, 'node_modules', name));
    }
  });

  it('prints its version', () => expect(run('--version').trim()).toBe(manifest.version));

  it('validates an example, and a spec that its own `init` wrote', () => {
    const example = resolve('examples/daily-revenue/migration.yaml');
    expect(run('validate', '-f', example)).toContain('valid');
    run('init', 'first');
    expect(run('validate', '-f', 'migration.yaml')).toContain('valid');
  });

  it('has the bundle of the Temporal workflows and every file that package.json exports', () => {
    expect(existsSync(join(installed, 'dist/workflow-bundle.js'))).toBe(true);
    for (const file of Object.values(manifest.exports))
      expect(existsSync(join(installed, file)), file).toBe(true);
  });

  it('has neither sources nor tests', () =>
    expect(readdirSync(installed).toSorted()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'dist',
      'package.json',
      'schema',
    ]));

  it('needs no development dependency to load the worker', () => {
    const load = `await import(${JSON.stringify(join(installed, 'dist/wiring/worker.js'))})`;
    execFileSync(process.execPath, ['--input-type=module', '-e', load], { cwd: home });
  });
});

describe('a GitHub workflow', () => {
  const folder = '.github/workflows';
  it.each(readdirSync(folder))('%s runs only scripts that exist', (file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    for (const [, script] of text.matchAll(/node (scripts\/\S+\.mjs)/g))
      expect(existsSync(script!), script).toBe(true);
    for (const [, name] of text.matchAll(/npm run ([a-z0-9:]+)/g))
      expect(manifest.scripts, name).toHaveProperty([name!]);
    for (const [, list] of text.matchAll(/suite: \[(.*)\]/g))
      for (const name of list!.split(', ')) expect(manifest.scripts).toHaveProperty([name]);
  });
});
