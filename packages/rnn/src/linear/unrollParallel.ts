import { concat, type MapTree, stack, Tensor, tree, zeros } from "@chronograd/autodiff";
import type { Cell, Values } from "../cell.ts";
import type { HiddenState } from "../cells/elman.ts";
import type { Unrolled, UnrollOptions } from "../unroll.ts";
import { scan } from "./scan.ts";

/** The marks of a whole sequence, `[T, B]`. */
interface Marks {
  readonly mask?: Tensor | undefined;
  readonly resets?: Tensor | undefined;
}

/**
 * `unroll` of a cell that is linear in its state, all steps at once; in the order of the options
 * that it has in common with the loop over steps.
 *
 * @throws when the cell is not linear in its state
 */
export function unrollParallel<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params>,
  inputs: Tensor | readonly X[],
  state: Values<State>,
  fresh: () => Values<State>,
  { reverse = false }: UnrollOptions<State>,
  { mask, resets }: Marks,
): Unrolled<State, Y> {
  const { linear } = cell;
  if (linear === undefined) {
    throw new TypeError(
      "unroll: parallel takes a cell that is linear in its state, such as minGru, minLstm, lru, or one of defineLinearCell, and this one is not; leave out the option",
    );
  }
  const stateOf = (given: Values<State>) => (given as Values<HiddenState>).h;
  const { outputs, last } = scan(linear, params, {
    inputs: inputs instanceof Tensor ? (inputs as X) : stacked(inputs),
    initial: stateOf(state),
    mask,
    resets: resets && reverse ? shifted(resets) : resets,
    fresh: resets && stateOf(fresh()),
    reverse,
  });
  return { outputs: outputs as MapTree<Y, Tensor>, state: { h: last } as Values<State> };
}

/** A reset lies between step t - 1 and step t: backwards, it comes before step t - 1. */
function shifted(resets: Tensor): Tensor {
  const { shape, dtype, backend } = resets;
  const none = zeros([1, shape[1]!], { dtype, backend });
  return concat([resets.slice([[1, shape[0]!]]), none]);
}

function stacked<X>(steps: readonly X[]): X {
  const columns = steps.map((step) => tree.leaves(step));
  let leaf = 0;
  return tree.map(steps[0]!, () => {
    const at = leaf++;
    return stack(columns.map((column) => column[at]!));
  }) as X;
}
