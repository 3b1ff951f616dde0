// Waits for the end of a scan of the tables that began after the initial load. Such a scan begins
// if the connector receives a signal late.
import type pg from 'pg';
import type { ConnectControl } from '../../../clients/http/connect-control.js';
import type { KafkaPort } from '../../../clients/kafka/kafka.js';
import {
  isScanning,
  type SnapshotNotification,
} from '../../../domain/capture/snapshot-progress.js';
import { Problem } from '../../../domain/failure.js';
import { pause } from '../../runtime/poll-until.js';
import type { Planned } from '../../runtime/with-plan.js';
import { SnapshotSignal } from './debezium-signal.js';
import { demandUnstopped, Failures } from './load-failures.js';
import { CHUNK_PAUSE_MS, LOOK_MS, readNotifications } from './log-load.js';

interface Systems {
  readonly rest: ConnectControl;
  readonly kafka: KafkaPort;
  readonly client: pg.ClientBase;
}

/**
 * Returns when the connector does not scan the tables. A connector that was stopped before it
 * committed its offset has forgotten the scan, and reports nothing more. After a long silence, this
 * function therefore signals another scan. Throws Problem `snapshot-failed` if even several signals
 * do not help.
 */
export async function untilScanEnds({ rest, kafka, client }: Systems, run: Planned): Promise<void> {
  const { connector } = run.plan.names;
  const signal = new SnapshotSignal(kafka, run, client);
  const failures = new Failures();
  const notifications: SnapshotNotification[] = [];
  let next = 0;
  let lookedAt = Date.now();
  for (;;) {
    next = await readNotifications(kafka, run.plan, next, notifications);
    if (!isScanning(notifications)) return;
    if (!signal.mayAskAgain)
      throw new Problem(
        'snapshot-failed',
        `connector ${connector} began to scan the tables again after the load, and does not report the end of this scan`,
        'sluice retry starts a new generation; sluice rollback ends the migration',
      );
    if (Date.now() - lookedAt >= LOOK_MS) {
      await failures.check(rest, connector);
      await demandUnstopped(rest, connector);
      lookedAt = Date.now();
    }
    await signal.advance(notifications, false);
    await pause(CHUNK_PAUSE_MS, { waitingFor: `the scan of connector ${connector}` });
  }
}
