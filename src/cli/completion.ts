// sluice completion bash|zsh: prints a completion script, built from the declared verbs.
import type { Command } from 'commander';
import { CliError, EXIT, write } from './support/output.js';

export function completion(shell: string, program: Command): number {
  if (shell !== 'bash' && shell !== 'zsh')
    throw new CliError(EXIT.usage, 'usage', `no completion for "${shell}": expected bash or zsh`, [
      'sluice completion bash',
    ]);
  const verbs = program.commands.map((command) => ({
    name: command.name(),
    flags: [
      ...command.options
        .map((option) => option.long)
        .filter((long): long is string => long !== undefined && long !== null),
      '--help',
    ],
  }));
  const cases = verbs.map((v) => `    ${v.name}) words="${v.flags.join(' ')}" ;;`);
  const head = shell === 'zsh' ? ['autoload -U +X bashcompinit && bashcompinit'] : [];
  write(
    [
      ...head,
      '_sluice() {',
      '  local words current="${COMP_WORDS[COMP_CWORD]}"',
      `  if [ "$COMP_CWORD" -eq 1 ]; then words="${verbs.map((v) => v.name).join(' ')}"; else`,
      '    case "${COMP_WORDS[1]}" in',
      ...cases,
      '    *) words="" ;;',
      '    esac',
      '  fi',
      '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
      '}',
      'complete -o default -F _sluice sluice',
    ].join('\n'),
  );
  return EXIT.ok;
}
