// Downloads or builds the parts of the stack, only once for each user. Each part is made in a draft
// folder, which gets its final name at the end. So a killed run leaves no incomplete part in the
// cache.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  chmodSync,
} from 'node:fs';
import { join, dirname } from 'node:path';
import { mvn, onPath, once, run, type Say } from './make-once.js';
import { PINS, ROOT, cacheDir } from './paths.js';

/** Fetches the jars of the Kafka broker and of Kafka Connect, which stack/pom.xml lists. */
export async function kafkaLibs(say: Say): Promise<string> {
  return once(`kafka-${PINS.kafka}`, say, 'Kafka and Kafka Connect jars (Maven)', async (dir) => {
    await mvn([
      '-f',
      join(ROOT, 'stack/pom.xml'),
      `-Dkafka.version=${PINS.kafka}`,
      `-Dlog4j.version=${PINS.log4j}`,
      'dependency:copy-dependencies',
      `-DoutputDirectory=${dir}`,
      '-DincludeScope=runtime',
    ]);
  });
}

/** Fetches the plugins of Kafka Connect: Debezium's Postgres source and Debezium's JDBC sink. */
export async function connectPlugins(say: Say): Promise<string> {
  const name = `plugins-${PINS.debeziumPostgres}-${PINS.debeziumJdbcSink}`;
  return once(name, say, 'Debezium connectors (Maven)', async (dir) => {
    for (const [artifact, version] of [
      ['debezium-connector-postgres', PINS.debeziumPostgres],
      ['debezium-connector-jdbc', PINS.debeziumJdbcSink],
    ] as const) {
      await mvn([
        'dependency:copy',
        `-Dartifact=io.debezium:${artifact}:${version}:tar.gz:plugin`,
        `-DoutputDirectory=${dir}`,
      ]);
      const archive = join(dir, `${artifact}-${version}-plugin.tar.gz`);
      execFileSync('tar', ['-xzf', archive, '-C', dir]);
      rmSync(archive);
    }
  });
}

/**
 * Builds Sluice's own JDBC source from this checkout. The name of the cache folder contains a
 * digest of the source files, so changed files cause a new build.
 */
export async function jdbcSourcePlugin(say: Say): Promise<string> {
  const project = join(ROOT, 'java/jdbc-source');
  const sources = readdirSync(join(project, 'src/main'), {
    recursive: true,
    withFileTypes: true,
  }).filter((entry) => entry.isFile());
  const files = [
    join(project, 'pom.xml'),
    ...sources.map((entry) => join(entry.parentPath, entry.name)),
  ].sort();
  const digest = createHash('sha256');
  for (const file of files) digest.update(readFileSync(file));
  return once(
    `plugin-jdbc-source-${digest.digest('hex').slice(0, 12)}`,
    say,
    "Sluice's JDBC source (Maven)",
    async (dir) => {
      const build = join(dir, 'build');
      cpSync(join(project, 'src/main'), join(build, 'src/main'), { recursive: true });
      cpSync(join(project, 'pom.xml'), join(build, 'pom.xml'));
      await mvn([
        '-f',
        join(build, 'pom.xml'),
        'package',
        `-Dkafka.version=${PINS.kafka}`,
        `-Dpgjdbc.version=${PINS.pgjdbc}`,
      ]);
      cpSync(join(build, 'target/plugin'), join(dir, 'sluice-jdbc-source'), { recursive: true });
      rmSync(build, { recursive: true });
    },
  );
}

/**
 * Returns whether the slowest parts of the stack are already there: `temporal`, and Kafka's jars.
 */
export const hasParts = (): boolean =>
  knownTemporal() !== null && existsSync(join(cacheDir(), `kafka-${PINS.kafka}`));

/**
 * Returns the path of the user's own `temporal` binary, or of one that was built before, or null.
 */
export function knownTemporal(): string | null {
  const built = builtTemporal();
  return onPath('temporal') ?? (existsSync(built) ? built : null);
}

const builtTemporal = (): string => join(cacheDir(), 'bin', `temporal-${PINS.temporalCli}`);

/** Returns the path of the `temporal` binary. If none exists, it is built once from a Go module. */
export async function temporalBinary(say: Say): Promise<string> {
  const known = knownTemporal();
  if (known !== null) return known;
  const path = builtTemporal();
  await once(
    `temporal-build-${PINS.temporalCli}`,
    say,
    'the temporal server and CLI (built from source with Go: about 5 minutes, once)',
    async (dir) => {
      await run(
        'go',
        [
          'install',
          '-trimpath',
          `-ldflags=-s -w -X github.com/temporalio/cli/temporalcli.Version=${PINS.temporalCli}`,
          `github.com/temporalio/cli/cmd/temporal@v${PINS.temporalCli}`,
        ],
        { CGO_ENABLED: '0', GOBIN: dir, GOFLAGS: '-mod=mod' },
      );
    },
  );
  mkdirSync(dirname(path), { recursive: true });
  // Only the rename makes the file visible, so a copy that was interrupted is never used.
  const copy = `${path}.${process.pid}.part`;
  cpSync(join(cacheDir(), `temporal-build-${PINS.temporalCli}`, 'temporal'), copy);
  chmodSync(copy, 0o755);
  renameSync(copy, path);
  rmSync(join(cacheDir(), `temporal-build-${PINS.temporalCli}`), { recursive: true, force: true });
  return path;
}

/** Fetches the jars of Temporal's time-skipping test server, which only tests need. */
export async function temporalTestServerLibs(say: Say): Promise<string> {
  return once(
    `temporal-test-server-${PINS.temporalTestServer}`,
    say,
    "Temporal's time-skipping test server (Maven)",
    async (dir) => {
      await mvn([
        '-f',
        join(ROOT, 'stack/test-server-pom.xml'),
        `-Dtest.server.version=${PINS.temporalTestServer}`,
        'dependency:copy-dependencies',
        `-DoutputDirectory=${dir}`,
        '-DincludeScope=runtime',
      ]);
    },
  );
}
