import { reversal } from "../../packages/rnn/src/loop/reversal.ts";
import { forwardRuns } from "./forwardRuns.ts";

/** A run of one step, as it is drawn. */
interface Run {
  readonly step: number;
  readonly kind: "first" | "again" | "reverse";
}

/** A state that is kept: before which step, and from which run to which. */
interface KeptState {
  readonly before: number;
  readonly from: number;
  readonly to: number;
}

/** What the picture says in numbers. */
export interface Reversal {
  readonly svg: string;
  readonly runs: number;
  readonly again: number;
  /** How often a step is run forward at most, before the run that is differentiated. */
  readonly times: number;
}

/** The runs of steps and the kept states of the schedule that the library follows. */
function played(steps: number, states: number): { runs: Run[]; kept: KeptState[] } {
  const runs: Run[] = [];
  const kept: KeptState[] = [];
  const since = new Map([[0, 0]]);
  const seen = new Set<number>();
  const run = (step: number, kind: Run["kind"]) => {
    runs.push({ step, kind: kind === "again" && !seen.has(step) ? "first" : kind });
    seen.add(step);
  };
  for (const made of reversal(steps, states)) {
    if (made.move === "advance") for (let i = made.from; i < made.to; i++) run(i, "again");
    else if (made.move === "reverse") run(made.at, "reverse");
    else if (made.move === "keep") since.set(made.at, runs.length);
    else if (made.move === "drop") {
      kept.push({ before: made.at, from: since.get(made.at)!, to: runs.length });
    }
  }
  return { runs, kept };
}

/**
 * The binomial schedule as a picture: runs from left to right, the steps of the sequence from top
 * to bottom, and a line for each state from when it is kept until it is dropped.
 */
export function reversalFigure(steps: number, states: number): Reversal {
  const { runs, kept } = played(steps, states);
  const [width, left, top] = [688, 46, 8];
  const wide = Math.min(16, (width - left - 8) / runs.length);
  const high = Math.min(16, 320 / steps);
  const [x, y] = [(i: number) => left + i * wide, (step: number) => top + step * high];
  const gap = Math.min(1, wide / 4);
  const parts = runs.map(
    ({ step, kind }, i) =>
      `<rect class="${kind}" x="${round(x(i))}" y="${round(y(step) + 1)}" width="${round(wide - gap)}" height="${round(high - 2)}"/>`,
  );
  for (const { before, from, to } of kept) {
    const line = `M${round(x(from))} ${round(y(before))}H${round(x(to))}`;
    parts.push(`<path class="kept" d="${line}"/>`);
    parts.push(`<circle class="kept" cx="${round(x(from))}" cy="${round(y(before))}" r="2.5"/>`);
  }
  for (const step of [1, steps]) {
    parts.push(
      `<text x="${left - 8}" y="${round(y(step - 0.5) + 4)}" text-anchor="end">${step}</text>`,
    );
  }
  const height = round(y(steps) + 24);
  parts.push(`<text x="${left}" y="${height - 4}">time of work \u2192</text>`);
  const label = `${states} kept states, ${steps} steps, ${runs.length} runs of a step`;
  const again = forwardRuns(steps, states);
  return {
    svg: `<svg class="reversal" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">${parts.join("")}</svg>`,
    runs: runs.length,
    again,
    times: Math.max(...Array.from({ length: steps }, (_, step) => timesOf(runs, step))),
  };
}

function timesOf(runs: readonly Run[], step: number): number {
  return runs.filter((run) => run.step === step && run.kind !== "reverse").length;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
