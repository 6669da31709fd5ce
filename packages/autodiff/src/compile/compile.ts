import { describe } from "../ops/declare.ts";
import { defaultBackend } from "../tensor/backend.ts";
import { scope } from "../tensor/scope.ts";
import { Tensor } from "../tensor/tensor.ts";
import { leaves, map } from "../tensor/tree.ts";
import { Held, Plan } from "./plan.ts";
import { reasonOf, TraceBackend } from "./trace.ts";

/** A function that runs as a plan; see `compile`. */
export interface Compiled<Args extends unknown[], Y> {
  (...args: Args): Y;
  /** Every plan made so far, or why there is none, in words. */
  explain(): string;
}

/**
 * The same function, recorded once for each structure, shape and dtype of its arguments, planned as a whole, and replayed
 * as one WebAssembly function of kernel calls.
 *
 * The function runs once per plan, on values that stand for the inputs. What it does with them may include tapes and
 * gradients; numbers and strings among the arguments are part of the plan. The plan gives temporaries one static
 * layout, runs products by a shared weight (and their gradients) over all time steps as one, and packs a weight once
 * for all of its products. Values are those of the function itself, bit by bit, but where a sum is taken in another
 * order.
 *
 * A function that reads values (`item`, `toArray`), draws random numbers or branches on its inputs cannot be recorded: it
 * runs as it is, and `explain` says why. It must be pure: values that it takes from outside are recorded as constants.
 *
 * @param f takes trees of tensors, numbers and strings to a tree of tensors
 * @throws when called, if an argument is neither
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
  const plans = new Map<string, Plan | string>();
  const compiled = (...args: Args): Y => {
    const inputs = leaves(args);
    // Inside another function that is being compiled, it is part of that.
    if (inputs.some(({ backend }) => backend.parent !== null)) return f(...args);
    if (inputs.some(({ tape }) => tape !== null)) return f(...args);
    const key = signatureOf(args);
    let plan = plans.get(key);
    if (plan === undefined) {
      plan = planFor(f, args, inputs);
      plans.set(key, plan);
    }
    if (typeof plan === "string" || !plan.accepts(inputs)) return f(...args);
    return plan.run(0, inputs, new Held(), false) as Y;
  };
  const explain = () =>
    [...plans]
      .map(([key, plan]) => {
        const what = typeof plan === "string" ? `not compiled, because ${plan}` : plan.explain();
        return `for ${key}: ${what}`;
      })
      .join("\n");
  return Object.assign(compiled, { explain });
}

/** Structure, dtypes and shapes of the tensors among the arguments, and the value of everything else. */
function signatureOf(args: readonly unknown[]): string {
  const parts: string[] = [];
  const visit = (value: unknown, path: string): void => {
    if (value instanceof Tensor) parts.push(`${path} ${value.dtype} [${value.shape}]`);
    else if (typeof value === "object" && value !== null) {
      const prototype: unknown = Object.getPrototypeOf(value);
      if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) {
        throw new TypeError(
          `compile: the argument at "${path}" is an instance of ${value.constructor.name}, expected tensors, numbers and strings in plain objects and arrays`,
        );
      }
      const entries = Object.entries(value);
      if (entries.length === 0) parts.push(`${path} ${Array.isArray(value) ? "[]" : "{}"}`);
      for (const [key, part] of entries) visit(part, path === "" ? key : `${path}.${key}`);
    } else if (typeof value === "function" || typeof value === "symbol") {
      throw new TypeError(
        `compile: the argument at "${path}" is a ${typeof value}, expected tensors, numbers and strings in plain objects and arrays`,
      );
    } else
      parts.push(`${path} ${typeof value === "string" ? JSON.stringify(value) : String(value)}`);
  };
  for (const [i, arg] of args.entries()) visit(arg, String(i));
  return parts.join(", ");
}

/** A plan, or the reason why there is none. */
function planFor<Args extends unknown[]>(
  f: (...args: Args) => unknown,
  args: Args,
  inputs: readonly Tensor[],
): Plan | string {
  const backend = inputs[0]?.backend ?? defaultBackend();
  const trace = new TraceBackend(backend);
  try {
    return scope(() => {
      const standIns = map(args, (x: Tensor) => trace.input(x)) as Args;
      return new Plan(backend, trace, [{ firstInput: 0, result: f(...standIns) }]);
    });
  } catch (error) {
    trace.release();
    const reason = reasonOf(error);
    if (reason !== undefined) return reason;
    throw error;
  }
}
