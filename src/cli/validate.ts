// sluice validate -f FILE: checks the keys and values of a spec, and contacts no system.
import { planHash } from '../manifest/build-plan.js';
import { print, type Format } from './support/output.js';
import { readSpec } from './support/spec-file.js';

export async function validate(options: { file: string; output: Format }): Promise<number> {
  const spec = readSpec(options.file);
  const result = { valid: true, name: spec.metadata.name, planHash: planHash(spec) };
  await print(
    result,
    options.output,
    () => `${options.file} is valid: migration ${result.name}, plan ${result.planHash}`,
  );
  return 0;
}
