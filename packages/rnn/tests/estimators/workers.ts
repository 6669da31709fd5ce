// What the workers of the tests do: sums of randomly cut windows over their rows.
import { type Communicator, rng } from "@chronograd/nn";
import { shard } from "@chronograd/nn/parallel";
import { artbp } from "../../src/estimators.ts";
import { numbers, problem, total } from "../truncated/setup.ts";

export interface Given {
  readonly compile: boolean;
  /** Whether the last worker has a step less. */
  readonly isShorter?: boolean;
}

export function run(communicator: Communicator, { compile, isShorter = false }: Given) {
  const { cell, params, steps, loss } = problem("gru", 24, 3, 6);
  const { rank } = communicator;
  const own = steps.map((step) => shard(step, communicator));
  const stream = isShorter && rank === 1 ? own.slice(0, -1) : own;
  // Generators that differ: that of rank 0 counts.
  const draws = rng(7 + rank);
  const options = { steps: 3, draws, loss, compile, communicator };
  const windows = Array.from(
    artbp(cell, params, stream, options),
    ({ gradients, losses, end }) => ({
      gradient: numbers(gradients),
      losses: [...losses],
      end,
    }),
  );
  return {
    gradient: total(windows.map(({ gradient }) => gradient)),
    losses: windows.flatMap(({ losses }) => losses),
    ends: windows.map(({ end }) => end),
  };
}

export default (communicator: Communicator, all: readonly Given[]) =>
  all.map((given) => {
    try {
      return run(communicator, given);
    } catch (error) {
      return { message: (error as Error).message };
    }
  });
