// Bundles today's workflow code once for all files of the suite. `workflowBundle` is the path of
// the bundle.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, bundleWorkflowCode } from '@temporalio/worker';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    workflowBundle: string;
  }
}

export default async function setup(project: TestProject): Promise<() => void> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../src/workflows/index.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
  const dir = mkdtempSync(join(tmpdir(), 'sluice-workflows-'));
  const path = join(dir, 'bundle.js');
  writeFileSync(path, code);
  project.provide('workflowBundle', path);
  return () => rmSync(dir, { recursive: true });
}
