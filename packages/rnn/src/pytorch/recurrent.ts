import { concat, type Tensor, zeros } from "@chronograd/autodiff";
import { type Initializer, init } from "@chronograd/nn";
import type { Layout } from "./layout.ts";

/** What PyTorch calls the matrices of a cell; it has them transposed, `[outputs, inputs]`. */
const matrices = { W: "weight_ih", U: "weight_hh", Whr: "weight_hr" };

/** Where PyTorch has a parameter: before a name, after it, and whether there are biases. */
export interface Place {
  readonly prefix: string;
  readonly suffix: string;
  readonly hasBias: boolean;
}

/**
 * The layout of one layer, in one direction, of `nn.RNN`, `nn.LSTM` or `nn.GRU`.
 *
 * PyTorch adds two biases where a cell adds one: `b = bias_ih + bias_hh`. Only the candidate of a
 * GRU reads its recurrent bias apart: that is `bn`, and `b` has the input's there. Both biases have
 * the gradient of their sum.
 */
export function recurrentLayout(
  params: Readonly<Record<string, Initializer>>,
  gates: number,
  { prefix, suffix, hasBias }: Place,
): Layout {
  const hidden = params.b!.shape[0]! / gates;
  const at = (name: string) => `${prefix}${name}${suffix}`;
  const [biasOfInput, biasOfState] = [at("bias_ih"), at("bias_hh")];
  const start = (name: string, shape: readonly number[]) =>
    [at(name), init.pytorch.recurrent(hidden, ...shape)] as const;
  const own = Object.entries(matrices).filter(([key]) => key in params);
  const weights = own.map(([key, name]) => start(name, params[key]!.shape.toReversed()));
  const biases = ["bias_ih", "bias_hh"].map((name) => start(name, params.b!.shape));
  // In the order of PyTorch: the projection comes last.
  const entries = [...weights.slice(0, 2), ...(hasBias ? biases : []), ...weights.slice(2)];
  const split = [(gates - 1) * hidden, hidden] as const;
  return {
    entries: Object.fromEntries(entries),
    read(dict) {
      const read = own.map(([key, name]) => [key, dict[at(name)]!.transpose()] as const);
      const zero = (shape: readonly number[]) => zerosLike(read[0]![1], shape);
      const found: Record<string, Tensor> = Object.fromEntries(read);
      const [ofInput, ofState] = hasBias
        ? [dict[biasOfInput]!, dict[biasOfState]!]
        : [zero(params.b!.shape), zero(params.b!.shape)];
      if ("bn" in params) {
        const [summed, apart] = ofState.split(split, 0);
        found.bn = apart.clone();
        found.b = ofInput.add(concat([summed, zero([hidden])]));
      } else found.b = ofInput.add(ofState);
      return Object.fromEntries(Object.keys(params).map((key) => [key, found[key]]));
    },
    write(values: Readonly<Record<string, Tensor>>, gradients) {
      const { b, bn } = values as { b: Tensor; bn?: Tensor };
      const written: Record<string, Tensor> = Object.fromEntries(
        own.map(([key, name]) => [at(name), values[key]!.transpose()]),
      );
      if (!hasBias) {
        if (!gradients) checkZero({ b, ...(bn && { bn }) }, prefix);
        return written;
      }
      written[biasOfInput] = b.clone();
      const second = gradients ? b.clone() : zerosLike(b, b.shape);
      written[biasOfState] = bn === undefined ? second : concat([second.split(split, 0)[0], bn]);
      return Object.fromEntries(entries.map(([name]) => [name, written[name]!]));
    },
  };
}

function zerosLike({ dtype, backend }: Tensor, shape: readonly number[]): Tensor {
  return zeros(shape, { dtype, backend });
}

/** Throws a sentence for a bias that a module without biases would leave out. */
function checkZero(biases: Readonly<Record<string, Tensor>>, prefix: string): void {
  for (const [name, x] of Object.entries(biases)) {
    const value = x.toTypedArray().find((each) => each !== 0);
    if (value === undefined) continue;
    const of = prefix === "" ? "" : ` of "${prefix.slice(0, -1)}"`;
    throw new RangeError(
      `toPyTorch: ${name}${of} has a ${value}, and a module with bias=False has no place for it; leave out { bias: false }`,
    );
  }
}
