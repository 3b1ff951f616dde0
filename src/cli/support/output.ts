// Writes data to stdout, and progress and errors to stderr. With JSON output, an error also goes to
// stdout. JSON is the stable interface; text is for people.
import { Problem } from '../../domain/failure.js';
import { errorText } from '../../domain/values/error-text.js';
import { printable, printableLines } from '../../domain/values/foreign-text.js';

export type Format = 'text' | 'json' | 'jsonl' | 'yaml';
export const FORMATS: readonly Format[] = ['text', 'json', 'jsonl', 'yaml'];

/** The exit codes. Scripts rely on them, so they never change. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  findings: 3,
  unreachable: 4,
  timeout: 5,
  endedOtherwise: 6,
  interrupted: 130,
} as const;

/** Says what each exit code means, for the reference page. */
export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: 'The verb did what it was asked.',
  failed:
    'The verb failed, or the run refused the request. `doctor`, `prove`, `window` and `report verify` also end with this code if they found a problem.',
  usage: 'The arguments or the spec are wrong.',
  findings:
    '`compare` found differences, `worker --check-replay` found a run that does not replay, or, with `--exit-code`, `diff` or `assess` found something or `plan` printed a plan.',
  unreachable: 'A system does not answer, or denies the login or a permission.',
  timeout: 'The time limit passed before the condition held.',
  endedOtherwise: 'The run ended, but not with the awaited outcome.',
  interrupted:
    'The verb was interrupted by Ctrl-C. `compare` and `prove` also end with this code after SIGTERM.',
};

/** An error with its exit code and the commands that may help, if there are any. */
export class CliError extends Error {
  readonly exitCode: number;
  readonly code: string;
  readonly next: readonly string[];
  constructor(exitCode: number, code: string, message: string, next: readonly string[] = []) {
    super(message);
    this.exitCode = exitCode;
    this.code = code;
    this.next = next;
  }
}

export async function print(value: unknown, format: Format, asText: () => string): Promise<void> {
  if (format === 'json') write(JSON.stringify(value, null, 2));
  else if (format === 'jsonl')
    for (const line of Array.isArray(value) ? value : [value]) write(JSON.stringify(line));
  else if (format === 'yaml') write((await import('yaml')).stringify(value).trimEnd());
  else write(asText());
}

/**
 * Writes text to stdout, with control characters escaped so that they cannot affect a terminal.
 * HTML pages escape their text themselves.
 */
export const write = (text: string): void => void process.stdout.write(`${printableLines(text)}\n`);
export const say = (text: string): void => void process.stderr.write(`${printableLines(text)}\n`);
/**
 * Joins lines. It escapes line ends inside each line, so that quoted text cannot begin a new line.
 */
export const asLines = (lines: readonly string[]): string => lines.map(printable).join('\n');

/**
 * Waits until all output is written. Without this wait, a slow reader of a pipe would lose the end
 * of the output when the process exits.
 */
export const written = (): Promise<void> =>
  new Promise((resolve) =>
    process.stdout.write('', () => process.stderr.write('', () => resolve())),
  );

/**
 * Exits quietly if the reader closes the pipe, as in `sluice ... | head`. If the output cannot be
 * written for another reason, such as a full disk, says so and exits with code 1.
 */
export function endIfOutputEnds(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok);
    say(`error: the output cannot be written: ${error.message}`);
    process.exit(EXIT.failed);
  });
  // If stderr is closed, nothing can report this. The exit code still says what happened.
  process.stderr.on('error', () => undefined);
}

/** Prints any error for the user, and returns the exit code. */
export function fail(error: unknown, format: Format): number {
  const shown = toCliError(error);
  if (format === 'json' || format === 'jsonl')
    write(
      JSON.stringify(
        { error: { code: shown.code, message: shown.message, next: shown.next } },
        null,
        format === 'json' ? 2 : 0,
      ),
    );
  say(`error: ${shown.message.replaceAll('\n', '\n    ')}`);
  for (const command of shown.next) say(`  → ${command.replaceAll('\n', '\n    ')}`);
  return shown.exitCode;
}

function toCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (error instanceof Problem) {
    const exitCode =
      error.code === 'unreachable' || error.code === 'permission-denied'
        ? EXIT.unreachable
        : error.code === 'spec-invalid'
          ? EXIT.usage
          : EXIT.failed;
    return new CliError(exitCode, error.code, error.message, [error.remedy]);
  }
  const { code, severity } = (error ?? {}) as { code?: unknown; severity?: unknown };
  const isNetwork =
    typeof code === 'string' && /^(ECONN|ENOTFOUND|EAI_|ETIMEDOUT|EHOSTUNREACH)/.test(code);
  // Errors of other databases are handled earlier, so this error is from the ledger's database.
  if (
    isNetwork ||
    (severity !== undefined && typeof code === 'string' && /^(28|3D|08|57P|53|42501)/.test(code))
  )
    return new CliError(
      EXIT.unreachable,
      'unreachable',
      `the ledger ${isNetwork ? 'does not answer' : `refuses the ${code.startsWith('28') ? 'login' : 'request'}`}: ${errorText(error)}`,
      ['check SLUICE_LEDGER_URL'],
    );
  return new CliError(EXIT.failed, 'unexpected', errorText(error));
}

export { columns as table } from '../../report/escape.js';
