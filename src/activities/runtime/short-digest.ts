// Shortens a value to a text that a person can compare with another one.
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../domain/values/canonical-json.js';

/** Returns 12 hexadecimal digits. The order of the keys of an object does not change them. */
export const shortDigest = (value: unknown): string =>
  createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 12);
