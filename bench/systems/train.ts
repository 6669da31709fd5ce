import { compile, scope, Tape, type Tensor, tensor } from "@chronograd/autodiff";
import {
  adam,
  applyUpdates,
  chain,
  clipByGlobalNorm,
  crossEntropy,
  embedding,
  linear,
} from "@chronograd/nn";
import { unroll } from "@chronograd/rnn";
import { adamEpsilon, clipNorm, learningRate, readProblem } from "../problem.ts";
import { type Request, sizeOf } from "../protocol.ts";
import type { Maker } from "../serve.ts";
import { cells } from "./cells.ts";
import { compiles } from "./configuration.ts";
import { kernelMemory } from "./memory.ts";

/** The parameters of a training case. */
export interface Params {
  readonly symbols: { readonly table: Tensor };
  readonly cell: Readonly<Record<"W" | "U" | "b" | "bn", Tensor>>;
  readonly head: { readonly W: Tensor; readonly b: Tensor };
}

/**
 * Initial parameters, batches of symbols, and the mean loss and its gradient as a user of the
 * library writes them.
 */
export interface Experiment {
  readonly params: Params;
  batch(i: number): readonly [inputs: Tensor, targets: Tensor];
  /** Of the mean loss times `weight`, 1 unless given. */
  gradient(
    params: Params,
    inputs: Tensor,
    targets: Tensor,
    weight?: number,
  ): { loss: Tensor; gradients: Params };
}

export function experiment({ config, problem }: Pick<Request, "config" | "problem">): Experiment {
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
    batch: (i) => [tensor(inputs(i), { shape: [T, B] }), tensor(targets(i), { shape: [T, B] })],
    gradient(params, x, target, weight = 1) {
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
  const { params: initial, batch, gradient: recorded } = experiment(request);
  const plan = compile(recorded);
  const gradient = compiles ? plan : recorded;
  const optimizer = chain({
    clip: clipByGlobalNorm(clipNorm),
    adam: adam({ learningRate, epsilon: adamEpsilon }),
  });
  let params = initial;
  let state = optimizer.init(params);
  let i = 0;
  return {
    step: () => {
      let outcome = { loss: 0, norm: 0 };
      [params, state] = scope(() => {
        const { loss, gradients } = gradient(params, ...batch(i++));
        const [updates, next] = optimizer.update(gradients, state, params);
        outcome = { loss: loss.item(), norm: next.clip.norm.item() };
        return [applyUpdates(params, updates), next] as const;
      });
      return outcome;
    },
    facts: () => {
      const planned = compiles && !plan.explain().includes("not compiled");
      return { ...kernelMemory(), compiled: planned ? "yes" : "no" };
    },
  };
};
