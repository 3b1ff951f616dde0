// Chooses the converters with which Debezium writes to the topics of the tables, and with which the
// sink reads the pipeline's output. A registry's password stays a placeholder, which Kafka Connect
// resolves.
import type { KafkaSpec, Login, RegistrySpec } from '../domain/migration/cluster-access.js';
import {
  tableFormatOf,
  type RecordFormat,
  type TableFormat,
} from '../domain/migration/topic-format.js';
import { placeholder } from './kafka-client-properties.js';

const JSON_CONVERTER = 'org.apache.kafka.connect.json.JsonConverter';

/** Without the second setting, the converter writes a column's default where the row has NULL. */
const JSON_SETTINGS = { 'schemas.enable': 'false', 'replace.null.with.default': 'false' };

/**
 * Matches the path of the Confluent-compatible API in an Apicurio URL. Sluice calls this API, but
 * Apicurio's converter calls Apicurio's own API.
 */
const CCOMPAT = /\/apis\/ccompat\/v\d+\/?$/;

interface AvroConverter {
  readonly className: string;
  /** False if the converter writes a column's default instead of NULL. */
  readonly keepsNulls: boolean;
  /** Returns why this converter cannot use the registry. Null if it can. */
  readonly problem: (registry: RegistrySpec) => { key: keyof RegistrySpec; message: string } | null;
  readonly config: (registry: RegistrySpec) => Record<string, string>;
}

const AVRO: Readonly<Record<RegistrySpec['converter'], AvroConverter>> = {
  confluent: {
    className: 'io.confluent.connect.avro.AvroConverter',
    keepsNulls: true,
    problem: () => null,
    config: ({ url, auth, ca }) => ({
      'schema.registry.url': url,
      // otherwise a column's default would replace NULL
      'ignore.default.for.nullables': 'true',
      ...(auth ? confluentLogin(auth) : {}),
      ...(ca === undefined
        ? {}
        : {
            'schema.registry.ssl.truststore.type': 'PEM',
            'schema.registry.ssl.truststore.location': ca,
          }),
    }),
  },
  apicurio: {
    className: 'io.apicurio.registry.utils.converter.AvroConverter',
    keepsNulls: false,
    problem({ url, auth, ca }) {
      if (!CCOMPAT.test(url))
        return {
          key: 'url',
          message: `"${url}" is not the Confluent API of an Apicurio registry; end it with /apis/ccompat/v7`,
        };
      if (auth && 'tokenFrom' in auth)
        return {
          key: 'auth',
          message:
            'the Apicurio converter cannot send a token; use { username, passwordFrom }, or converter confluent',
        };
      if (ca !== undefined)
        return {
          key: 'ca',
          message:
            'the Apicurio converter reads no PEM file; add the CA to the trust store of the Kafka Connect workers and of this worker, and omit ca',
        };
      return null;
    },
    config: ({ url, auth }) => ({
      'apicurio.registry.url': url.replace(CCOMPAT, '/apis/registry/v2'),
      'apicurio.registry.auto-register': 'true',
      // the wire format of Confluent: a zero byte, then four bytes with the id of the schema
      'apicurio.registry.as-confluent': 'true',
      'apicurio.registry.use-id': 'contentId',
      'apicurio.registry.headers.enabled': 'false',
      ...(auth && 'username' in auth
        ? {
            'apicurio.auth.username': auth.username,
            'apicurio.auth.password': placeholder(auth.passwordFrom),
          }
        : {}),
    }),
  },
};

function confluentLogin(auth: Login): Record<string, string> {
  return 'tokenFrom' in auth
    ? {
        'bearer.auth.credentials.source': 'STATIC_TOKEN',
        'bearer.auth.token': placeholder(auth.tokenFrom),
      }
    : {
        'basic.auth.credentials.source': 'USER_INFO',
        'basic.auth.user.info': `${auth.username}:${placeholder(auth.passwordFrom)}`,
      };
}

/** Returns why the converter of the spec cannot use its registry. Null if it can. */
export const registryProblem = (
  registry: RegistrySpec,
): { key: keyof RegistrySpec; message: string } | null =>
  AVRO[registry.converter].problem(registry);

/**
 * Returns the class of the converter that must be installed for a format. Null if Kafka Connect
 * includes it.
 */
export const converterClass = (
  format: RecordFormat | undefined,
  registry: RegistrySpec | undefined,
): string | null => (format === 'avro' && registry ? AVRO[registry.converter].className : null);

/** Returns whether the converter writes NULL as it is, even in a column with a default. */
export const keepsNulls = ({ registry }: KafkaSpec): boolean =>
  registry === undefined || AVRO[registry.converter].keepsNulls;

/**
 * The converters of the source connector. There is no default: the code does not compile if a new
 * format has no entry. So a new format cannot get the JSON converter by mistake.
 */
const OF_SOURCE: Readonly<
  Record<TableFormat, (registry: RegistrySpec | undefined) => Record<string, string>>
> = {
  json: () => both(JSON_CONVERTER, JSON_SETTINGS),
  avro(registry) {
    if (!registry) throw new Error('format avro needs kafka.registry'); // the parser refuses it
    const { className, config } = AVRO[registry.converter];
    return {
      ...both(className, config(registry)),
      // schema names contain the topics' prefix, and Avro allows fewer characters in a name than
      // Kafka allows in a topic
      'schema.name.adjustment.mode': 'avro',
    };
  },
};

/** Returns the settings of the connector's key and value converters. */
export const converterConfig = (
  kafka: Pick<KafkaSpec, 'format' | 'registry'>,
): Record<string, string> => OF_SOURCE[tableFormatOf({ kafka })](kafka.registry);

/** Returns the settings of the converters of a sink, which reads a topic in this format. */
export function sinkConverterConfig(
  format: RecordFormat,
  registry: RegistrySpec | undefined,
): Record<string, string> {
  // the sink refuses records without schemas
  if (format !== 'avro' || !registry) return both(JSON_CONVERTER, { 'schemas.enable': 'true' });
  const { className, config } = AVRO[registry.converter];
  return both(className, config(registry));
}

const both = (
  className: string,
  config: Readonly<Record<string, string>>,
): Record<string, string> =>
  Object.fromEntries(
    ['key.converter', 'value.converter'].flatMap((side) => [
      [side, className],
      ...Object.entries(config).map(([name, value]) => [`${side}.${name}`, value]),
    ]),
  ) as Record<string, string>;
