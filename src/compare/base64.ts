// Decodes bytes that a record contains as base64.
import { Undecodable } from './undecodable.js';

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Decodes a text. Throws Undecodable if the text is not base64 with padding. Node's own decoder
 * skips characters that are not base64, so a damaged text could be decoded to the right bytes.
 */
export function base64Bytes(text: string): Buffer {
  if (text.length % 4 !== 0 || !BASE64.test(text)) throw new Undecodable('expected base64');
  return Buffer.from(text, 'base64');
}
