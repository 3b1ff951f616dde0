// Changes a topic's cleanup policy for a moment, for corruptions that write a record without a key
// or delete records. In a compacted topic, brokers refuse both.
import kafkajs from 'kafkajs';
import { RETENTION_SETTINGS } from '../../../src/domain/plan/topic-settings.js';
import { sleepUntil } from '../../support/builders.js';
import type { Lab } from './lab.js';

type Settings = Readonly<Record<string, string>>;

/**
 * Sets the policy `delete`, and repeats `act` until the brokers allow it. Then restores the
 * settings.
 */
export async function notCompacted({ port }: Lab, topic: string, act: () => Promise<unknown>) {
  const settings = await settingsOf(port, topic);
  await setSettings(topic, { ...settings, 'cleanup.policy': 'delete' });
  const isDone = (): Promise<boolean> =>
    act().then(
      () => true,
      () => false,
    );
  await sleepUntil('the brokers have the new policy', isDone);
  await setSettings(topic, settings);
}

export async function settingsOf(port: Lab['port'], topic: string): Promise<Settings> {
  return (await port.describeTopics([topic], RETENTION_SETTINGS)).get(topic)!.settings;
}

const setSettings = (name: string, settings: Settings): Promise<void> =>
  withAdmin((admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name,
          configEntries: Object.entries(settings).map(([key, value]) => ({ name: key, value })),
        },
      ],
    }),
  );

export async function withAdmin(use: (admin: kafkajs.Admin) => Promise<unknown>): Promise<void> {
  const brokers = [process.env['KAFKA_BROKERS']!];
  const admin = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    await use(admin);
  } finally {
    await admin.disconnect();
  }
}
