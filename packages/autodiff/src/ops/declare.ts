import type { Backend } from "../tensor/backend.ts";
import type { DType } from "../tensor/dtype.ts";
import type { Shape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";

/** What an op takes: a tensor, or a number that adopts the dtype of the tensors beside it. */
export type Operand = Tensor | number;

/** One application of an op, as derivative rules see it. */
export interface Application<Attributes = unknown> {
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  readonly attributes: Attributes;
}

/**
 * The cotangent of one input, from the cotangent `g` of the output. Written with ops, so it is
 * differentiable.
 */
export type VjpRule<Attributes> = {
  bivarianceHack(g: Tensor, application: Application<Attributes>, input: number): Tensor;
}["bivarianceHack"];

/**
 * The tangent of the output, from the tangents of the inputs (`null` where an input does not vary).
 */
export type JvpRule<Attributes> = {
  bivarianceHack(
    tangents: readonly (Tensor | null)[],
    application: Application<Attributes>,
  ): Tensor;
}["bivarianceHack"];

/** Adds an input's cotangent to `into`, in place and without derivatives; must equal `vjp`. */
export type AccumulateRule<Attributes> = {
  bivarianceHack(g: Tensor, application: Application<Attributes>, into: Tensor): void;
}["bivarianceHack"];

/** One application and the cotangent of its output. */
export interface Contribution<Attributes = unknown> {
  readonly g: Tensor;
  readonly application: Application<Attributes>;
}

/**
 * As `AccumulateRule`, for several applications whose input is the same value: a weight's, of many
 * time steps.
 */
export type AccumulateAllRule<Attributes> = {
  bivarianceHack(contributions: readonly Contribution<Attributes>[], into: Tensor): void;
}["bivarianceHack"];

/** A derivative that does not exist, and why. */
export interface NoRule {
  readonly none: string;
}

/** Declares that there is no derivative: `vjp: none("integer output")`. */
export function none(reason: string): NoRule {
  return { none: reason };
}

/** True for `none(...)`. */
export function isNone(rule: unknown): rule is NoRule {
  return typeof rule === "object" && rule !== null && "none" in rule;
}

/** How test inputs are drawn: a shape, and where its elements lie. */
export interface InputSpec {
  readonly shape: Shape;
  /** Bounds of the elements; `[-2, 2]` unless given. */
  readonly domain?: readonly [number, number];
  /** Draws whole numbers from `low` to `high - 1` as int32. */
  readonly integers?: readonly [low: number, high: number];
}

/** One way to call an op, for generated tests, pages and benchmarks. */
export interface Sample {
  readonly label: string;
  readonly inputs: readonly InputSpec[];
  call(inputs: readonly Tensor[]): Tensor;
}

/** What tests and pages know about an op beyond its rules. */
export interface Examples {
  readonly samples: readonly Sample[];
  /** Inputs at which the derivative jumps; tests keep away from them. */
  readonly kinks?: readonly number[];
  /** True when the derivative jumps where two elements are equal; tests draw them all apart. */
  readonly apart?: boolean;
  /**
   * Largest error in float32, relative to the larger of 1 and the value, over the samples; 2e-6
   * unless given.
   */
  readonly float32?: number;
}

/** Everything the library knows about a primitive op. */
export interface OpDeclaration<Attributes = unknown> extends Examples {
  readonly name: string;
  /** Names of the inputs, for error sentences. */
  readonly inputs: readonly string[];
  /** The output's shape; throws a sentence when the inputs' shapes do not fit. */
  shape(inputs: readonly Tensor[], attributes: Attributes): Shape;
  /** The output's dtype when it is not the first input's. */
  dtype?(inputs: readonly Tensor[], attributes: Attributes): DType;
  /**
   * The dtypes that inputs may have: `float` (the default, all alike), `any` (all alike), or its
   * own check.
   */
  readonly accepts?: "float" | "any" | ((inputs: readonly Tensor[], name: string) => void);
  /** Writes `output` with kernels. Absent in a view. */
  forward?(
    backend: Backend,
    inputs: readonly Tensor[],
    output: Tensor,
    attributes: Attributes,
  ): void;
  /**
   * The value by other ops, in place of `shape`, `forward` and `view`; its inputs are untracked.
   */
  compute?(inputs: readonly Tensor[], attributes: Attributes): Tensor;
  /**
   * What `compute` keeps for the rules beside inputs and output: every entry holds it until its
   * tape forgets or ends.
   */
  readonly kept?: { retain(): void; release(reason: string): void };
  /**
   * Makes the output share the first input's bytes, `start` elements on; `undefined` where that is
   * impossible.
   */
  view?(inputs: readonly Tensor[], attributes: Attributes): number | undefined;
  /** What the rules read: the values a tape must find unchanged. */
  readonly residuals: { readonly inputs: readonly number[] | "all"; readonly output: boolean };
  /** One rule per input, or one for all (it is told which). */
  readonly vjp: readonly (VjpRule<Attributes> | NoRule)[] | VjpRule<Attributes> | NoRule;
  /** The tangent rule; `"linear"` when the op is jointly linear in all its inputs. */
  readonly jvp: JvpRule<Attributes> | "linear" | NoRule;
  /** In-place forms of `vjp` rules, where they save memory or time. */
  readonly accumulate?: readonly (AccumulateRule<Attributes> | undefined)[];
  /** For an input that may be a weight: `accumulate` of many time steps at once. */
  readonly accumulateAll?: readonly (AccumulateAllRule<Attributes> | undefined)[];
  /** Which axes of operands broadcast: all of them, or all but the last two. */
  readonly broadcasts?: "all" | "leading";
  /**
   * True when the output does not end with the window that its inputs come from: a copy to keep.
   */
  readonly outlives?: true;
  /**
   * The same function in plain ops, for a fused op: tests hold them equal, recorded sweeps go
   * through it.
   */
  decomposition?(inputs: readonly Tensor[], attributes: Attributes): Tensor;
}

/** A public function written with other ops; it has no rules. */
export interface CompositeDeclaration extends Examples {
  readonly name: string;
  readonly composite: true;
}

/**
 * An op: callable, with its declaration attached. It is a method of tensors too, its first argument
 * the receiver.
 */
export type Op<F> = F & { readonly declaration: OpDeclaration | CompositeDeclaration };

/** A part of a declaration that says: no method of tensors. */
export interface NoMethod {
  readonly method: false;
}

/** An op that is no method of tensors. */
export type FunctionOp<F> = F & {
  readonly declaration: (OpDeclaration | CompositeDeclaration) & NoMethod;
};

declare const method: unique symbol;

/**
 * In types only: what an op is as a method, where that does not follow from the function's type.
 */
export interface AsMethod<M> {
  readonly [method]: M;
}

/**
 * Joins a declaration and the function that users call, whose first `tensors` arguments must be
 * tensors: it may read their shapes before the op itself checks anything.
 *
 * @example
 * ```ts
 * import { grad, tensor, type Tensor } from "@chronograd/autodiff";
 * import { apply, none, op, type OpDeclaration } from "@chronograd/autodiff/extend";
 *
 * const declaration: OpDeclaration = {
 *   name: "twice",
 *   inputs: ["x"],
 *   shape: ([x]) => x!.shape,
 *   forward({ memory }, [x], y) {
 *     const bytes = memory.views[y.dtype];
 *     const from = x!.pointer / bytes.BYTES_PER_ELEMENT;
 *     const to = y.pointer / bytes.BYTES_PER_ELEMENT;
 *     for (let i = 0; i < y.size; i++) bytes[to + i] = 2 * bytes[from + i]!;
 *   },
 *   residuals: { inputs: [], output: false },
 *   vjp: [(g) => g.mul(2)],
 *   jvp: none("an example without forward mode"),
 *   samples: [{ label: "[3]", inputs: [{ shape: [3] }], call: ([x]) => twice(x!) }],
 * };
 * const twice = op(declaration, (x: Tensor) => apply(declaration, [x], undefined));
 * grad((x) => twice(x).sum())(tensor([1, 5])).toArray(); // => [2, 2]
 * ```
 */
export function op<F extends (...args: never[]) => unknown>(
  declaration: (OpDeclaration | CompositeDeclaration) & NoMethod,
  call: F,
  tensors?: number,
): FunctionOp<F>;
export function op<F extends (...args: never[]) => unknown>(
  declaration: OpDeclaration | CompositeDeclaration,
  call: F,
  tensors?: number,
): Op<F>;
export function op<F extends (...args: never[]) => unknown>(
  declaration: OpDeclaration | CompositeDeclaration,
  call: F,
  tensors = 0,
): Op<F> {
  if ("shape" in declaration && declaration.residuals === undefined) {
    throw new TypeError(
      `op: ${declaration.name} must declare residuals, the inputs and output that its rules read, such as { inputs: [0], output: false }; none may be { inputs: [], output: false }`,
    );
  }
  if (tensors === 0) return Object.assign(call, { declaration });
  const inner = call as unknown as (...args: unknown[]) => unknown;
  const checked = (a: unknown, b: unknown, c: unknown, d: unknown, e: unknown): unknown => {
    if (!(a instanceof Tensor) || (tensors > 1 && !(b instanceof Tensor))) {
      const got = a instanceof Tensor ? b : a;
      const which = a instanceof Tensor ? "second" : "first";
      throw new TypeError(
        `${declaration.name}: the ${which} argument must be a tensor, got ${describe(got)}; wrap data with tensor(...)`,
      );
    }
    return inner(a, b, c, d, e);
  };
  return Object.assign(checked as unknown as F, { declaration });
}

/** What a wrong argument is, for an error sentence. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "number") return String(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/**
 * What a declaration calls an input; those of a list share a name and are told apart by position.
 */
export function nameOfInput({ inputs }: Pick<OpDeclaration, "inputs">, index: number): string {
  return inputs[index] ?? `${inputs.at(-1) ?? "input"} ${index}`;
}

/**
 * The rule that gives one input's cotangent; `undefined` where it is declared that there is none.
 */
export function vjpRule(
  declaration: Pick<OpDeclaration, "vjp" | "name" | "inputs">,
  input: number,
): VjpRule<unknown> | undefined {
  const { vjp } = declaration;
  const rule: unknown = Array.isArray(vjp) ? vjp[input] : vjp;
  if (typeof rule === "function") return rule as VjpRule<unknown>;
  if (isNone(rule)) return undefined;
  throw new TypeError(
    `${declaration.name}: the vjp by ${nameOfInput(declaration, input)} must be a function or none("why"), got ${describe(rule)}; declare one rule for each input`,
  );
}
