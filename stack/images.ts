// Builds the images of docker-compose.yml from the parts of the stack, such as Kafka's jars. The
// images get the names in docker-compose.yml. They are for a machine that reaches no image
// registry, and for tests of docker-compose.yml.
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { doesAnswer, engineOf } from './engine.js';
import { connectBasicAuth, kafkaTools } from './fetch-optional.js';
import { connectPlugins, kafkaLibs, temporalBinary } from './fetch.js';
import { postgresBinaries } from './fetch-postgres.js';
import { once, run, type Say } from './make-once.js';
import { PINS, ROOT, cacheDir } from './paths.js';

const SOURCES = join(ROOT, 'deploy/images');
const SUITE = 'bookworm';
const BASE = `sluice-base:${SUITE}`;
/** The base image has Java and the programs that health checks and entry points call. */
const PACKAGES = 'bash,curl,iproute2,openjdk-17-jre-headless,postgresql-client-15';
const USERS = ['postgres 999', 'appuser 1000', 'kafka 1001'];

/** The class that each tool of Kafka runs. The images have only these tools. */
const KAFKA_TOOLS = {
  'kafka-server-start.sh': 'kafka.Kafka',
  'kafka-storage.sh': 'kafka.tools.StorageTool',
  'kafka-configs.sh': 'kafka.admin.ConfigCommand',
  'kafka-acls.sh': 'org.apache.kafka.tools.AclCommand',
  'kafka-topics.sh': 'org.apache.kafka.tools.TopicCommand',
  'connect-distributed.sh': 'org.apache.kafka.connect.cli.ConnectDistributed',
} as const;

/** Fills the folder from which an image is built. */
type Fill = (context: string, say: Say) => Promise<void>;

const FILL: Readonly<Record<string, Fill>> = {
  postgres: async (context, say) => {
    const bin = await postgresBinaries(say, PINS.postgres);
    for (const part of ['bin', 'lib', 'share'])
      cpSync(join(bin, '..', part), join(context, 'postgres', part), {
        recursive: true,
        verbatimSymlinks: true,
      });
  },
  kafka: async (context, say) => {
    await fillKafka(join(context, 'kafka'), say);
    mkdirSync(join(context, 'kafka/config'));
  },
  connect: async (context, say) => {
    const kafka = join(context, 'kafka');
    await fillKafka(kafka, say);
    cpSync(await connectBasicAuth(say), join(kafka, 'libs'), { recursive: true });
    cpSync(await connectPlugins(say), join(kafka, 'connect'), { recursive: true });
    const defaults = 'connect-distributed.properties';
    cpSync(join(SOURCES, 'connect', defaults), join(kafka, 'config.orig', defaults));
  },
  temporal: async (context, say) => cpSync(await temporalBinary(say), join(context, 'temporal')),
};

async function fillKafka(kafka: string, say: Say): Promise<void> {
  for (const jars of [await kafkaLibs(say), await kafkaTools(say)])
    cpSync(jars, join(kafka, 'libs'), { recursive: true });
  cpSync(join(ROOT, 'stack/log4j2.properties'), join(kafka, 'log4j2.properties'));
  const script = 'kafka-run-class.sh';
  cpSync(join(SOURCES, 'kafka', script), join(kafka, 'bin', script));
  for (const [tool, name] of Object.entries(KAFKA_TOOLS)) {
    const file = join(kafka, 'bin', tool);
    writeFileSync(file, `#!/bin/sh\nexec "$(dirname "$0")/${script}" ${name} "$@"\n`);
    chmodSync(file, 0o755);
  }
}

/** Builds the image of each service of docker-compose.yml. */
export async function buildImages(say: Say): Promise<void> {
  const engine = engineOf();
  say(`building with ${engine}`);
  const root = await rootFilesystem(say);
  const drafts = join(cacheDir(), `images.${process.pid}.tmp`);
  try {
    await build(engine, BASE, join(drafts, 'base'), (context) => {
      cpSync(join(root, 'rootfs.tar'), join(context, 'rootfs.tar'));
      writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nADD rootfs.tar /\n');
      return Promise.resolve();
    });
    for (const [service, image] of Object.entries(imagesOf('docker-compose.yml'))) {
      say(`building ${image}`);
      await build(engine, image, join(drafts, service), async (context) => {
        cpSync(join(SOURCES, service), context, { recursive: true });
        mkdirSync(join(context, 'empty'));
        await FILL[service]!(context, say);
      });
      rmSync(join(drafts, service), { recursive: true });
    }
  } finally {
    rmSync(drafts, { recursive: true, force: true });
  }
}

/** Returns the image of each service of a Compose file. */
function imagesOf(file: string): Record<string, string> {
  const { services } = parse(readFileSync(join(ROOT, file), 'utf8')) as {
    services: Record<string, { image: string }>;
  };
  return Object.fromEntries(Object.entries(services).map(([name, { image }]) => [name, image]));
}

async function build(
  engine: string,
  image: string,
  context: string,
  fill: (context: string) => Promise<void>,
): Promise<void> {
  mkdirSync(context, { recursive: true });
  await fill(context);
  const args = ['build', '-q', '--build-arg', `BASE=${fullName(BASE)}`, '-t', fullName(image)];
  await run(engine, [...args, context], builderOf(engine));
}

/**
 * Returns the name under which an engine looks for an image. Podman would otherwise give the image
 * a name that Compose does not ask for.
 */
export function fullName(image: string): string {
  const [first, ...rest] = image.split('/');
  if (rest.length > 0 && first!.includes('.')) return image;
  return `docker.io/${rest.length > 0 ? image : `library/${image}`}`;
}

/**
 * Selects Docker's older builder if Docker's CLI lacks the plugin buildx, which the newer builder
 * needs.
 */
const builderOf = (engine: string): Record<string, string> =>
  engine === 'docker' && !doesAnswer('docker', 'buildx', 'version') ? { DOCKER_BUILDKIT: '0' } : {};

/**
 * Makes the file system of a small Debian, because a machine without a registry cannot fetch a base
 * image.
 */
async function rootFilesystem(say: Say): Promise<string> {
  if (!doesAnswer('mmdebstrap', '--version'))
    throw new Error('mmdebstrap is missing; install it (apt install mmdebstrap)');
  return once(`image-base-${SUITE}`, say, 'a Debian for the images (mmdebstrap)', async (dir) => {
    const users = USERS.map((user) => {
      const [name, id] = user.split(' ');
      return `--customize-hook=chroot "$1" useradd --system --user-group --uid ${id} ${name}`;
    });
    const options = ['--variant=minbase', `--include=${PACKAGES}`, ...users];
    await run('mmdebstrap', [...options, SUITE, join(dir, 'rootfs.tar')], {});
  });
}
