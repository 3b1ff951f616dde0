// Checks what the formats of the topics require: a schema registry, and converters at Kafka
// Connect. Also checks the login to the registry, the names of columns, and whether the converter
// keeps NULLs. JSON requires nothing.
import { readTable } from '../../clients/postgres/catalog.js';
import { readSource, type SourceClient } from '../../clients/postgres/connection.js';
import { converterClass, keepsNulls } from '../../connectors/converters.js';
import { capturedColumns } from '../../compare/write-debezium-json.js';
import type { RegistrySpec } from '../../domain/migration/cluster-access.js';
import type { Check } from '../../domain/evidence/check.js';
import type { Asking } from '../objects/owned-kind.js';
import { classify } from '../runtime/application-failure.js';
import { attempt, failed, passed, type Answer } from '../runtime/make-finding.js';

const AVRO_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export async function checkRegistry(asking: Asking, isSourceReached: boolean): Promise<Check[]> {
  const { spec } = asking.plan;
  const { format, registry } = spec.kafka;
  if (!registry) return [];
  const ofTables = converterClass(format, registry);
  const ofSink =
    spec.sink && spec.pipeline ? converterClass(spec.pipeline.output.format, registry) : null;
  const classes = new Set([ofTables, ofSink].filter((name) => name !== null));
  return [
    await isReachable(asking, registry),
    ...loginInClear(registry),
    ...(await Promise.all(
      [...classes].map((name) => attempt('registry.converter', () => isInstalled(asking, name))),
    )),
    ...(ofTables !== null && isSourceReached ? await columnChecks(asking) : []),
  ];
}

async function isReachable({ systems, plan }: Asking, { url }: RegistrySpec): Promise<Check> {
  try {
    await systems.kafka(plan).registry?.check();
    return passed('registry.reachable', '', `the schema registry at ${url} answers`);
  } catch (error) {
    const { message, remedy } = classify(error);
    return failed('registry.reachable', '', message, remedy);
  }
}

/** Refuses a login over http, because anyone on the network could read it. */
function loginInClear({ auth, url }: RegistrySpec): Check[] {
  if (!auth || url.startsWith('https:')) return [];
  const remedy =
    'use an https URL; waive registry.auth if the network itself is encrypted, or if the registry runs on this machine';
  return [
    failed('registry.auth', '', 'kafka.registry.auth over http is sent in clear text', remedy),
  ];
}

async function isInstalled({ systems, plan }: Asking, className: string): Promise<Answer> {
  if ((await systems.connect(plan).pluginClasses('all')).includes(className))
    return `${className} is installed`;
  return {
    detail: `the converter ${className} is not installed at Kafka Connect`,
    remedy:
      'put the converter on the plugin.path of every Connect worker, and restart these workers; or name another kafka.registry.converter; or use the format json',
  };
}

/** Refuses columns that Avro or the converter cannot carry. */
function columnChecks({ secret, plan }: Asking): Promise<Check[]> {
  return readSource(plan, secret, async (client) => {
    const odd: string[] = [];
    const defaults: string[] = [];
    for (const { text, sql } of plan.tables) {
      const columns = (await readTable(client, text))?.columns ?? [];
      for (const column of capturedColumns(columns, plan.capture))
        if (!AVRO_NAME.test(column.name)) odd.push(`${text}.${column.name}`);
      for (const name of await nullableDefaults(client, sql)) defaults.push(`${text}.${name}`);
    }
    return [
      odd.length === 0
        ? passed('registry.names', '', 'Avro can carry the names of all columns')
        : failed(
            'registry.names',
            '',
            `Avro allows only letters, digits and _ in names: ${odd.join(', ')}`,
            'rename the columns, or use kafka.format: json',
          ),
      keepsNulls(plan.spec.kafka) || defaults.length === 0
        ? passed('registry.defaults', '', 'the converter writes NULL as NULL')
        : failed(
            'registry.defaults',
            '',
            `the converter writes the default of a column instead of NULL: ${defaults.join(', ')}`,
            'make the columns NOT NULL, drop their defaults, use converter confluent, or kafka.format: json; waive registry.defaults if they never contain NULL',
          ),
    ];
  });
}

/** Returns the columns of a table that allow NULL and have a default. */
async function nullableDefaults(client: SourceClient, table: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0
       AND NOT attisdropped AND atthasdef AND NOT attnotnull AND attgenerated = '' ORDER BY attnum`,
    [table],
  );
  return rows.map(({ name }) => name);
}
