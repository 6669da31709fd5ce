import type { Tensor } from "@chronograd/autodiff";
import { embedding, linear } from "@chronograd/nn";
import { type Cell, lstm, sequential, type Values } from "@chronograd/rnn";
import { type Elements, readTree } from "./fixture.ts";

/** Elements by path. */
export type Parameters = Readonly<Record<string, Elements>>;

/** The model of the trajectories: symbols to logits of the next symbol. */
export type Model = Cell<unknown, unknown>;

/** Embedding, LSTM and linear head, of the sizes that the parameters have. */
export function modelOf(start: Parameters): Model {
  const [symbols, size] = start["embedding.table"]!.shape as [number, number];
  const hidden = start["lstm.U"]!.shape[0]!;
  return sequential({
    embedding: embedding({ input: symbols, output: size }),
    lstm: lstm({ input: size, hidden }),
    head: linear({ input: hidden, output: symbols }),
  }) as unknown as Model;
}

export function readParameters(start: Parameters): Values<unknown> {
  return readTree(start) as Values<unknown>;
}

/** Symbols of steps `from` to `to`, `[T, B]`. */
export function steps(symbols: Tensor, from: number, to: number): Tensor {
  return symbols.slice([[from, to]]);
}
