import { describe } from "../ops/declare.ts";
import { Tensor } from "../tensor/tensor.ts";
import { leaves, leavesWithPath } from "../tensor/tree.ts";
import { CheckSchedule } from "./checkSchedule.ts";
import { PurityCheck } from "./purityCheck.ts";
import { RecordedFunction } from "./recorded.ts";

/** A function that runs as a plan; see `compile`. */
export interface Compiled<Args extends unknown[], Y> {
  (...args: Args): Y;
  /** Every plan that is kept, or why there is none, in words. */
  explain(): string;
}

/** Plans kept for one function; the one that was not used for longest gives way. */
const mostPlans = 32;

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
  /** By signature, those used last at the end. */
  const plans = new Map<string, Replay<Args, Y> | string>();
  let dropped = 0;
  const compiled = (...args: Args): Y => {
    const inputs = leaves(args);
    for (const x of inputs) if (x.block.holders <= 0) throw goneIn(args);
    // Inside another function that is being compiled, it is part of that.
    if (inputs.some(({ backend }) => backend.parent !== null)) return f(...args);
    if (inputs.some(({ tape }) => tape !== null)) return f(...args);
    const key = signatureOf(args);
    let plan = plans.get(key);
    if (plan === undefined) plan = Replay.of(f, args);
    else plans.delete(key);
    plans.set(key, plan);
    if (plans.size > mostPlans) {
      const [oldest, old] = plans.entries().next().value!;
      plans.delete(oldest);
      if (typeof old !== "string") old.end();
      dropped++;
    }
    if (typeof plan === "string") return f(...args);
    const difference = plan.difference(args);
    if (difference === undefined) return plan.run(args, inputs);
    // What was recorded is worth nothing any more: the next call records anew.
    for (const old of plans.values()) if (typeof old !== "string") old.end();
    plans.clear();
    throw new Error(
      `compile: the function is not what was recorded, since it takes something from outside that has changed: ${difference}; pass what changes as an argument (a tensor, so that it needs no plan of its own), or call the function itself`,
    );
  };
  const explain = () => {
    const lines = [...plans].map(([key, plan]) => {
      const what = typeof plan === "string" ? `not compiled, because ${plan}` : plan.explain();
      return `for ${key}: ${what}`;
    });
    if (dropped > 0) {
      lines.push(
        `${dropped} more plans gave way to these, the ${mostPlans} used last; numbers among the arguments are part of a plan: pass what changes as a tensor`,
      );
    }
    return lines.join("\n");
  };
  return Object.assign(compiled, { explain });
}

/** A function as it was recorded for arguments of one signature. */
class Replay<Args extends unknown[], Y> {
  readonly #f: (...args: Args) => Y;
  readonly #recorded: RecordedFunction<Args, Y, never>;
  readonly #purity: PurityCheck<Args>;
  readonly #checks = new CheckSchedule();
  /** Milliseconds that a check just took. */
  #checked = 0;

  private constructor(
    f: (...args: Args) => Y,
    recorded: RecordedFunction<Args, Y, never>,
    purity: PurityCheck<Args>,
  ) {
    this.#f = f;
    this.#recorded = recorded;
    this.#purity = purity;
  }

  /** A recording, or the reason why there is none. */
  static of<Args extends unknown[], Y>(
    f: (...args: Args) => Y,
    args: Args,
  ): Replay<Args, Y> | string {
    const recorded = RecordedFunction.plan<Args, Y, never>(
      (given) => ({ value: f(...given), pullbacks: [] }),
      args,
      [],
    );
    if (typeof recorded === "string") return recorded;
    const purity = PurityCheck.of((given: Args) => f(...given), args);
    if (typeof purity !== "string") return new Replay(f, recorded, purity);
    recorded.end("the function cannot be recorded");
    return purity;
  }

  /** Now and then, what the function does otherwise than when it was recorded, in words. */
  difference(args: Args): string | undefined {
    if (!this.#checks.isDue()) return undefined;
    this.#recorded.checkConstants();
    const start = performance.now();
    const difference = this.#purity.differenceNow(args);
    this.#checked = performance.now() - start;
    return difference;
  }

  /**
   * Where an index is out of range, or a guard does not hold, the function runs uncompiled and
   * throws its own sentence.
   */
  run(args: Args, inputs: readonly Tensor[]): Y {
    const start = this.#checked > 0 ? performance.now() : 0;
    const result = (this.#recorded.replay(inputs) as Y | undefined) ?? this.#f(...args);
    if (this.#checked > 0) this.#checks.took(this.#checked, performance.now() - start);
    this.#checked = 0;
    return result;
  }

  explain(): string {
    return this.#recorded.explain();
  }

  end(): void {
    this.#recorded.end("its plan gave way to newer ones");
    this.#purity.end();
  }
}

/** The first argument that is gone, as an error. */
function goneIn(args: readonly unknown[]): Error {
  const [path, x] = leavesWithPath(args).find(([, { block }]) => block.holders <= 0)!;
  return new Error(`compile: the argument at "${path}" is gone: ${x.block.whyGone}`);
}

/**
 * Structure, dtypes and shapes of the tensors among the arguments, which of them are one and the
 * same, and the value of everything else.
 */
function signatureOf(args: readonly unknown[]): string {
  const parts: string[] = [];
  const places = new Map<Tensor, string>();
  const visit = (value: unknown, path: string): void => {
    if (value instanceof Tensor) {
      const other = places.get(value);
      if (other === undefined) places.set(value, path);
      parts.push(`${path} ${other ?? `${value.dtype} [${value.shape}]`}`);
    } else if (typeof value === "object" && value !== null) {
      const prototype: unknown = Object.getPrototypeOf(value);
      const isArray = Array.isArray(value);
      if (!isArray && prototype !== Object.prototype && prototype !== null) {
        throw new TypeError(
          `compile: the argument at "${path}" is an instance of ${value.constructor.name}, expected tensors, numbers and strings in plain objects and arrays`,
        );
      }
      const entries = Object.entries(value);
      if (entries.length === 0 || isArray)
        parts.push(`${path} ${isArray ? `[${value.length}]` : "{}"}`);
      // A name that looks like a path is quoted, so that two trees never have one signature.
      for (const [key, part] of entries) {
        const name = /^\w+$/.test(key) ? key : JSON.stringify(key);
        visit(part, path === "" ? name : `${path}.${name}`);
      }
    } else if (typeof value === "function" || typeof value === "symbol") {
      throw new TypeError(
        `compile: the argument at "${path}" is a ${typeof value}, expected tensors, numbers and strings in plain objects and arrays`,
      );
    } else parts.push(`${path} ${literal(value)}`);
  };
  for (const [i, arg] of args.entries()) visit(arg, String(i));
  return parts.join(", ");
}

/** A value as it is written in code. */
function literal(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  return Object.is(value, -0) ? "-0" : String(value);
}
