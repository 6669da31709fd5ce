import { Tape, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { type Communicator, crossEntropy, embedding, linear } from "@chronograd/nn";
import { shard } from "@chronograd/nn/parallel";
import { initialState, sequential, type TimeStep, truncated, unroll } from "@chronograd/rnn";
import { batches, readProblem } from "../problem.ts";
import { type Request, sizeOf } from "../protocol.ts";
import type { Maker, Subject } from "../serve.ts";
import { cells } from "./cells.ts";
import { compiles, isShared, isWhole, threading } from "./configuration.ts";
import { planFacts } from "./planFacts.ts";
import { type Differentiated, type Rows, training, updating } from "./training.ts";

/** The parameters of a training case. */
export interface Params {
  readonly symbols: { readonly table: Tensor };
  readonly cell: Readonly<Record<"W" | "U" | "b" | "bn", Tensor>>;
  readonly head: { readonly W: Tensor; readonly b: Tensor };
}

type State = Readonly<Record<string, Tensor>>;

/** A batch of symbols `[T,B]`. */
export interface Symbols {
  readonly x: Tensor;
  readonly target: Tensor;
}

/** A model, its initial parameters, and the batches, whose rows go on from one to the next. */
export function experiment({ config, problem }: Pick<Request, "config" | "problem">) {
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
  const names = config.model === "gru" ? ["W", "U", "b", "bn"] : ["W", "U", "b"];
  const params: Params = {
    symbols: { table: weight("table") },
    cell: Object.fromEntries(names.map((name) => [name, weight(name)])) as Params["cell"],
    head: { W: weight("headW"), b: weight("headb") },
  };
  const parts = {
    symbols: embedding({ input: V, output: H }),
    cell: cells[config.model as "gru"]({ input: H, hidden: H }),
    head: linear({ input: H, output: V }),
  };
  const shape = [T, B];
  const all = Array.from(
    { length: batches },
    (_, i): Symbols => ({
      x: tensor(inputs(i), { shape }),
      target: tensor(targets(i), { shape }),
    }),
  );
  return {
    ...{ T, params, parts, batches: all },
    initial: initialState(parts.cell, B) as State,
    /** Of the mean loss over the steps of a batch, from a state that is a constant. */
    gradient(params: Params, state: State, { x, target }: Symbols): Differentiated<Params, State> {
      const tape = new Tape();
      const watched = tape.watch(params);
      const inputs = parts.symbols.apply(watched.symbols, x);
      const run = unroll(parts.cell, watched.cell, inputs, { state: state as never });
      const loss = crossEntropy(parts.head.apply(watched.head, run.outputs), target, {
        reduction: "none",
      }).mean();
      const carried = tree.map(run.state as State, (s: Tensor) => tape.strip(s)) as State;
      return { loss: tape.strip(loss), gradients: tape.gradient(loss, watched), carried };
    },
  };
}

/** The time steps of the batches; of one rank's rows. */
function timeSteps(
  batches: readonly Symbols[],
  T: number,
  communicator: Communicator | undefined,
): TimeStep<Tensor, Tensor>[] {
  return batches.flatMap((batch) => {
    const { x, target } = communicator === undefined ? batch : shard(batch, communicator, 1);
    return Array.from({ length: T }, (_, t) => ({
      input: x.slice([t]),
      target: target.slice([t]),
    }));
  });
}

function* forever<T>(items: readonly T[]): Generator<T> {
  for (;;) yield* items;
}

/** Training steps in float32 on a stream, as a user writes them: a step is a window. */
export function windows(request: Request, communicator?: Communicator): Subject {
  const { T, params: initial, parts, batches } = experiment(request);
  const stream = truncated(
    sequential(parts),
    initial as never,
    forever(timeSteps(batches, T, communicator)),
    {
      ...{ k1: T, k2: T, reduction: "mean", compile: compiles },
      loss: (logits: Tensor, target: Tensor) => crossEntropy(logits, target, { reduction: "none" }),
      ...threading,
      ...(communicator && { communicator }),
    },
  );
  let params = initial;
  const optimizer = updating(params);
  let explain = () => "";
  return {
    step: () => {
      const { value: window } = stream.next();
      if (window === undefined) throw new Error("bench: the stream has ended");
      explain = () => window.explain();
      const next = optimizer.update(window.gradients as never, params);
      params = next.params;
      return { loss: window.loss, norm: next.norm };
    },
    facts: () => planFacts(explain()),
  };
}

/** Windows of a stream, or, as the configuration says, steps that are one plan each. */
export const train: Maker = (request) => {
  if (!isWhole && !isShared) return windows(request);
  const { params, initial, batches, gradient } = experiment(request);
  const rows: Rows = { axis: [null, 0, 1], out: { loss: "mean", gradients: "mean", carried: 0 } };
  const batch = (i: number) => batches[i % batches.length]!;
  return training({ params, carried: initial }, batch, gradient, rows);
};
