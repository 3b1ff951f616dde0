// Reads code blocks of the documentation, so that tests can run what the pages show.
import { readFileSync } from 'node:fs';

/** Returns the text of each code block in one of these languages. */
export function blocksOf(page: string, ...languages: string[]): string[] {
  return [...readFileSync(page, 'utf8').matchAll(/^```(\w*)\n([\s\S]*?)^```/gm)]
    .filter(([, language]) => languages.includes(language!))
    .map(([, , text]) => text!);
}

/**
 * Returns the `sluice` commands in a page's shell blocks and in blocks without a language. Omits
 * `sluice`, variables before it, and comments.
 */
export const commandsOf = (page: string): string[] =>
  blocksOf(page, 'sh', 'bash', '')
    .flatMap((text) => text.replaceAll('\\\n', ' ').split('\n'))
    .map((line) => /^(?:\w+=\S+ )*sluice +(.*?)(?: +#.*)?$/.exec(line.trim())?.[1])
    .filter((command) => command !== undefined);
