// The failure of a login or a call that Kafka itself refuses.
import { Problem } from '../../domain/failure.js';

/**
 * Says that Kafka's brokers refuse a login or a call. A new connection to Kafka can help only after
 * this kind of `permission-denied`. A token issuer that refuses is a different case, because each
 * login asks the issuer again.
 */
export class KafkaDenied extends Problem {
  constructor(detail: string, remedy?: string) {
    super('permission-denied', detail, remedy);
  }
}
