import { type Tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { truncated, type Window } from "@chronograd/rnn";
import { lawOver } from "../lawOver.ts";
import type { Tally } from "../tally.ts";
import type { Options, Params, Problem, State } from "./problem.ts";

/** How many problems are drawn for each seed. */
const draws = 4;

/** A law about truncated streams: measured on several problems, the worst of which counts. */
export function law(
  name: string,
  statement: string,
  bound: number,
  measure: (seed: number, tally: Tally) => void,
): Law {
  return lawOver(draws, name, statement, bound, measure);
}

/** What is read of a window before it ends. */
export type Seen<R> = (window: Window<Params, State>, index: number) => R;

/** Runs a problem's stream with frozen weights. */
export function frozen<R>(
  { model, params, state, steps, loss }: Problem,
  options: Options,
  seen: Seen<R>,
): R[] {
  let index = 0;
  return Array.from(
    truncated(model, params, steps, { compile: false, state, ...options, loss }),
    (window) => seen(window as unknown as Window<Params, State>, index++),
  );
}

/** A problem's options in words. */
export function words({ T }: Pick<Problem, "T">, options: Options): string {
  const {
    k1,
    k2,
    stale = "carry",
    losses = "new",
    multiplicity = false,
    reduction = "sum",
  } = options;
  return `${stale}, ${losses}${multiplicity ? " with multiplicity" : ""}, ${reduction}, T ${T}, k1 ${k1}, k2 ${k2}`;
}

/** A tree's tensors in memory that nobody else changes. */
export function copyOf<T>(values: T): T {
  return tree.map(values, (x: Tensor) => x.detach().clone()) as T;
}
