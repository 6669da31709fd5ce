// What the workers of the test do: run the windows of their rows, with noise of their own.
import { type Tensor, tensor } from "@chronograd/autodiff";
import { type Communicator, rng, selfCommunicator } from "@chronograd/nn";
import { shard } from "@chronograd/nn/parallel";
import { truncated } from "../../src/index.ts";
import { type AnyParams, numbers } from "../truncated/setup.ts";
import { noisyCells } from "./noisy.ts";
import { normal, paramsOf } from "./setup.ts";

export interface Given {
  readonly name: string;
  readonly compile: boolean;
}

const steps = Array.from({ length: 9 }, (_, t) => ({
  input: normal([4, 2], 2 * t),
  target: normal([4, 3], 2 * t + 1),
}));

/** The gradients and the losses of all windows, of the rows of one worker or of all. */
export function windowsOf(
  { name, compile }: Given,
  rows: Pick<Communicator, "rank" | "size">,
  communicator: Communicator = selfCommunicator,
) {
  const cell = noisyCells[name]!;
  const params = paramsOf(cell, 1) as AnyParams;
  const own = steps.map((step) => shard(step, rows as Communicator));
  const options = {
    k1: 2,
    k2: 4,
    compile,
    communicator,
    rng: rng(7, `noise of worker ${rows.rank}`),
    loss: (y: Tensor, target: Tensor) => y.sub(target).square(),
  };
  return Array.from(truncated(cell, params, own, options), ({ gradients, losses }) =>
    numbers({ gradients, losses: tensor([...losses], { dtype: "float64" }) }),
  );
}

export default (communicator: Communicator, given: readonly Given[]): unknown =>
  given.map((each) => windowsOf(each, communicator, communicator));
