/**
 * Prints lines, and a last line with the present activity: overwritten in a terminal, absent in a
 * pipe.
 */
export interface Progress {
  say(line: string): void;
  status(text: string): void;
}

export function makeProgress(): Progress {
  const { stdout } = process;
  if (!stdout.isTTY) return { say: (line) => console.log(line), status() {} };
  const clear = "\r\u001b[K";
  let shown = "";
  return {
    say(line) {
      stdout.write(`${clear}${line}\n${shown}`);
    },
    status(text) {
      shown = text.slice(0, (stdout.columns || 80) - 1);
      stdout.write(`${clear}${shown}`);
    },
  };
}
