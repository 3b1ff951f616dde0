// Tests that no verb ignores an option: a combination with an option that would have no effect is
// refused before the verb begins.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { runCommand } from '../../src/cli/program/run-command.js';

async function run(line: string): Promise<{ exitCode: number; said: string }> {
  const said: string[] = [];
  const hear = (text: unknown): boolean => said.push(String(text)) > 0;
  const spies = [process.stderr, process.stdout].map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation(hear),
  );
  try {
    return { exitCode: await runCommand(line.split(' ')), said: said.join('') };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
afterEach(() => void vi.unstubAllEnvs());

describe('a verb', () => {
  it.each([
    ['plan --rehearse x --exit-code', "'--exit-code' cannot be used with option '--rehearse <id>'"],
    ['report verify x.html --show-values', "'--show-values' would be ignored"],
    ['report verify x.html -o html', "'-o, --output <format>' would be ignored"],
    ['worker -o json', "'-o, --output <format>' would be ignored: without --check-replay"],
  ])('refuses an option that would have no effect: %s', async (line, error) => {
    const { exitCode, said } = await run(line);
    expect(said).toContain(error);
    expect(exitCode).toBe(2);
  });
  it('does not refuse the format in SLUICE_OUTPUT, which applies to all verbs', async () => {
    vi.stubEnv('SLUICE_OUTPUT', 'json');
    const { said } = await run('report verify no-such-file.html');
    expect(said).toContain('no-such-file.html');
    expect(said).not.toContain('would be ignored');
  });
});
