/** Lines that stay, and what is going on now: rewritten in place on a terminal, silent in a pipe. */
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
