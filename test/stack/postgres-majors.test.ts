// Tests how a stack chooses its major version of Postgres.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PG_MAJORS, majorOf } from '../../stack/fetch-postgres.js';
import { PINS } from '../../stack/paths.js';
import { temporaryFolder } from '../support/temporary-folder.js';

let data: string;
beforeEach(() => {
  data = temporaryFolder('sluice-majors-');
  vi.stubEnv('SLUICE_PG_MAJOR', undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(data, { recursive: true });
});

describe('the major version of Postgres in a stack', () => {
  it('can be any version that doctor accepts, and is the pinned version by default', () => {
    expect(PG_MAJORS).toEqual(['14', '15', '16', '17', '18']);
    expect(majorOf(data)).toBe(PINS.postgres);
  });

  it('is the version in SLUICE_PG_MAJOR for a new stack, and later the version of its data', () => {
    vi.stubEnv('SLUICE_PG_MAJOR', '14');
    expect(majorOf(data)).toBe('14');
    writeFileSync(join(data, 'PG_VERSION'), '14\n');
    vi.stubEnv('SLUICE_PG_MAJOR', undefined);
    expect(majorOf(data)).toBe('14');
  });

  it('is refused if it is unknown, or if the data is of a different version', () => {
    vi.stubEnv('SLUICE_PG_MAJOR', '13');
    expect(() => majorOf(data)).toThrow('must be one of 14, 15, 16, 17, 18');
    writeFileSync(join(data, 'PG_VERSION'), '14\n');
    vi.stubEnv('SLUICE_PG_MAJOR', '16');
    expect(() => majorOf(data)).toThrow(/has data of Postgres 14: run .*reset/);
  });
});
