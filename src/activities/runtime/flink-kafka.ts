// Finds the Java package of Kafka's client in Flink, because the options of Flink's tables must
// name its classes.
import type { FlinkSession } from '../../clients/http/flink-gateway.js';
import type { FlinkKafka } from '../../connectors/flink-compare.js';
import {
  CLIENT_PACKAGES,
  flinkLogin,
  namesClasses,
  providerClass,
  type ClientPackage,
} from '../../connectors/flink-login.js';
import { Problem } from '../../domain/failure.js';
import { kafkaOfEngine, type EngineSpec } from '../../domain/migration/engine-access.js';

/**
 * Returns the options for a session's tables. Throws Problem `unsupported` if the login needs
 * classes of Kafka's client, and Flink lacks them.
 */
export async function flinkKafka(
  session: Pick<FlinkSession, 'hasClass'>,
  spec: EngineSpec,
): Promise<FlinkKafka> {
  const kafka = kafkaOfEngine(spec);
  const client = namesClasses(kafka) ? await clientPackage(session) : CLIENT_PACKAGES[0];
  return { brokers: kafka.brokers, login: flinkLogin(kafka, client) };
}

async function clientPackage(session: Pick<FlinkSession, 'hasClass'>): Promise<ClientPackage> {
  for (const name of CLIENT_PACKAGES) if (await session.hasClass(providerClass(name))) return name;
  throw new Problem(
    'unsupported',
    `Flink's SQL Gateway has no Kafka client: none of ${CLIENT_PACKAGES.map((name) => providerClass(name)).join(', ')} is in its class path`,
    "put flink-sql-connector-kafka into the lib folder of the gateway and of Flink's other processes",
  );
}
