import { scope, stack, type Tensor } from "@chronograd/autodiff";
import type { Cell } from "../cell.ts";
import { likeParams } from "../initial.ts";
import { runStep } from "../runStep.ts";
import { checkRng, drawNoise, type Noise } from "../sequences/noise.ts";
import { type SequenceModel, unroll } from "../unroll.ts";
import { around, masked, type NoiseAround } from "./around.ts";
import { isAtOnce } from "./inTurn.ts";

/** What happens to the input and the output of a layer. */
interface Between {
  /** Whose errors are said to be. */
  readonly where: string;
  /** Whether the output is added to the input. */
  readonly residual: boolean;
  /** What the input is multiplied by, but not the residual. */
  readonly mask: Noise | undefined;
}

/** A layer `y = layer(x mask)`, or `x + layer(x mask)`. */
export function layerOn<Params, State>(
  layer: Cell<Params, State> | SequenceModel<Params, State>,
  { where, residual, mask }: Between,
): Cell<Params, State> | SequenceModel<Params, State> {
  const added = (x: Tensor, y: Tensor): Tensor => {
    if (!residual) return y;
    if (x.shape.join() === y.shape.join()) return x.add(y);
    throw new RangeError(
      `${where}: a residual needs an output of the shape of the input, got [${y.shape}] for [${x.shape}]; give the layers one width, or leave residual out`,
    );
  };
  const unrollOn: SequenceModel<Params, State>["unroll"] = (params, inputs, options = {}) =>
    scope(() => {
      const x = inputs as Tensor;
      const { rng } = options;
      checkRng("unroll", { noise: mask }, rng);
      let seen = x;
      if (mask !== undefined && rng != null) {
        const like = likeParams(params);
        const drawn: Tensor[] = [];
        for (let t = 0; t < x.shape[0]!; t++) {
          drawn.push(drawNoise(mask, rng, x.shape[1]!, like, drawn.at(-1)) as Tensor);
        }
        seen = masked(where, x, stack(drawn));
      }
      const { outputs, state } = unroll(layer, params, seen, options);
      return { outputs: added(x, outputs), state };
    });
  if (!("step" in layer)) {
    return { ...layer, noise: { cell: layer.noise, input: mask }, unroll: unrollOn };
  }
  const cell = around(layer, { input: mask }, (params, x, state, noise) => {
    const own = noise as NoiseAround<{ readonly input?: Tensor }> | undefined;
    const seen = own?.input === undefined ? x : masked(where, x, own.input);
    const [y, next] = runStep(layer, params, seen, state, own?.cell);
    return [added(x, y), next];
  });
  return isAtOnce(layer) ? { ...cell, unroll: unrollOn } : cell;
}
