// Compiles the kernel, compiles src to dist, and bundles the workflows. With `--if-stale`, it does
// nothing if the output is newer than the sources.
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, must } from './installed.mjs';
import { buildKernel } from './kernel.mjs';

const newest = (dir) =>
  Math.max(
    ...readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((e) => e.isFile())
      .map((e) => statSync(join(e.parentPath ?? e.path, e.name)).mtimeMs),
  );
const bundle = join(ROOT, 'dist/workflow-bundle.js');
const stale = () =>
  !existsSync(bundle) ||
  statSync(bundle).mtimeMs <
    Math.max(newest(join(ROOT, 'src')), statSync(join(ROOT, 'package-lock.json')).mtimeMs);

if (!process.argv.includes('--if-stale') || stale()) {
  await buildKernel();
  rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
  must(process.execPath, [
    join(ROOT, 'node_modules/typescript/bin/tsc'),
    '-p',
    'tsconfig.build.json',
  ]);
  const { bundleWorkflowCode } = await import('@temporalio/worker');
  const silent = {
    log() {},
    trace() {},
    debug() {},
    info() {},
    warn: console.warn,
    error: console.error,
  };
  const bundled = async (failureConverterPath) => {
    const workflowsPath = join(ROOT, 'dist/workflows/index.js');
    return (await bundleWorkflowCode({ workflowsPath, failureConverterPath, logger: silent })).code;
  };
  // Workers with a payload codec run the encrypting bundle, which also encrypts the messages of
  // failures. The plain bundle is written last, because `--if-stale` checks its time.
  const encrypting = await bundled(join(ROOT, 'dist/wiring/failure-converter.js'));
  writeFileSync(join(ROOT, 'dist/workflow-bundle-encrypting.js'), encrypting);
  writeFileSync(bundle, await bundled());
}
