// Bundles the current workflow code once for all files of the suite, unless it is built already.
// `workflowBundle` is the path of the bundle.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, bundleWorkflowCode } from '@temporalio/worker';
import type { TestProject } from 'vitest/node';
import { builtBundle, isBuilt } from './built-code.js';

declare module 'vitest' {
  interface ProvidedContext {
    workflowBundle: string;
  }
}

export default async function setup(project: TestProject): Promise<() => void> {
  if (isBuilt) {
    project.provide('workflowBundle', builtBundle);
    return () => undefined;
  }
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
