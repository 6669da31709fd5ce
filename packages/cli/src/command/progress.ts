import { MultiBar, Presets, type SingleBar } from "cli-progress";

/** What `io.progress` takes. */
export interface ProgressOptions {
  /** The value of `done` at the end. */
  readonly total: number;
  /** What is counted: "s", "epochs", "windows". */
  readonly unit: string;
}

/** Shows how far long work is: a bar on a terminal, a line every few seconds in a pipe. */
export interface Progress {
  /** Says what is done, and facts such as the loss. */
  update(done: number, facts?: string): void;
  stop(): void;
}

/** Lines of text, from where a bar may stand below them. */
export interface Lines {
  say(line: string): void;
  progress(options: ProgressOptions): Progress;
}

const amount = (value: number) =>
  Number.isInteger(value) ? value.toLocaleString("en") : value.toFixed(1);

/** A terminal, where a bar redraws itself. */
export function terminalLines(stream: NodeJS.WriteStream): Lines {
  let bars: MultiBar | undefined;
  return {
    say(line) {
      if (bars === undefined) stream.write(`${line}\n`);
      else bars.log(`${line}\n`);
    },
    progress({ total, unit }) {
      bars = new MultiBar(
        {
          format: "{bar} {done} of {all} {unit}{facts}",
          barsize: 20,
          hideCursor: true,
          gracefulExit: false,
          stream,
        },
        Presets.shades_classic,
      );
      const fixed = { unit, all: amount(total) };
      const bar: SingleBar = bars.create(total, 0, { ...fixed, done: "0", facts: "" });
      return {
        update(done, facts = "") {
          const at = Math.min(total, done);
          bar.update(at, { ...fixed, done: amount(at), facts: facts && ` | ${facts}` });
        },
        stop() {
          bars?.stop();
          bars = undefined;
        },
      };
    },
  };
}

/** A pipe, where each line is complete. */
export function pipeLines(stream: NodeJS.WritableStream, everySeconds = 5): Lines {
  const say = (line: string) => void stream.write(`${line}\n`);
  return {
    say,
    progress({ total, unit }) {
      let next = 0;
      return {
        update(done, facts = "") {
          const now = performance.now();
          if (now < next && done < total) return;
          next = now + 1000 * everySeconds;
          const at = amount(Math.min(total, done));
          say(`${at} of ${amount(total)} ${unit}${facts && ` | ${facts}`}`);
        },
        stop() {},
      };
    },
  };
}
