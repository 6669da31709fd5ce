import { detach, Tape, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { elman, type TimeStep } from "../../src/index.ts";
import type { WindowsFunction } from "../../src/testing.ts";

export const model = elman({ input: 2, hidden: 3 });
type Model = typeof model;

/** Steps of two rows, fixed by the seed. */
export function stepsOf(T: number, seed = 1): TimeStep[] {
  const random = rng(seed, "steps");
  const draw = (columns: number): Tensor =>
    tensor(
      Float64Array.from({ length: 2 * columns }, () => random.normal()),
      { shape: [2, columns] },
    );
  return Array.from({ length: T }, () => ({ input: draw(2), target: draw(3) }));
}

export function loss(y: Tensor, target: Tensor): Tensor {
  return y.sub(target).square();
}

/** Where a window lies by definition. */
interface Span {
  readonly index: number;
  readonly start: number;
  readonly newFrom: number;
  readonly end: number;
}

/** What an implementation does otherwise than the definition of `"carry"`, `"new"`, `"sum"` says. */
export interface Bug {
  /** Where the state is held constant. */
  readonly cut?: (span: Span) => number;
  /** How often the loss of a step counts. */
  readonly counts?: (t: number, span: Span) => number;
  /** Which generation of weights a step runs with. */
  readonly age?: (t: number, span: Span, k1: number) => number;
  /** Steps whose weights are constants. */
  readonly isConstant?: (t: number, span: Span) => boolean;
  /** Steps before which the state is held constant too. */
  readonly isDetached?: (t: number, span: Span) => boolean;
  /** What becomes of a gradient, given those of the windows before. */
  readonly after?: (gradient: Gradient, before: readonly Gradient[], span: Span) => Gradient;
}

type Gradient = { W: Tensor; U: Tensor; b: Tensor };

/** Windows written out from the definition, on a new tape each, with a bug. */
export function planted(
  bug: Bug = {},
): WindowsFunction<Model["params"], Model["state"], Tensor, Tensor, Tensor> {
  return function* (cell, params, steps, { k1, k2, loss: lossOf, state: initial }) {
    const generations: Gradient[] = [];
    const before: Gradient[] = [];
    for (let newFrom = 0, index = 0; newFrom < steps.length; newFrom += k1, index++) {
      generations.push(tree.map(params(), (x: Tensor) => x.clone()));
      const end = Math.min(newFrom + k1, steps.length);
      const span = { index, start: Math.max(0, end - k2), newFrom, end };
      const age = (t: number) => bug.age?.(t, span, k1) ?? Math.ceil(t / k1) - 1;
      const cut = bug.cut?.(span) ?? span.start;
      let state = initial!;
      for (let t = 1; t <= cut; t++) {
        [, state] = cell.step(generations[age(t)]!, steps[t - 1]!.input, state);
      }
      const tape = new Tape();
      const today = tape.watch(generations[index]!);
      const watched = generations.map((weights) => tape.watch(weights, { as: today }));
      const losses: Tensor[] = [];
      for (let t = cut + 1; t <= end; t++) {
        const { input, target } = steps[t - 1]!;
        const weights = bug.isConstant?.(t, span) ? generations[age(t)]! : watched[age(t)]!;
        if (bug.isDetached?.(t, span)) state = tree.map(state, (x: Tensor) => detach(x));
        const [y, next] = cell.step(weights, input, state);
        state = next;
        const often = bug.counts?.(t, span) ?? (t > newFrom ? 1 : 0);
        if (often !== 0) losses.push((lossOf(y, target) as Tensor).sum().mul(often));
      }
      const gradient = tape.gradient(losses, today);
      const gradients = bug.after?.(gradient, before, span) ?? gradient;
      before.push(gradients);
      yield { gradients };
    }
  };
}

export function added(a: Gradient, b: Gradient): Gradient {
  return tree.zip(a, b, (x, y) => x.add(y));
}
