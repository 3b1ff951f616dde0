// Runs the example's Kafka Streams application as a service of the local stack, in version 1
// (wrong) or 2 (right). Maven builds the application if the JAR is missing or older than its
// sources.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mvn } from '../../stack/make-once.js';
import type { StackHome } from '../../stack/paths.js';
import type { Launch } from '../../stack/processes.js';
import { securedEnvironment, securedOf, trustFile } from '../../stack/secure.js';

const PROJECT = fileURLToPath(new URL('pipeline', import.meta.url));
const JAR = join(PROJECT, 'target/daily-revenue-1.jar');

export async function buildPipeline(say: (line: string) => void): Promise<void> {
  const sources = join(PROJECT, 'src/main/java/dev/sluice/example');
  const newest = Math.max(
    ...readdirSync(sources).map((file) => statSync(join(sources, file)).mtimeMs),
    statSync(join(PROJECT, 'pom.xml')).mtimeMs,
  );
  if (existsSync(JAR) && statSync(JAR).mtimeMs > newest) return;
  say('building the Kafka Streams application (Maven) …');
  await mvn(['-f', join(PROJECT, 'pom.xml'), 'package', '-DskipTests']);
}

export interface PipelineOptions {
  readonly version: 1 | 2;
  readonly topicPrefix: string;
  readonly output: string;
  readonly application: string;
  /**
   * A second topic for the totals per quarter of an hour, so that this stage can be validated
   * separately.
   */
  readonly stageTopic?: string;
  /** Discards the results of an earlier version. */
  readonly reset: boolean;
  /** The URL of the schema registry, if the topics of the tables are in Avro. */
  readonly registry?: string;
}

/**
 * Returns the variables with which the pipeline finds the brokers, and logs in if they are secured.
 */
function reachOf(home: StackHome): Record<string, string> {
  const secured = securedOf(home);
  if (!secured) return { KAFKA_BROKERS: `127.0.0.1:${home.ports.kafka}` };
  const wanted = ['KAFKA_BROKERS', 'KAFKA_PROPERTIES'];
  const all = Object.entries(securedEnvironment(home, secured));
  return Object.fromEntries(all.filter(([name]) => wanted.includes(name)));
}

export function pipelineService(home: StackHome, options: PipelineOptions): Launch {
  const secured = securedOf(home);
  return {
    name: `pipeline-${options.application}`,
    command: 'java',
    args: [
      ...(secured ? [`@${trustFile(secured)}`] : []), // the JVM then trusts the registry's CA
      '-Xms512m',
      '-Xmx1g',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1', // the optimizing compiler would occupy a core
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
      '-cp',
      `${JAR}:${join(PROJECT, 'target/lib')}/*`,
      'dev.sluice.example.Main',
      ...(options.reset ? ['--reset'] : []),
    ],
    env: {
      ...reachOf(home),
      TOPIC_PREFIX: options.topicPrefix,
      OUTPUT_TOPIC: options.output,
      ...(options.stageTopic ? { STAGE_TOPIC: options.stageTopic } : {}),
      ...(options.registry ? { REGISTRY_URL: options.registry } : {}),
      APPLICATION_ID: options.application,
      PIPELINE_VERSION: String(options.version),
      STATE_DIR: join(home.dir, 'streams', options.application),
    },
  };
}
