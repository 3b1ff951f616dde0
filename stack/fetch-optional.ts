// Fetches on request what `--with …`, `--secure` and `images` need: Flink's jars, the Toxiproxy
// binary, the schema registry with its converter, an extension of Kafka Connect, and Kafka's tools.
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mvn, once, onPath, run, type Say } from './make-once.js';
import { PINS, ROOT } from './paths.js';

/**
 * The jars that the SQL jobs need, from the folder `lib` of Flink's Python package. The planner
 * needs `cep` for streaming queries.
 */
const FLINK_JARS =
  /^(flink-(dist|json|csv|connector-files|table-api-java-uber|table-planner-loader|table-runtime|cep)|log4j-)/;

/**
 * Makes one folder with Flink's jars. Flink's own jars come from a Python package, because Flink's
 * distribution is not on Maven Central. The gateway and the connectors come from Maven.
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

/**
 * Returns the server binary: the user's own binary, or a binary that is built once from a Go
 * module.
 */
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

/** Fetches the tools of Kafka that images need, such as `kafka-acls.sh`. */
export async function kafkaTools(say: Say): Promise<string> {
  return once(`kafka-tools-${PINS.kafka}`, say, "Kafka's tools (Maven)", (dir) =>
    mvn([
      'dependency:copy',
      `-Dartifact=org.apache.kafka:kafka-tools:${PINS.kafka}`,
      `-DoutputDirectory=${dir}`,
    ]),
  );
}

/** Fetches the schema registry, which is one jar and its libraries. */
export async function registryServer(say: Say): Promise<string> {
  const archive = `apicurio-registry-app-${PINS.apicurio}-all.tar.gz`;
  return once(`registry-${PINS.apicurio}`, say, 'the schema registry (Maven)', async (dir) => {
    await mvn([
      'dependency:copy',
      `-Dartifact=io.apicurio:apicurio-registry-app:${PINS.apicurio}:tar.gz:all`,
      `-DoutputDirectory=${dir}`,
    ]);
    await run('tar', ['-xzf', join(dir, archive), '-C', dir], {});
    rmSync(join(dir, archive));
  });
}

/** Jars that Kafka Connect itself has. A second copy in a plugin's folder breaks the plugin. */
const OF_CONNECT = /^(kafka-clients|connect-|slf4j-|log4j-|lz4-|snappy-|zstd-)/;
const CONVERTER_SERVICES = 'META-INF/services/org.apache.kafka.connect.storage.Converter';

/**
 * Makes a folder with the registry's Avro converter for Kafka Connect. With
 * `plugin.discovery=service_load`, Connect finds only plugins that a jar lists as services. The
 * converter's jar does not list the converter, so a small additional jar does.
 */
export async function avroConverter(say: Say): Promise<string> {
  const name = `plugin-avro-${PINS.apicurio}`;
  return once(name, say, 'the Avro converter (Maven)', async (dir) => {
    const plugin = join(dir, 'apicurio-avro-converter');
    await mvn([
      '-f',
      join(ROOT, 'stack/converter-pom.xml'),
      `-Dapicurio.version=${PINS.apicurio}`,
      'dependency:copy-dependencies',
      `-DoutputDirectory=${plugin}`,
      '-DincludeScope=runtime',
    ]);
    for (const jar of readdirSync(plugin)) if (OF_CONNECT.test(jar)) rmSync(join(plugin, jar));
    const services = join(dir, 'services');
    mkdirSync(join(services, 'META-INF/services'), { recursive: true });
    const classes = ['io.apicurio.registry.utils.converter.AvroConverter'];
    writeFileSync(join(services, CONVERTER_SERVICES), `${classes.join('\n')}\n`);
    await run('jar', ['cf', join(plugin, 'services.jar'), '-C', services, 'META-INF'], {});
    rmSync(services, { recursive: true });
  });
}
