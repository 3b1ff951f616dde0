// Runs several Temporal workers as one. If one of them fails, all end, and its error is thrown.
import { GracefulShutdownPeriodExpiredError, type Worker } from '@temporalio/worker';

type Served = Pick<Worker, 'run' | 'shutdown' | 'getState'>;

/**
 * Runs the workers until all have ended. If one worker fails, the others shut down before the error
 * is thrown, because they still use the same connection. Activities that outlast the shutdown are
 * not an error, because Temporal starts them again on another worker. `say` receives a line about
 * such activities.
 */
export async function serve(
  workers: readonly Served[],
  say: (line: string) => void,
): Promise<void> {
  const ended = await Promise.allSettled(
    workers.map((worker) =>
      worker.run().catch((error: unknown) => {
        for (const other of workers) if (other.getState() === 'RUNNING') other.shutdown();
        throw error;
      }),
    ),
  );
  const errors = ended.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : []));
  const fatal = errors.find((error) => !(error instanceof GracefulShutdownPeriodExpiredError));
  if (fatal) throw fatal;
  if (errors.length > 0)
    say('some activities did not end in time; Temporal starts them again on another worker');
}
