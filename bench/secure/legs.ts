// Connects to the secured brokers of the benchmark in two ways (legs). One uses TLS and a login.
// The other uses a listener in plain text, which only the benchmark adds.
import { KafkaPort } from '../../src/clients/kafka/kafka.js';
import type { KafkaSpec } from '../../src/domain/migration/cluster-access.js';
import { stackHome, type StackHome } from '../../stack/paths.js';
import { securePorts, securedOf } from '../../stack/secure.js';
import { TOPIC } from '../validation/data.js';

export const LEGS = ['plain text', 'SASL_SSL'] as const;
export type Leg = (typeof LEGS)[number];
export const FORMATS = ['json', 'avro'] as const;
export type Format = (typeof FORMATS)[number];

export const topicOf = (format: Format): string => `${TOPIC}.${format}`;

const plainPort = ({ ports }: StackHome, broker: number): number => ports.registry + 1 + broker;

/**
 * Returns the settings that add the listener in plain text to a broker. The broker's file of
 * settings already has some of them; Kafka uses the last value of each. A client without a login is
 * the user ANONYMOUS. Here, this user is a super user, so such a client may do everything.
 */
export function plainListener(home: StackHome, at: number): string {
  const { client, inner, controller } = securePorts(home).brokers[at]!;
  const plain = `PLAIN://127.0.0.1:${plainPort(home, at)}`;
  const others = `SASL_SSL://127.0.0.1:${client},BROKER://127.0.0.1:${inner}`;
  return `listeners=${others},CONTROLLER://127.0.0.1:${controller},${plain}
advertised.listeners=${others},${plain}
listener.security.protocol.map=CONTROLLER:SSL,BROKER:SSL,SASL_SSL:SASL_SSL,PLAIN:PLAINTEXT
super.users=User:CN=kafka;User:admin;User:ANONYMOUS
`;
}

export function openLeg(leg: Leg, format: Format): KafkaPort {
  const home = stackHome();
  const { ca, passwords } = securedOf(home)!;
  const { brokers } = securePorts(home);
  const access: Partial<KafkaSpec> =
    leg === 'plain text'
      ? { brokers: brokers.map((_, at) => `127.0.0.1:${plainPort(home, at)}`), tls: false }
      : {
          brokers: brokers.map(({ client }) => `127.0.0.1:${client}`),
          tls: { ca },
          sasl: {
            mechanism: 'scram-sha-512',
            username: 'admin',
            passwordFrom: { env: 'BENCH_ADMIN' },
          },
        };
  const registry = { url: process.env['REGISTRY_URL']!, ca, converter: 'apicurio' } as const;
  const spec = { ...access, replication: 1, partitions: 1, format, registry } as KafkaSpec;
  return new KafkaPort(spec, () => passwords.admin);
}
