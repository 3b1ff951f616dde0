// `npm run stack -- up [--secure] [--with flink,registry,toxiproxy] | down | reset | status | env |
// logs NAME | images | secure-env`
import { parseArgs } from 'node:util';
import { secureEnvironment } from './compose-secure.js';
import { buildImages } from './images.js';
import { stackHome } from './paths.js';
import {
  OPTIONAL_SERVICES,
  down,
  environment,
  lastLogLines,
  reset,
  status,
  up,
  type OptionalService,
} from './stack.js';

const USAGE = `usage: npm run stack -- up [--secure] [--with flink,registry,toxiproxy] | down | reset | status | env | logs NAME | images | secure-env
  up       start Postgres, Kafka, Kafka Connect and Temporal; returns when all are ready
           --secure          TLS, logins and ACLs everywhere: three brokers, two Connect workers
           --with flink      also a Flink session cluster and its SQL Gateway (needs Python 3 with pip the first time)
           --with registry   also a schema registry, and its Avro converter in Kafka Connect
           --with toxiproxy  also Toxiproxy, which causes network faults
  down     stop them; data stays in .stack/
  reset    stop them and delete their data
  status   list what runs, with pid and address
  env      print export lines for your shell: eval "$(npm run -s stack -- env)"
  logs     print the last log lines of one service
in containers, \`docker compose up --wait\` starts the same servers at the same addresses (docker-compose.yml):
  images       build the images of that file from the parts of this stack, for a machine that reaches no image registry
  secure-env   print export lines for docker-compose.secure.yml; make its certificates and passwords the first time
environment: SLUICE_STACK_NAME (default "default"), SLUICE_STACK_PORT_BASE (default 17400), SLUICE_CACHE_DIR,
  SLUICE_PG_MAJOR (14 to 18, default 17, for a new stack), SLUICE_PG_BIN (the bin folder of an installed Postgres)`;

const say = (line: string): void => void process.stderr.write(`stack: ${line}\n`);

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      with: { type: 'string' },
      secure: { type: 'boolean', default: false },
      lines: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  const verb = positionals[0];
  if (values.help) return print(USAGE);
  const wanted = (values.with ?? '').split(',').filter((name) => name !== '');
  const optional = wanted.filter((name): name is OptionalService =>
    (OPTIONAL_SERVICES as readonly string[]).includes(name),
  );
  if (optional.length < wanted.length) {
    return fail(
      `--with ${wanted.find((name) => !optional.includes(name as OptionalService))}: no such service; the services are ${OPTIONAL_SERVICES.join(', ')}`,
    );
  }
  if (wanted.length > 0 && verb !== 'up')
    return fail('--with belongs to `up`; added services stay until `reset`');
  if (values.secure && verb !== 'up')
    return fail('--secure belongs to `up`; the stack stays secured until `reset`');
  const home = stackHome();
  if (verb === 'up') {
    const started = Date.now();
    await up(home, say, optional, { secure: values.secure });
    say(
      `"${home.name}" is up after ${((Date.now() - started) / 1000).toFixed(1)} s; Temporal Web UI http://127.0.0.1:${home.ports.temporalUi}`,
    );
    return 0;
  }
  if (verb === 'down') return down(home, say).then(() => 0);
  if (verb === 'reset') return reset(home, say).then(() => 0);
  if (verb === 'status')
    return print(
      status(home)
        .map(
          (s) =>
            `${s.service.padEnd(20)} ${s.state.padEnd(8)} ${String(s.pid ?? '-').padEnd(8)} ${s.address ?? ''}`,
        )
        .join('\n'),
    );
  if (verb === 'env') return print(exportsOf(environment(home)));
  if (verb === 'secure-env') return print(exportsOf(secureEnvironment()));
  if (verb === 'images') return buildImages(say).then(() => 0);
  if (verb === 'logs')
    return positionals[1]
      ? print(lastLogLines(home, positionals[1], Number(values.lines ?? 80)))
      : fail('logs needs the name of a service');
  return fail(verb ? `unknown command "${verb}"` : 'no command');
}

/** Returns the lines with which a shell exports the variables. */
const exportsOf = (variables: Readonly<Record<string, string>>): string =>
  Object.entries(variables)
    .map(([key, value]) => `export ${key}='${value.replaceAll("'", `'\\''`)}'`)
    .join('\n');

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

function fail(problem: string): number {
  process.stderr.write(`stack: ${problem}\n${USAGE}\n`);
  return 2;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`stack: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
