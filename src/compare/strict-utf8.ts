// Decodes UTF-8, and refuses other bytes.
import { Undecodable } from './undecodable.js';

const REPLACEMENT = '\ufffd';
const STRICT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Returns the text. Throws Undecodable if the bytes are not UTF-8. Node's own decoder would write a
 * replacement character for such bytes. The other side could really have this character.
 */
export function utf8Text(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  if (!text.includes(REPLACEMENT)) return text;
  try {
    return STRICT.decode(bytes);
  } catch {
    throw new Undecodable('a text that is not UTF-8');
  }
}
