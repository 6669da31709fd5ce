import { Tensor } from "../tensor/tensor.ts";
import type { Parts } from "./join.ts";
import { type Methods, methods } from "./table.ts";

/** A function with its first argument bound to the receiver. */
type Method<F> = F extends (x: never, ...rest: infer Rest) => infer Result
  ? (...rest: Rest) => Result
  : never;

/** Every op as a method: `x.tanh()` for `tanh(x)`. */
export type Fluent = {
  readonly [Name in Exclude<keyof Methods, "split">]: Method<Methods[Name]>;
} & {
  /** See `split`; written out because inference would lose its type parameter. */
  readonly split: <const N extends number | readonly number[]>(parts: N, axis?: number) => Parts<N>;
};

// The one thing that happens on import. Bundlers drop a module with what it imports unless the manifest's `sideEffects` names
// it, so this one and every entry point that imports it stand there; a tensor without methods is an error in each of CI's bundlers.
for (const [name, call] of methods()) {
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...rest: unknown[]) {
      return call(this, ...rest);
    },
  });
}
