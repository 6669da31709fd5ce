import type { CommandWords } from "./words.ts";

const quoted = (text: string): string =>
  `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

/** A completion script for fish. */
export function fish(program: string, commands: readonly CommandWords[]): string {
  const first = `not __fish_seen_subcommand_from ${commands.map(({ name }) => name).join(" ")}`;
  const lines = commands.flatMap(({ name, summary, flags, words }) => {
    const within = `complete -c ${program} -n ${quoted(`__fish_seen_subcommand_from ${name}`)}`;
    return [
      `complete -c ${program} -f -n ${quoted(first)} -a ${name} -d ${quoted(summary)}`,
      ...flags.map(({ flag, text, takesValue, values, files }) => {
        const value =
          values.length > 0
            ? ` ${files ? "-r -F" : "-x"} -a ${quoted(values.join(" "))}`
            : takesValue
              ? " -r"
              : "";
        return `${within} -l ${flag.slice(2)}${value} -d ${quoted(text)}`;
      }),
      ...(words.length > 0 ? [`${within} -f -a ${quoted(words.join(" "))}`] : []),
    ];
  });
  return `# Completion for fish: ${program} completion fish | source\n${lines.join("\n")}\n`;
}
