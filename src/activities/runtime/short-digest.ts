// Shortens a value to a digest that a person can compare with another digest.
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../domain/values/canonical-json.js';

/** Returns 12 hexadecimal digits. They do not depend on the order of an object's keys. */
export const shortDigest = (value: unknown): string =>
  createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 12);
