import type { CommandWords, FlagWords } from "./words.ts";

/** Text between single quotes, with what `_arguments` reads as signs taken as letters. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const plain = (text: string): string => text.replace(/[[\]:]/g, "\\$&");

/** A flag as `_arguments` takes it: `--steps[time steps]:value:_files`. */
function argument({ flag, text, takesValue, values, files }: FlagWords): string {
  const named = `(${values.join(" ")})`;
  const both = `{compadd -- ${values.join(" ")}; _files}`;
  const action = values.length === 0 ? "_files" : files ? both : named;
  return quoted(`*${flag}[${plain(text)}]${takesValue ? `:value:${action}` : ""}`);
}

/** A completion script for zsh. */
export function zsh(program: string, commands: readonly CommandWords[]): string {
  const names = commands.map(
    ({ name, summary }) => `    ${quoted(`${name}:${summary.replaceAll(":", "\\:")}`)}`,
  );
  const cases = commands.map(({ name, flags, words }) => {
    const rest = quoted(`*:argument:${words.length > 0 ? `(${words.join(" ")})` : "_files"}`);
    return `    ${name}) _arguments ${[...flags.map(argument), rest].join(" ")} ;;`;
  });
  return `#compdef ${program}
# Completion for zsh: eval "$(${program} completion zsh)"
_${program}() {
  local -a commands
  commands=(
${names.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command="$words[2]"
  shift words
  (( CURRENT-- ))
  case "$command" in
${cases.join("\n")}
  esac
}
compdef _${program} ${program}
`;
}
