// Defines the error for a login or a call that Kafka itself refuses.
import { Problem } from '../../domain/failure.js';

/**
 * Thrown if Kafka's brokers refuse a login or a call. After this error, a new connection to Kafka
 * can help. Other errors with the code `permission-denied` need no new connection. For example, if
 * a token issuer refuses, the next login asks the issuer again.
 */
export class KafkaDenied extends Problem {
  constructor(detail: string, remedy?: string) {
    super('permission-denied', detail, remedy);
  }
}
