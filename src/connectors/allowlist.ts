// Extra connector keys a spec may set. Closed list: everything else could run SQL, load classes or silently lose rows.

const ALLOWED: Readonly<Record<string, string>> = {
  'max.batch.size': 'records a batch',
  'max.queue.size': 'records queued',
  'poll.interval.ms': 'pause between polls',
  'snapshot.fetch.size': 'rows a fetch of the initial snapshot',
  'snapshot.max.threads': 'threads of the initial snapshot',
  'status.update.interval.ms': 'how often the slot position is confirmed',
  'heartbeat.interval.ms': 'heartbeat',
  'extended.headers.enabled': 'true for the context headers that lineage tools read',
  'slot.max.retries': 'retries to attach to the slot',
  'slot.retry.delay.ms': 'pause between those retries',
  'database.password': 'only a ${provider:...} placeholder',
  'database.sslrootcert': 'path on the Connect worker',
  'database.tcpKeepAlive': 'true or false',
  'errors.max.retries': 'retries of retriable errors',
  'retriable.restart.connector.wait.ms': 'pause before a retriable restart',
};

const PLACEHOLDER = /^\$\{[a-z]+:[^}]+\}$/;

/** Problems of `connector.config`, with paths below the spec. */
export function checkExtraConfig(config: Readonly<Record<string, string>>): { path: string[]; message: string }[] {
  const problems: { path: string[]; message: string }[] = [];
  for (const [key, value] of Object.entries(config)) {
    const path = ['spec', 'connector', 'config', key];
    if (!Object.hasOwn(ALLOWED, key)) {
      problems.push({ path, message: `"${key}" is not on the list of keys a spec may set (${Object.keys(ALLOWED).join(', ')})` });
    } else if (key === 'database.password' && !PLACEHOLDER.test(value)) {
      problems.push({ path, message: 'a literal password is not allowed: use a placeholder of a config provider, like ${env:NAME}' });
    } else if (key !== 'database.password' && value.includes('${')) {
      problems.push({ path, message: 'placeholders are only allowed for database.password' });
    }
  }
  return problems;
}
