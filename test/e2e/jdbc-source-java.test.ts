// Runs the Java tests of Sluice's JDBC source, because the stack builds it without its tests.
import { cpSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { mvn } from '../../stack/make-once.js';
import { PINS } from '../../stack/paths.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const TESTS = 'src/test/java/dev/sluice/jdbc';
const SUITE = /<testsuite [^>]*tests="(\d+)" errors="(\d+)" skipped="(\d+)" failures="(\d+)"/;

it(
  'the Java tests of the JDBC source pass, and none is skipped',
  { timeout: 600_000 },
  async () => {
    const project = join(temporaryFolder('sluice-java-'), 'jdbc-source');
    cpSync('java/jdbc-source', project, { recursive: true });
    await mvn([
      '-f',
      join(project, 'pom.xml'),
      'test',
      `-Dkafka.version=${PINS.kafka}`,
      `-Dpgjdbc.version=${PINS.pgjdbc}`,
    ]);
    for (const file of readdirSync(join(project, TESTS))) {
      const report = `TEST-dev.sluice.jdbc.${file.replace('.java', '')}.xml`;
      const text = readFileSync(join(project, 'target/surefire-reports', report), 'utf8');
      const [tests, errors, skipped, failures] = SUITE.exec(text)!.slice(1).map(Number);
      expect({ file, errors, skipped, failures }).toEqual({
        file,
        errors: 0,
        skipped: 0,
        failures: 0,
      });
      expect(tests).toBeGreaterThan(0);
    }
  },
);
