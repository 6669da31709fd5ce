import type { Tensor } from "@chronograd/autodiff";
import type { Values } from "../cell.ts";
import type { Unrolled, UnrollOptions } from "../unroll.ts";

/** A model that needs the whole sequence: it has no step, and `unroll` calls its own. */
export interface SequenceModel<Params, State, X = Tensor, Y = Tensor> {
  readonly params: Params;
  readonly state: State;
  unroll(
    params: Values<Params>,
    inputs: Tensor | readonly X[],
    options?: UnrollOptions<State>,
  ): Unrolled<State, Y>;
}
