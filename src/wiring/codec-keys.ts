// Reads the keys of the codec that encrypts Temporal's payloads. The variable SLUICE_CODEC_KEYS
// names the place of each key, so that the variable itself contains no key.
import { readFileSync } from 'node:fs';
import { EncryptingCodec, KEY_BYTES, type CodecKey } from '../clients/payload-codec.js';
import { because, ok, type OrReason } from '../domain/values/or-reason.js';
import { read, type Environment } from './environment.js';

const ENTRY = /^([\w.-]{1,60})=(env|file):(.+)$/;

/**
 * Returns the codec that SLUICE_CODEC_KEYS defines, or null if the variable is not set. Adds a
 * sentence to `problems` for each mistake. The sentence never contains a key.
 */
export function readCodec(env: Environment, problems: string[]): EncryptingCodec | null {
  const entries = (read(env, 'SLUICE_CODEC_KEYS') ?? '').split(';').filter((one) => one !== '');
  const keys = entries.flatMap((entry) => {
    const found = readKey(entry, env);
    if (found.ok) return [found.value];
    problems.push(`SLUICE_CODEC_KEYS: ${found.reason}`);
    return [];
  });
  const [first, ...others] = keys;
  if (new Set(keys.map(({ id }) => id)).size < keys.length)
    problems.push('SLUICE_CODEC_KEYS: two keys have the same id');
  return first ? new EncryptingCodec([first, ...others]) : null;
}

/** Returns a key, or the reason why it cannot be read. */
function readKey(entry: string, env: Environment): OrReason<CodecKey> {
  const [, id, kind, place] = ENTRY.exec(entry) ?? [];
  if (id === undefined || place === undefined)
    return because('each entry must be ID=env:NAME or ID=file:PATH');
  let text: string | undefined;
  try {
    text = kind === 'env' ? env[place] : readFileSync(place, 'utf8');
  } catch (error) {
    return because(`key ${id}: ${(error as Error).message}`);
  }
  if (text === undefined) return because(`key ${id}: variable ${place} is not set`);
  const key = Buffer.from(text.trim(), 'base64');
  return key.length === KEY_BYTES
    ? ok({ id, key })
    : because(
        `key ${id} has ${key.length} bytes after base64 decoding, but needs ${KEY_BYTES}; make one with: openssl rand -base64 ${KEY_BYTES}`,
      );
}
