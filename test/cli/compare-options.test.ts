// Tests that `sluice compare` refuses a wrong time limit, one that is too long for a snapshot, and a
// marker without a slot, before it contacts a system.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compare } from '../../src/cli/compare.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const WITHOUT_SLOT = `apiVersion: sluice.dev/v1alpha1
kind: Migration
metadata: { name: copied }
spec:
  source:
    postgres: { host: db, database: shop, user: sluice, passwordFrom: { env: SLUICE_SECRET_SHOP } }
    tables: [public.orders]
  connector: { type: debezium-postgres, url: http://connect:8083 }
  existing: { topics: "shop.{schema}.{table}" }
  kafka: { brokers: ["kafka:9092"] }
`;

const options = (more: object) =>
  ({ file: 'no-such-file.yaml', within: '60s', limit: '9', output: 'text', ...more }) as const;

describe('sluice compare', () => {
  it.each([
    ['5m', /--within 5m is longer than 60s/],
    ['soon', /--within soon is not a duration/],
    ['60s', /cannot read no-such-file/],
  ])('with --within %s and a missing file ends with exit 2: %s', async (within, message) => {
    await expect(compare(options({ within }))).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(message) as string,
    });
  });

  it('refuses --marker if the spec names no slot that a marker could advance', async () => {
    const file = join(temporaryFolder('sluice-compare-'), 'spec.yaml');
    writeFileSync(file, WITHOUT_SLOT);
    await expect(compare(options({ file, marker: true }))).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('add existing.slot, or omit --marker') as string,
    });
  });
});
