import { Tensor } from "../tensor/tensor.ts";
import type { AsMethod, FunctionOp, Op } from "./declare.ts";
import type * as families from "./public.ts";
import { methods } from "./table.ts";

type Families = typeof families;

/** A function with its first argument bound to the receiver. */
type Method<F> =
  F extends AsMethod<infer M>
    ? M
    : F extends (x: never, ...rest: infer Rest) => infer Result
      ? (...rest: Rest) => Result
      : never;

/** Every op as a method: `x.tanh()` for `tanh(x)`. */
export type Fluent = {
  readonly [Name in keyof Families as Families[Name] extends FunctionOp<unknown>
    ? never
    : Families[Name] extends Op<unknown>
      ? Name
      : never]: Method<Families[Name]>;
};

declare module "../tensor/tensor.ts" {
  interface Tensor extends Fluent {}
}

// The one thing that happens on import. Bundlers drop a module with what it imports unless the
// manifest's `sideEffects` names it, so this one and every entry point that imports it stand there;
// a tensor without methods is an error in each of CI's bundlers.
for (const [name, call] of methods()) {
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...rest: unknown[]) {
      return call(this, ...rest);
    },
  });
}
