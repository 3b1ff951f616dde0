// Provides the secrets that Kafka Connect and Sluice's worker share on a local stack. These are the
// passwords of the logins that the examples use, and every SLUICE_SECRET_* of the shell that starts
// the stack.
const EXAMPLE = {
  SLUICE_SECRET_SHOP: 'shop-local',
  SLUICE_SECRET_CAPTURE: 'capture-local',
} as const;

/**
 * Returns the secrets as variables. Kafka Connect gets only those that were exported before `npm
 * run stack -- up`. After a later export, run `down` and `up`.
 */
export function stackSecrets(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const own = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[0].startsWith('SLUICE_SECRET_') && entry[1] !== undefined,
  );
  return { ...EXAMPLE, ...Object.fromEntries(own) };
}
