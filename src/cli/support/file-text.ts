// Reads a file that a person named.
import { readFileSync } from 'node:fs';
import type { CliError } from './output.js';

/**
 * Returns the text of a file. If the file cannot be read, throws the error that `refusal` makes
 * from the system's code, such as ENOENT.
 */
export function fileText(file: string, refusal: (reason: string) => CliError): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw refusal((error as NodeJS.ErrnoException).code ?? (error as Error).message);
  }
}
