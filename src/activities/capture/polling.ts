// Implements the capture `jdbc-source`. Its mark contains the time or the id (or both) of the
// newest row of each table. In mode bulk, the mark contains a snapshot instead. The facts, on which
// evidence depends, are the connectors' sessions at the source.
import { readSource, type SourceClient } from '../../clients/postgres/connection.js';
import type { Column } from '../../clients/postgres/catalog.js';
import { notCapturable } from '../../compare/unseen-by-polling.js';
import { jdbcSourceConfig, polledFrom } from '../../connectors/jdbc-source.js';
import type { PollingPlan } from '../../domain/capture/capture.js';
import { Problem } from '../../domain/failure.js';
import { NOT_RUNNING, type Facts } from '../../domain/evidence/epoch.js';
import { taskFact } from '../../domain/evidence/fact-rules.js';
import { quoteLiteral } from '../../domain/migration/names.js';
import type { ResolvedPlan } from '../../domain/plan/resolved-plan.js';
import type { CaptureAdapter, SettledSubject, WantedConnector } from './capture-adapter.js';
import { rowsAhead } from './polling/polled-clock.js';
import { installedPlugin, polledShape } from './polling/polled-shape.js';
import { checkPolling } from './polling/polling-checks.js';
import { markPolled } from './polling/polling-mark.js';

const APPLICATION_NAME_LENGTH = 63; // the server truncates longer names

export const pollingCapture: CaptureAdapter<PollingPlan> = {
  checks: checkPolling,

  async connectors(deps, plan, { polling }, only) {
    const plugin = await installedPlugin(deps, plan);
    return readSource(plan, deps.secret, async (client) => {
      const wanted: WantedConnector[] = [];
      for (const capture of plan.captures) {
        if (only !== undefined && capture.connector !== only) continue;
        const shape = await polledShape(client, polling, capture);
        const config = jdbcSourceConfig(plan, polling, capture, shape, plugin);
        refuseReferences(capture.connector, config);
        wanted.push({ name: capture.connector, connectorClass: plugin.connectorClass, config });
      }
      return wanted;
    });
  },

  mark: markPolled,

  state: async (client, plan) => ({ facts: await taskFacts(client, plan), problem: null }),

  async settled(client, plan, { polling }) {
    const subjects: SettledSubject[] = [];
    for (const capture of plan.captures) {
      const { columns, key } = await polledShape(client, polling, capture);
      subjects.push({
        subject: capture.subject,
        topic: capture.topic,
        sql: `SELECT * FROM ${polledFrom(polling, capture)}`,
        columns: columns as Column[],
        key,
        notCapturable: (shape) => notCapturable(polling, shape),
      });
    }
    return subjects;
  },

  /** Describes rows whose time is in the future. They seem to be missing but are not lost. */
  whyMissing: (client, subject, { polling }) => rowsAhead(client, polling, subject),
};

/** The settings of a connector that contain SQL, or names that the owner of the source chooses. */
const FROM_THE_SOURCE = ['query', 'transforms.key.fields', 'incrementing.column.name'];
/** Matches what Kafka Connect replaces with a value of its config providers. */
const REFERENCE = /\$\{[^}]*:[^}]*\}/;

/**
 * Throws if one of these settings contains such a reference. Kafka Connect could replace it with a
 * secret, and send the secret to the source as a part of the query.
 */
export function refuseReferences(name: string, config: Readonly<Record<string, string>>): void {
  const key = FROM_THE_SOURCE.find((one) => REFERENCE.test(config[one] ?? ''));
  if (key !== undefined)
    throw new Problem(
      'unsupported',
      `connector ${name}: its ${key} contains \${...:...}, which Kafka Connect would replace with a value of its config providers`,
      'rename the table or column that contains it, or write it in two parts in connector.query',
    );
}

/**
 * Finds the database session of each polling connector by its application name. A different backend
 * process means that the connector's task has restarted.
 */
async function taskFacts(client: SourceClient, plan: ResolvedPlan): Promise<Facts> {
  const facts: Record<string, string> = {};
  for (const name of plan.sourceConnectors) {
    const { rows } = await client.query<Record<string, string>>(
      `SELECT pid FROM pg_stat_activity WHERE application_name = ${quoteLiteral(name.slice(0, APPLICATION_NAME_LENGTH))} AND datname = current_database() ORDER BY pid`,
    );
    const pids = rows.map((row) => row['pid']).join(' ');
    facts[taskFact(name === plan.names.connector ? '' : name)] =
      pids === '' ? NOT_RUNNING : `backend ${pids}`;
  }
  return facts;
}
