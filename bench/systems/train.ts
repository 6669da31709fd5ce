import { Tape, type Tensor, tensor } from "@chronograd/autodiff";
import { type Communicator, crossEntropy, embedding, linear } from "@chronograd/nn";
import { shard } from "@chronograd/nn/parallel";
import { unroll } from "@chronograd/rnn";
import { readProblem } from "../problem.ts";
import { type Request, sizeOf } from "../protocol.ts";
import type { Maker } from "../serve.ts";
import { cells } from "./cells.ts";
import { compiles } from "./configuration.ts";
import { training } from "./training.ts";

/** The parameters of a training case. */
export interface Params {
  readonly symbols: { readonly table: Tensor };
  readonly cell: Readonly<Record<"W" | "U" | "b" | "bn", Tensor>>;
  readonly head: { readonly W: Tensor; readonly b: Tensor };
}

/**
 * Initial parameters, batches, and the mean loss and its gradient as a user of the library writes
 * them.
 */
export interface Experiment<P, Batch> {
  readonly params: P;
  batch(i: number): Batch;
  /** Of the mean loss times `weight`, 1 unless given. */
  gradient(params: P, batch: Batch, weight?: number): { loss: Tensor; gradients: P };
}

/** A batch of symbols `[T,B]`. */
export interface Symbols {
  readonly x: Tensor;
  readonly target: Tensor;
}

/** Of all rows, or of those of one worker. */
export function experiment(
  { config, problem }: Pick<Request, "config" | "problem">,
  communicator?: Communicator,
): Experiment<Params, Symbols> {
  const [H, B, T, V] = ["H", "B", "T", "V"].map((name) => sizeOf(config, name)) as [
    number,
    number,
    number,
    number,
  ];
  const { weights, inputs, targets } = readProblem(problem);
  const weight = (name: string): Tensor => {
    const { data, shape } = weights[name]!;
    return tensor(data, { shape });
  };
  const symbols = embedding({ input: V, output: H });
  const cell = cells[config.model as "gru"]({ input: H, hidden: H });
  const head = linear({ input: H, output: V });
  const names = config.model === "gru" ? ["W", "U", "b", "bn"] : ["W", "U", "b"];
  return {
    params: {
      symbols: { table: weight("table") },
      cell: Object.fromEntries(names.map((name) => [name, weight(name)])) as Params["cell"],
      head: { W: weight("headW"), b: weight("headb") },
    },
    batch(i) {
      const shape = [T, B];
      const all = { x: tensor(inputs(i), { shape }), target: tensor(targets(i), { shape }) };
      return communicator === undefined ? all : shard(all, communicator, 1);
    },
    gradient(params, { x, target }, weight = 1) {
      const tape = new Tape();
      const watched = tape.watch(params);
      const { outputs } = unroll(cell, watched.cell, symbols.apply(watched.symbols, x));
      const mean = crossEntropy(head.apply(watched.head, outputs), target, {
        reduction: "none",
      }).mean();
      const loss = weight === 1 ? mean : mean.mul(weight);
      return { loss, gradients: tape.gradient(loss, watched) };
    },
  };
}

/** Training steps in float32. */
export const train: Maker = (request) => {
  const { params, batch, gradient } = experiment(request);
  return training(params, batch, gradient, compiles);
};
