// Fetches what `--with …` and `--secure` need, on request: Flink's jars, the Toxiproxy binary, and an
// extension of Kafka Connect.
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { mvn, once, onPath, run, type Say } from './make-once.js';
import { PINS, ROOT } from './paths.js';

/**
 * The jars of the Python package's `lib` that the SQL jobs need. Streaming queries are planned with
 * `cep`.
 */
const FLINK_JARS =
  /^(flink-(dist|json|csv|connector-files|table-api-java-uber|table-planner-loader|table-runtime|cep)|log4j-)/;

/**
 * Makes one folder of jars. Flink's own come from a Python package, because the distribution is not
 * on Maven Central. Gateway and connectors come from Maven.
 */
export async function flinkLibs(say: Say): Promise<string> {
  return once(
    `flink-${PINS.flink}-${PINS.flinkKafka}`,
    say,
    'Flink (pip and Maven, about 450 MB)',
    async (dir) => {
      const venv = join(dir, 'venv');
      const target = join(dir, 'python');
      await run('python3', ['-m', 'venv', venv], {});
      const pip = join(venv, 'bin/pip');
      await run(pip, ['install', '-q', 'wheel', 'setuptools'], {});
      const packaged = `apache-flink-libraries==${PINS.flink}`;
      await run(
        pip,
        ['install', '-q', '--no-deps', '--no-build-isolation', '--target', target, packaged],
        {},
      );
      const lib = join(target, 'pyflink/lib');
      for (const jar of readdirSync(lib))
        if (FLINK_JARS.test(jar)) cpSync(join(lib, jar), join(dir, jar));
      rmSync(venv, { recursive: true });
      rmSync(target, { recursive: true });
      const versions = [
        `-Dflink.version=${PINS.flink}`,
        `-Dflink.kafka.version=${PINS.flinkKafka}`,
        `-Dflink.jdbc.version=${PINS.flinkJdbc}`,
      ];
      await mvn([
        '-f',
        join(ROOT, 'stack/flink-pom.xml'),
        ...versions,
        `-Dpgjdbc.version=${PINS.pgjdbc}`,
        'dependency:copy-dependencies',
        `-DoutputDirectory=${dir}`,
        '-DexcludeTransitive=true',
      ]);
    },
  );
}

/** Returns the server binary: the user's own, or else one built once from the Go module proxy. */
export async function toxiproxyBinary(say: Say): Promise<string> {
  const own = onPath('toxiproxy-server');
  if (own) return own;
  const dir = await once(
    `toxiproxy-${PINS.toxiproxy}`,
    say,
    'Toxiproxy (built from source with Go)',
    (folder) =>
      run('go', ['install', `github.com/Shopify/toxiproxy/v2/cmd/server@v${PINS.toxiproxy}`], {
        CGO_ENABLED: '0',
        GOBIN: folder,
        GOFLAGS: '-mod=mod',
      }),
  );
  return join(dir, 'server');
}

/** Fetches the extension with which Connect's REST API asks for a password. */
export async function connectBasicAuth(say: Say): Promise<string> {
  const name = `connect-basic-auth-${PINS.kafka}`;
  return once(name, say, "Kafka Connect's basic authentication (Maven)", (dir) =>
    mvn([
      'dependency:copy',
      `-Dartifact=org.apache.kafka:connect-basic-auth-extension:${PINS.kafka}`,
      `-DoutputDirectory=${dir}`,
    ]),
  );
}
