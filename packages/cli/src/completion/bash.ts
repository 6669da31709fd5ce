import type { CommandWords } from "./words.ts";

/** A completion script for bash. */
export function bash(program: string, commands: readonly CommandWords[]): string {
  const values = commands.flatMap(({ name, flags }) =>
    flags
      .filter((flag) => flag.values.length > 0)
      .map(
        ({ flag, values, files }) =>
          `    "${name} ${flag}") words="${values.join(" ")}"; files=${files ? 1 : 0} ;;`,
      ),
  );
  const files = commands.flatMap(({ name, flags }) =>
    flags
      .filter((flag) => flag.takesValue && flag.values.length === 0)
      .map(({ flag }) => `"${name} ${flag}"`),
  );
  const cases = commands.map(
    ({ name, flags, words }) =>
      `    ${name}) flags="${flags.map(({ flag }) => flag).join(" ")}"; words="${words.join(" ")}" ;;`,
  );
  return `# Completion for bash: eval "$(${program} completion bash)"
_${program}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local command="\${COMP_WORDS[1]}" flags="" words="" files=0
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(" ")} --help --version" -- "$current"))
    return
  fi
  case "$command $previous" in
${values.join("\n")}
    ${files.join(" | ")}) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  if [ -n "$words" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    [ "$files" -eq 1 ] && COMPREPLY+=($(compgen -f -- "$current"))
    return
  fi
  case "$command" in
${cases.join("\n")}
  esac
  if [[ "$current" == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  elif [ -n "$words" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}
complete -o filenames -F _${program} ${program}
`;
}
