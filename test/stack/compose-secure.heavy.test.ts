// Tests the variables, certificates and passwords that docker-compose.secure.yml needs.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { secureEnvironment } from '../../stack/compose-secure.js';
import { temporaryFolder } from '../support/temporary-folder.js';

describe('the variables of docker-compose.secure.yml', () => {
  const outer = join(temporaryFolder('sluice-compose-'), 'compose');
  const variables = secureEnvironment(outer);
  const shared = variables['SLUICE_SECURE_DIR']!;

  it('include every variable that the file asks for', () => {
    const text = readFileSync('docker-compose.secure.yml', 'utf8');
    const asked = [...text.matchAll(/(?<!\$)\$\{(\w+)/g)].map(([, name]) => name!);
    expect(asked.filter((name) => !variables[name])).toEqual([]);
  });
  it('stay the same, and so do the certificates, as long as all certificates are valid', () => {
    const before = readFileSync(join(shared, 'kafka.crt'), 'utf8');
    expect(secureEnvironment(outer)).toEqual(variables);
    expect(readFileSync(join(shared, 'kafka.crt'), 'utf8')).toBe(before);
  });
  it('name a folder that the containers can read, and that does not contain the key of the CA', () => {
    expect(readdirSync(shared)).not.toContain('ca.key');
    expect(statSync(outer).mode & 0o077).toBe(0);
    expect(readdirSync(shared).every((file) => statSync(join(shared, file)).mode & 0o004)).toBe(
      true,
    );
  });
  it("cannot be made if the folder's path has a character that the images refuse, such as a space", () => {
    expect(() => secureEnvironment(join(outer, 'with space'))).toThrow(/move the checkout/);
  });
});
