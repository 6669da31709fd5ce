// What the workers of the test do: run the windows of their rows of a ragged batch.
import { tensor } from "@chronograd/autodiff";
import { type Communicator, selfCommunicator } from "@chronograd/nn";
import { shard } from "@chronograd/nn/parallel";
import { type LossReduction, type Stale, truncated } from "../../src/index.ts";
import { numbers, problem } from "../truncated/setup.ts";
import { marked, table } from "./marked.ts";

export interface Given {
  readonly seed: number;
  readonly compile: boolean;
  readonly stale: Stale;
  readonly reduction: LossReduction;
}

/** The windows of the rows of one worker, or of all. */
export function windowsOf(
  { seed, ...modes }: Given,
  communicator: Communicator = selfCommunicator,
): Record<string, number[]>[] {
  const p = problem("lstm", 7, seed, 4);
  const steps = marked(p, table(7, 4, seed)).map((step) => shard(step, communicator));
  const options = { ...modes, k1: 2, k2: 4, communicator, loss: p.loss };
  return Array.from(truncated(p.cell, p.params, steps, options), (w) =>
    numbers({
      gradients: w.gradients,
      losses: tensor([...w.losses], { dtype: "float64" }),
      counts: tensor([w.count, w.gradientCount], { dtype: "float64" }),
    }),
  );
}

export default (communicator: Communicator, given: readonly Given[]): unknown =>
  given.map((each) => windowsOf(each, communicator));
