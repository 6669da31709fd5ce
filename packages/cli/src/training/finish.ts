import { basename } from "node:path";
import { counted } from "../command/counted.ts";
import { RunError } from "../command/errors.ts";
import { page } from "../report/page.ts";
import { trainingSections } from "../report/trainingFigures.ts";
import type { RunFolder } from "../run/folder.ts";
import type { Outcome } from "./loop.ts";
import { metricsCsv } from "./metrics.ts";
import type { DecidedOptions } from "./options.ts";
import type { Evaluation, Figure, Findings, Task } from "./task.ts";

/** What `result.json` of a training run says. */
export interface TrainResult {
  readonly figures: readonly Figure[];
  /** Mean loss over all of what is held out; null where nothing is. */
  readonly heldOut: number | null;
  readonly unit: string;
  readonly parameters: number;
  readonly windows: number;
  readonly steps: number;
  readonly seconds: number;
  readonly seed: number;
}

/** A run that has ended. */
export interface Ended {
  readonly options: DecidedOptions;
  readonly task: Task;
  readonly outcome: Outcome;
  readonly evaluation: Evaluation;
  readonly sample: Findings | undefined;
}

/** Writes what a run leaves beside its checkpoint, and closes its folder. */
export async function finish(folder: RunFolder, ended: Ended): Promise<TrainResult> {
  const { options, task, outcome, evaluation, sample } = ended;
  const { metrics, parameters, windows, steps, seconds } = outcome;
  const result: TrainResult = {
    figures: evaluation.figures,
    heldOut: evaluation.loss ?? null,
    unit: task.unit,
    parameters,
    windows,
    steps,
    seconds: Number(seconds.toFixed(3)),
    seed: options.seed,
  };
  const { k1, clip } = options;
  const report = page({
    title: `${task.title}, learnt by truncated back-propagation through time`,
    facts: factsOf(basename(folder.path), ended),
    sections: [
      ...trainingSections(metrics, { unit: task.unit, clip, k1 }),
      ...evaluation.sections,
      ...(sample?.sections ?? []),
    ],
  });
  await folder.write("report.html", report);
  await folder.write("result.json", `${JSON.stringify(result, null, 2)}\n`);
  if (options.csvMetrics) await folder.write("metrics.csv", metricsCsv(metrics));
  return result;
}

/** Throws a `RunError` where a held-out loss is not finite. */
export function checkLoss(run: string, { loss, lines }: Evaluation): void {
  if (loss === undefined || Number.isFinite(loss)) return;
  throw new RunError(`${run}: ${lines.join("; ")}`);
}

function factsOf(name: string, { options, outcome, evaluation }: Ended): string[] {
  const { hidden, layers, batch, k1, k2, clip, lr, warmup, decay, seed } = options;
  const { parameters, windows, steps, seconds } = outcome;
  const count = (n: number) => n.toLocaleString("en");
  const size = `${layers > 1 ? `${layers} layers of ` : ""}${hidden} hidden units`;
  return [
    `${name}: ${basename(options.cell)}, ${size}, ${count(parameters)} parameters`,
    `batch ${batch}, k1 = ${k1}, k2 = ${k2}, clip ${clip}, seed ${seed}`,
    `Adam, learning rate ${lr}, up over ${warmup} windows, down to 0 over the last ${Math.round(100 * decay)} % of the run`,
    `${counted(windows, "window")}, ${counted(steps, "time step")} in ${seconds.toFixed(0)} s of training`,
    ...(options.localUpdates === undefined
      ? []
      : [
          `averages every ${counted(options.localUpdates, "window")}; losses and norms of gradients are means over those`,
        ]),
    ...evaluation.lines,
  ];
}
