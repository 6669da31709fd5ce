import { describe } from "../ops/declare.ts";
import { bySignature, type Compiled } from "./bySignature.ts";
import { Replay } from "./replay.ts";

/**
 * The same function, recorded once for each structure, shape and dtype of its arguments, planned as
 * a whole, and replayed as one WebAssembly function of kernel calls.
 *
 * The function runs once per plan, on values that stand for the inputs. What it does with them may
 * include tapes and gradients; numbers and strings among the arguments are part of the plan, so a
 * number that changes from call to call should be a tensor: the 32 plans that were used last are
 * kept. The plan gives temporaries one static layout, runs products by a shared weight (and their
 * gradients) over all time steps as one, and packs a weight once for all of its products. Values
 * are those of the function itself, bit by bit, but where a sum is taken in another order.
 *
 * A function that reads values (`item`, `toArray`), draws random numbers or branches on its inputs
 * cannot be recorded: it runs as it is, and `explain` says why. It must be pure: values that it
 * takes from outside are recorded as constants. Now and then (at most every 256 calls, unless that
 * takes more than 1 % of the time) it is recorded again and compared; where it does something else,
 * the call throws and says what has changed.
 *
 * Arguments that the function consumes, parameters and the state of an optimizer say, are consumed
 * once a run succeeded, and what takes their place may be written where they were. What refuses a
 * value that is not finite refuses it in every run, by its own sentence, before anything is
 * changed.
 *
 * @param f takes trees of tensors, numbers and strings to a tree of tensors
 * @throws when called, if an argument is neither, or if the function is found to do something else
 *   than when it was recorded
 *
 * @example
 * ```ts
 * import { compile, grad, tensor, type Tensor } from "@chronograd/autodiff";
 *
 * const loss = (w: Tensor, x: Tensor) => x.matmul(w).tanh().square().sum();
 * const step = compile((w: Tensor, x: Tensor) => w.sub(grad(loss)(w, x).mul(0.1)));
 * const x = tensor([[1, 2]]);
 * const w = tensor([[0.5], [-0.25]]);
 * step(w, x).toArray(); // => [[0.5], [-0.25]]
 * step(tensor([[1], [1]]), x).size; // => 2
 * step.explain().includes("kernel calls"); // => true
 * ```
 */
export function compile<Args extends unknown[], Y>(f: (...args: Args) => Y): Compiled<Args, Y> {
  if (typeof f !== "function") {
    throw new TypeError(`compile: expected a function of tensors, got ${describe(f)}`);
  }
  return bySignature("compile", f, (args) => Replay.of(f, args));
}
