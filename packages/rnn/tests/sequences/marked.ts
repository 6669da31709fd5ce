import { detach, scope, Tape, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { initialState, type TimeStep } from "../../src/index.ts";
import {
  type AnyParams,
  type AnyState,
  type Numbers,
  numbers,
  type Problem,
} from "../truncated/setup.ts";

/** Which rows of which steps there are, and which are reset: `[t - 1][row]`. */
export interface Table {
  readonly mask: readonly (readonly number[])[];
  readonly resets: readonly (readonly number[])[];
}

/** A random table; some steps have no row, and some rows no step. */
export function table(T: number, B: number, seed: number): Table {
  const random = rng(seed, "marks");
  const share = [0.2, 0.6, 0.9][random.integer(0, 3)]!;
  const isGone = Array.from({ length: B }, () => random.uniform() < 0.2);
  const of = (what: (row: number) => boolean) =>
    Array.from({ length: T }, () => Array.from({ length: B }, (_, row) => (what(row) ? 1 : 0)));
  return {
    mask: of((row) => !isGone[row] && random.uniform() < share),
    resets: of(() => random.uniform() < 0.2),
  };
}

const int32 = (values: readonly number[]): Tensor => tensor(Int32Array.from(values));

/** The steps with their marks; NaN where a row has no step. */
export function marked(p: Problem, { mask, resets }: Table): TimeStep[] {
  return p.steps.map((step, i) => {
    const present = int32(mask[i]!);
    const poisoned = (x: Tensor): Tensor =>
      tensor(
        Float64Array.from(x.toTypedArray(), (value, at) =>
          mask[i]![Math.floor(at / x.shape[1]!)] === 1 ? value : Number.NaN,
        ),
        { shape: x.shape },
      );
    return {
      input: poisoned(step.input),
      target: poisoned(step.target),
      mask: present,
      reset: int32(resets[i]!),
    };
  });
}

export interface Found {
  readonly gradients: Numbers;
  /** Of steps start + 1 to end. */
  readonly losses: readonly number[];
  readonly outputs: readonly (readonly (readonly number[] | undefined)[])[];
  readonly states: readonly Numbers[];
}

/**
 * By the definition: each row runs alone, and only the steps that it has; a reset gives it a new
 * initial state. The gradient is that of the weighted losses after step `start`.
 */
export function rowsAlone(
  { cell, params, steps, loss }: Problem,
  { mask, resets }: Table,
  start: number,
  end: number,
  weight: (t: number) => number,
): Found {
  return scope(() => {
    const B = steps[0]!.input.shape[0]!;
    const tape = new Tape();
    const watched = tape.watch(params) as AnyParams;
    const terms: Tensor[] = [];
    const losses = new Array<number>(end - start).fill(0);
    const outputs = Array.from({ length: end }, () => new Array<number[] | undefined>(B));
    const states: Numbers[] = [];
    for (let row = 0; row < B; row++) {
      const fresh = () => initialState(cell, 1, { dtype: "float64" }) as AnyState;
      const own = (x: Tensor) => x.slice([[row, row + 1]]);
      let state = fresh();
      for (let t = 1; t <= end; t++) {
        if (t === start + 1) state = tree.map(state, (x: Tensor) => detach(x)) as AnyState;
        if (resets[t - 1]![row] === 1) state = fresh();
        if (mask[t - 1]![row] !== 1) continue;
        const { input, target } = steps[t - 1]!;
        const [output, next] = cell.step(t > start ? watched : params, own(input), state);
        state = next;
        outputs[t - 1]![row] = [...output.toTypedArray()];
        const value = loss(output, own(target)).sum();
        if (t <= start) continue;
        losses[t - 1 - start]! += value.item();
        if (weight(t) !== 0) terms.push(value.mul(weight(t)));
      }
      states.push(numbers(state));
    }
    const gradients =
      terms.length === 0
        ? tree.map(params, (x: Tensor) => x.mul(0))
        : tape.gradient(terms, watched);
    return { gradients: numbers(gradients), losses, outputs, states };
  });
}
