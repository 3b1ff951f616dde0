// Starts a secured stack. The suite `secure` also needs a schema registry. The suite `e2e-secure`
// needs the pipeline of the example daily-revenue. Its tests create topics themselves, so its
// logins may use every topic, group and transactional id. `test/secure/migration.test.ts` runs with
// the ACLs of a plan instead.
import kafkajs from 'kafkajs';
import type { TestProject } from 'vitest/node';
import { buildPipeline } from '../../examples/daily-revenue/pipeline.js';
import { stackHome } from '../../stack/paths.js';
import { securedOf } from '../../stack/secure.js';
import { withAdmin } from '../../stack/services/kafka-secure.js';
import { setupWith } from './stack-setup.js';

export async function setup({ name }: TestProject): Promise<() => Promise<void>> {
  if (name !== 'e2e-secure')
    return setupWith({ secure: true, optional: name === 'secure' ? ['registry'] : [] });
  await buildPipeline((line) => console.error(line));
  const remove = await setupWith({ secure: true });
  try {
    await allowEverything();
  } catch (error) {
    await remove();
    throw error;
  }
  return remove;
}

async function allowEverything(): Promise<void> {
  const { AclResourceTypes: types } = kafkajs;
  const acl = ['sluice', 'connect', 'pipeline'].flatMap((user) =>
    [types.TOPIC, types.GROUP, types.TRANSACTIONAL_ID].map((resourceType) => ({
      resourceType,
      resourceName: '*',
      resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL,
      principal: `User:${user}`,
      host: '*',
      operation: kafkajs.AclOperationTypes.ALL,
      permissionType: kafkajs.AclPermissionTypes.ALLOW,
    })),
  );
  const home = stackHome();
  await withAdmin(home, securedOf(home)!, (admin) => admin.createAcls({ acl }));
}
