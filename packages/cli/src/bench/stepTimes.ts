import { compile, scope, Tape, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { initialParams, NotLoopable, unroll } from "@chronograd/rnn";
import type { PlainCell } from "../modules/loadCell.ts";

/** A training step to measure: so many time steps of so many rows. */
export interface BenchCase {
  readonly cell: PlainCell;
  /** Shape of a row of the input. */
  readonly row: readonly number[];
  readonly steps: number;
  readonly batch: number;
  /** How long each way is measured. */
  readonly seconds: number;
}

/** Milliseconds of a training step, each the median of several. */
export interface StepTimes {
  readonly recorded: number;
  /** `null` where the cell cannot be compiled. */
  readonly compiled: number | null;
  /** What making the plan takes, once. */
  readonly planning: number;
  /** The loss of the step. */
  readonly loss: number;
}

/** The loss of a sequence, and its gradient by the parameters. */
function gradientOf(cell: PlainCell) {
  return (params: unknown, inputs: Tensor) => {
    const tape = new Tape();
    const watched = tape.watch(params);
    const { outputs } = unroll(cell, watched, inputs);
    const losses = tree
      .leaves(outputs)
      .flatMap((y) => (y.dtype === "int32" ? [] : [y.square().sum()]));
    const loss = losses.reduce((total, part) => total.add(part));
    return { loss: tape.strip(loss), gradients: tape.gradient(loss, watched) };
  };
}

/** Times a training step as it is recorded, and as a plan. */
export function stepTimes({ cell, row, steps, batch, seconds }: BenchCase): StepTimes {
  return scope(() => {
    const random = rng(1, "bench");
    const shape = [steps, batch, ...row];
    const size = shape.reduce((n, length) => n * length, 1);
    const inputs = tensor(
      Float32Array.from({ length: size }, () => random.normal()),
      { shape },
    );
    const params = initialParams(cell, rng(1)) as unknown;
    const gradient = gradientOf(cell);
    const planned = compile(gradient as (params: never, inputs: Tensor) => { loss: Tensor });
    const timed = (f: () => void): number => {
      const start = performance.now();
      scope(f);
      return performance.now() - start;
    };
    const planning = timed(() => void planned(params as never, inputs));
    const isPlanned = isLoopable(() => unroll(cell, params, inputs, { compile: true }));
    return {
      recorded: medianOf(() => timed(() => void gradient(params, inputs)), seconds),
      compiled: isPlanned
        ? medianOf(() => timed(() => void planned(params as never, inputs)), seconds)
        : null,
      planning,
      loss: scope(() => gradient(params, inputs).loss.item()),
    };
  });
}

/** Whether steps can run as plans. */
function isLoopable(run: () => unknown): boolean {
  try {
    scope(run);
    return true;
  } catch (error) {
    if (error instanceof NotLoopable) return false;
    throw error;
  }
}

/** The median of times measured for some seconds, three of them at least, after one to warm up. */
function medianOf(time: () => number, seconds: number): number {
  const first = time();
  const times: number[] = [];
  for (let left = 1000 * seconds - first; left > 0 || times.length < 3; ) {
    const took = time();
    times.push(took);
    left -= took;
  }
  times.sort((a, b) => a - b);
  return times[Math.floor(times.length / 2)]!;
}
