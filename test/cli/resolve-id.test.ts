// Tests which migration a text means. A text that begins with `migration-` may be a name or a
// workflow id.
import { describe, expect, it } from 'vitest';
import { chosen } from '../../src/cli/support/resolve-id.js';
import { nameOf, workflowIdOf } from '../../src/domain/migration/workflow-ids.js';

const choose = (id: string, ...known: string[]) =>
  chosen(id, (name) => Promise.resolve(known.includes(name))).then((found) => ({
    name: nameOf(found),
    workflowId: workflowIdOf(found),
  }));

describe('a text that names a migration', () => {
  it.each([
    ['a name', 'orders', ['orders'], 'orders'],
    ['a workflow id', 'migration-orders', ['orders'], 'orders'],
    ['a name that begins with migration-', 'migration-7', ['migration-7'], 'migration-7'],
    ['the workflow id of such a name', 'migration-migration-7', ['migration-7'], 'migration-7'],
    ['the workflow id of an unknown migration', 'migration-orders', [], 'orders'],
  ])('is understood if it is %s', async (_what, id, known, name) =>
    expect(await choose(id, ...known)).toEqual({ name, workflowId: `migration-${name}` }),
  );
  it('is refused if it is the name of one migration and the workflow id of another', () =>
    expect(choose('migration-7', '7', 'migration-7')).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('nothing was done') as string,
      next: ['use migration-migration-7 or 7'],
    }));
});
