import { type Tensor, tree } from "@chronograd/autodiff";
import { UsageError } from "../command/errors.ts";
import type { Io } from "../command/io.ts";
import { numbersOf } from "../inspect/describe.ts";
import type { Task, Trained } from "../training/task.ts";
import { type InstrumentName, instrumentNames } from "./index.ts";
import { lookAt } from "./look.ts";
import { writeFlowPage } from "./page.ts";
import { stretchOf } from "./stretch.ts";

/** A trained model, and how much is looked at. */
export interface FlowOptions {
  /** The path of the run folder. */
  readonly run: string;
  readonly task: Task;
  readonly trained: Trained;
  /** Of the training. */
  readonly options: { readonly k1: number; readonly k2: number; readonly seed: number };
  /** Windows of training so far. */
  readonly windows: number;
  readonly steps: number | undefined;
  readonly rows: number;
  readonly tolerance: number;
  readonly only: readonly InstrumentName[];
}

/** How much is looked at, and with what, where nothing else is asked for. */
export const usualFlow: Pick<FlowOptions, "steps" | "rows" | "tolerance" | "only"> = {
  ...{ steps: undefined, rows: 4, tolerance: 0.1, only: instrumentNames },
};

/** Time steps where nothing else is asked for, unless k2 needs more. */
const usualSteps = 200;

/** Looks at a trained model, writes the page of its run, and says what it has found. */
export async function showFlow(flow: FlowOptions, io: Io): Promise<object> {
  const { run, task, trained, options, windows, rows, tolerance, only } = flow;
  checkFinite(run, trained.params);
  const { k1, k2, seed } = options;
  const steps = flow.steps ?? Math.max(usualSteps, 2 * k2);
  const looked = stretchOf(task, { steps, rows, isDefault: flow.steps === undefined });
  const subject = { ...looked, ...trained, loss: task.loss, k1, k2, tolerance, seed };
  const where = `${looked.steps.length.toLocaleString("en")} ${looked.part} time steps of ${looked.rows} ${looked.rows === 1 ? "row" : "rows"}`;
  io.say(`${run} after ${windows.toLocaleString("en")} windows, on ${where}`);
  const { found, refused } = await lookAt(subject, only, io);
  for (const { lines } of found.values()) for (const line of lines) io.say(line);
  for (const [name, why] of refused) io.say(`${name} shows nothing: ${why}`);
  const title = `How gradients flow in ${task.title}`;
  const facts = [`${run}, after ${windows.toLocaleString("en")} windows`, where];
  const page = await writeFlowPage(run, { found, refused }, { title, facts });
  io.say(`${page} has the pictures`);
  return {
    ...{ run, windows, part: looked.part, steps: looked.steps.length, rows: looked.rows, page },
    instruments: Object.fromEntries([...found].map(([name, { data }]) => [name, data])),
    refused: Object.fromEntries(refused),
  };
}

/** Throws a `UsageError` for a parameter with NaN or Infinity. */
function checkFinite(run: string, params: unknown): void {
  for (const [path, x] of tree.leavesWithPath(params) as [string, Tensor][]) {
    const { odd } = numbersOf({ data: x.toTypedArray(), shape: x.shape });
    if (odd[0] === undefined) continue;
    const { value, first } = odd[0];
    throw new UsageError(
      `${run}/model.safetensors: params.${path} is ${value} at [${first}]; nothing flows through such a model, train again`,
    );
  }
}
