// Reads and writes files that a person named, or that a spec or a portfolio names.
import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { CliError, EXIT } from './output.js';

/**
 * Returns the text of a file, without a byte order mark. Throws if the file cannot be read or is
 * not UTF-8. Node would replace bytes that are not UTF-8, and so silently change a query or a
 * name.
 */
export function readText(file: string): string {
  const bytes = readFileSync(file);
  if (!isUtf8(bytes)) throw new Error(`${notUtf8(bytes)}; save the file as UTF-8`);
  return bytes.toString('utf8').replace(/^\ufeff/, '');
}

/**
 * Returns the text of a file. If the file cannot be read, throws the error that `refusal` makes
 * from the reason. The reason is the operating system's error code, such as ENOENT, or names the
 * line that is not UTF-8.
 */
export function fileText(file: string, refusal: (reason: string) => CliError): string {
  try {
    return readText(file);
  } catch (error) {
    throw refusal((error as NodeJS.ErrnoException).code ?? (error as Error).message);
  }
}

/** Calls `write`. If it throws, throws an error that names the file. */
export function writing(file: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    throw new CliError(
      EXIT.failed,
      'not-written',
      `cannot write ${file}: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`,
    );
  }
}

/**
 * Names the first line with bytes that are not UTF-8. In UTF-8, the byte 0x0a is always a newline
 * and never a part of another character. So each line can be checked by itself.
 */
function notUtf8(bytes: Buffer): string {
  let line = 1;
  for (let from = 0; from < bytes.length; line += 1) {
    const newline = bytes.indexOf(0x0a, from);
    const end = newline < 0 ? bytes.length : newline + 1;
    if (!isUtf8(bytes.subarray(from, end))) break;
    from = end;
  }
  return `line ${line} is not UTF-8`;
}
