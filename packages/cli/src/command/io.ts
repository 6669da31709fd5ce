import {
  type Lines,
  type Progress,
  type ProgressOptions,
  pipeLines,
  terminalLines,
} from "./progress.ts";

/** How a command speaks to its user. */
export interface Io {
  /** Prints a line; with `--json` to the standard error, where it disturbs no program. */
  say(line: string): void;
  /** Shows how far long work is. */
  progress(options: ProgressOptions): Progress;
  /** The outcome as data, which `--json` prints. */
  result(value: unknown): void;
  /** True once the user asked to stop (Ctrl-C); a second time ends the program at once. */
  stopping(): boolean;
  /** True where text may have colours. */
  readonly color: boolean;
}

/** An `Io` of this process, and what ends it. */
export interface OwnIo extends Io {
  /** What `result` was given. */
  readonly outcome: unknown;
  close(): void;
}

/** Whoever read the lines may leave, as `head` does; there is nobody to tell. */
function passBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}

/** The `Io` of a process: bars and colours on a terminal unless CI or NO_COLOR say otherwise. */
export function processIo({ json }: { readonly json: boolean }): OwnIo {
  const stream = json ? process.stderr : process.stdout;
  const { CI, NO_COLOR } = process.env;
  const isTerminal = stream.isTTY === true && !CI;
  const lines: Lines = isTerminal ? terminalLines(stream) : pipeLines(stream);
  const running = new Set<Progress>();
  let stopping = false;
  let outcome: unknown;
  const signals = ["SIGINT", "SIGTERM"] as const;
  // A second signal does what it does without us: it ends the process, whatever runs.
  const stop = () => {
    stopping = true;
    for (const signal of signals) process.off(signal, stop);
  };
  for (const signal of signals) process.on(signal, stop);
  const outputs = [process.stdout, process.stderr];
  for (const each of outputs) {
    if (!each.listeners("error").includes(passBrokenPipe)) each.on("error", passBrokenPipe);
    each.on("error", stop);
  }
  // A user's module may print; with JSON on the standard output, that goes elsewhere.
  const { log } = console;
  if (json) console.log = console.error;
  return {
    say: lines.say,
    progress(options) {
      const progress = lines.progress(options);
      running.add(progress);
      return progress;
    },
    result(value) {
      outcome = value;
    },
    stopping: () => stopping,
    color: isTerminal && !NO_COLOR,
    get outcome() {
      return outcome;
    },
    close() {
      for (const progress of running) progress.stop();
      for (const signal of signals) process.off(signal, stop);
      for (const each of outputs) each.off("error", stop);
      console.log = log;
    },
  };
}
