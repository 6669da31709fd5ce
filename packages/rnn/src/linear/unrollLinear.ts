import { concat, detach, type Tensor, tree } from "@chronograd/autodiff";
import type { Cell, Values } from "../cell.ts";
import type { HiddenState } from "../cells/elman.ts";
import { joinTrees } from "../sequences/joinTrees.ts";
import { hasNoise } from "../sequences/noise.ts";
import type { Unrolling } from "../sequences/unrollSteps.ts";
import { scan } from "./scan.ts";

/**
 * How many rows are run at once: so many that a product of them is fast, and few enough that what
 * one op writes is in the cache when the next reads it.
 */
const rowsAtOnce = 2048;

/**
 * `unroll` of a cell that is linear in its state: stretches of many steps at once, one after the
 * other.
 *
 * @param inputs every tensor `[T, B, ...]`
 * @throws when the cell is not linear in its state
 */
export function unrollLinear<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  inputs: unknown,
  {
    params,
    warm,
    burnIn,
    reverse,
    marks: { mask, resets },
    context,
    rng,
    ...from
  }: Unrolling<Params, State>,
): { readonly outputs: unknown; readonly state: Values<State> } {
  const { linear } = cell;
  if (linear === undefined) {
    throw new TypeError(
      "unroll: parallel takes a cell that is linear in its state, such as minGru, minLstm, lru or one of defineLinearCell, and this one is not; leave out the option",
    );
  }
  if (rng != null && hasNoise(cell)) {
    throw new TypeError(
      "unroll: parallel runs the transition of the cell alone, and this one draws noise for its step; leave out the option, or evaluate with { rng: null }",
    );
  }
  for (const [name, values, axes] of [
    ["input", inputs, 2],
    ["context", context, 1],
  ] as const) {
    if (tree.leaves(values).every(({ rank }) => rank >= axes)) continue;
    throw new RangeError(
      `unroll: parallel needs a first axis of rows in every tensor of the ${name}, and one has none; leave out the option, or broadcastTo the rows`,
    );
  }
  const stateOf = (state: Values<State>): Tensor => (state as Values<HiddenState>).h;
  const [count, batch] = tree.leaves(inputs)[0]!.shape as [number, number];
  const freshOf = (weights: Values<Params>) => resets && stateOf(from.start(weights));
  const fresh = [freshOf(warm), burnIn === 0 ? undefined : freshOf(params)];
  const length = Math.max(1, Math.floor(rowsAtOnce / batch));
  let h = stateOf(from.state ?? from.start(warm));
  const outputs: Y[] = [];
  for (let done = 0; done < count; ) {
    const isWarm = done < burnIn;
    const end = Math.min(done + length, isWarm ? burnIn : count);
    const range: [number, number] = reverse ? [count - end, count - done] : [done, end];
    const part = (x: Tensor) => x.slice([range]);
    const steps = tree.map(inputs, part);
    const spread = (x: Tensor) => x.broadcastTo([end - done, ...x.shape]);
    const made = scan(linear, isWarm ? warm : params, {
      inputs: (context === undefined
        ? steps
        : { x: steps, context: tree.map(context, spread) }) as X,
      initial: burnIn > 0 && done <= burnIn ? detach(h) : h,
      mask: mask && part(mask),
      resets: resets && part(resets),
      fresh: isWarm || burnIn === 0 ? fresh[0] : fresh[1],
      reverse,
    });
    h = made.last;
    if (!isWarm) outputs[reverse ? "unshift" : "push"](made.outputs);
    done = end;
  }
  const whole = outputs.length === 1 ? outputs[0] : joinTrees(outputs, (parts) => concat(parts));
  return { outputs: whole, state: { h } as Values<State> };
}
