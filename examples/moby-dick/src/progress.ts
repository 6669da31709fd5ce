import { MultiBar, Presets, type SingleBar } from "cli-progress";
import { bits, type Metrics } from "./metrics.ts";

/** Shows a run: a bar that redraws itself on a terminal, a line every few seconds in a pipe. */
export interface Progress {
  update(metrics: Metrics, smoothedLoss: number, end: number): void;
  /** Prints a separate line. */
  say(line: string): void;
  stop(): void;
}

function facts({ gradientNorm, charactersPerSecond }: Metrics, loss: number): string {
  const rate = Math.round(charactersPerSecond).toLocaleString("en");
  return `loss ${loss.toFixed(3)} nats (${bits(loss).toFixed(3)} bits) | gradient ${gradientNorm.toFixed(3)} | ${rate} chars/s`;
}

function terminalProgress(): Progress {
  let loss = "";
  const bars = new MultiBar(
    {
      format: "{bar} {percentage}% | {facts} | {left} s left",
      barsize: 20,
      hideCursor: true,
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
  let bar: SingleBar | undefined;
  return {
    update(metrics, smoothedLoss, end) {
      loss = facts(metrics, smoothedLoss);
      bar ??= bars.create(end, 0, { facts: loss, left: "" });
      const left = Math.max(0, end - metrics.seconds).toFixed(0);
      bar.setTotal(end);
      bar.update(Math.min(end, metrics.seconds), { facts: loss, left });
    },
    say: (line) => bars.log(`${line}\n`),
    stop: () => bars.stop(),
  };
}

function pipeProgress(everySeconds: number): Progress {
  let next = 0;
  return {
    update(metrics, smoothedLoss, end) {
      if (metrics.seconds < next) return;
      next = metrics.seconds + everySeconds;
      const left = Math.max(0, end - metrics.seconds).toFixed(0);
      console.log(
        `${metrics.seconds.toFixed(0).padStart(4)} s | ${facts(metrics, smoothedLoss)} | ${left} s left`,
      );
    },
    say: (line) => console.log(line),
    stop() {},
  };
}

export function makeProgress(): Progress {
  return process.stdout.isTTY ? terminalProgress() : pipeProgress(5);
}
