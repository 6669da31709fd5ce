import { apply } from "../ops/apply.ts";
import { describe, none, type OpDeclaration, type VjpRule } from "../ops/declare.ts";
import { concat } from "../ops/join.ts";
import { isLike } from "../tensor/checks.ts";
import { ones } from "../tensor/create.ts";
import { isFloat } from "../tensor/dtype.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import { alias, type Tensor } from "../tensor/tensor.ts";
import { describeTensor, describeType } from "../tensor/text.ts";
import { checkTree, leaves, leavesWithPath, type MapTree, map } from "../tensor/tree.ts";
import { vjp as pullbackOf } from "./reverse.ts";

/** The cotangent of `x`, from the cotangent `g` of `y = f(x)`: trees like `x` and `y`. */
export type Pullback<X, Y> = (
  g: MapTree<Y, Tensor>,
  x: MapTree<X, Tensor>,
  y: MapTree<Y, Tensor>,
) => X;

/** A tree with its tensors replaced by others, in the order of `leaves`. */
function replaced<T>(tree: T, tensors: readonly Tensor[]): MapTree<T, Tensor> {
  let next = 0;
  return map(tree, () => tensors[next++]!);
}

/** What a function returned as one vector: a tape's entries have one output. */
class Packing {
  readonly tree: unknown;
  readonly shapes: readonly Shape[];

  constructor(tree: unknown) {
    this.tree = tree;
    this.shapes = leaves(tree).map(({ shape }) => shape);
  }

  pack(tree: unknown): Tensor {
    const parts = leaves(tree);
    return parts.length === 1 ? parts[0]! : concat(parts.map((part) => part.reshape([-1])));
  }

  unpack(y: Tensor): unknown {
    if (this.shapes.length === 1) return replaced(this.tree, [y]);
    const parts = y.split(this.shapes.map(sizeOf));
    return replaced(
      this.tree,
      parts.map((part, i) => part.reshape(this.shapes[i]!)),
    );
  }
}

/**
 * Throws a sentence unless `f` returned what can be differentiated: floats of one dtype, made from
 * its argument alone.
 */
function checkValue(value: unknown): void {
  checkTree(value, "customGradient: f");
  const [first, ...others] = leaves(value);
  if (first === undefined) throw new TypeError("customGradient: f returned no tensor");
  for (const y of [first, ...others]) {
    if (!isFloat(y.dtype) || y.dtype !== first.dtype) {
      throw new TypeError(
        `customGradient: f must return floats of one dtype, got ${describeTensor(first)} and ${describeTensor(y)}; cast them, or return integers by another function`,
      );
    }
    if (y.tape === null) continue;
    throw new TypeError(
      `customGradient: f used a tracked value that is not part of its argument, for which there is no rule; make it part of the argument, or detach() it`,
    );
  }
}

/** The rule's cotangents, one for each input; throws unless they are a tree like the argument. */
function checkCotangents(found: unknown, x: unknown): Map<string, Tensor> {
  const cotangents = new Map(leavesWithPath(found));
  for (const [path, input] of leavesWithPath(x)) {
    if (!isFloat(input.dtype)) continue;
    const at = path === "" ? "" : ` at "${path}"`;
    const g = cotangents.get(path);
    if (g !== undefined && isLike(g, input)) continue;
    const got = g === undefined ? (path === "" ? describe(found) : "none") : describeTensor(g);
    throw new TypeError(
      `customGradient: the rule must return a cotangent${at} of ${describeType(input)} like the argument, got ${got}; return zeros for what nothing flows to`,
    );
  }
  return cotangents;
}

/**
 * A function of a tree of tensors with a custom derivative rule, in place of the derivatives of the
 * ops that it is made of.
 *
 * Written with ops, the rule has derivatives itself, can be compiled, and gives tangents too: that
 * of `dx` is the derivative of `<rule(g), dx>` by `g`, taken at 0, where a rule that is no
 * derivative need not be linear.
 *
 * @param f takes a tree of tensors to a tree of float tensors of one dtype, and uses no other
 *   tracked values
 * @param rule takes the cotangent of `y = f(x)`, `x` and `y` to the cotangent of `x`
 * @throws when called, if `f` does otherwise; when differentiated, if the rule returns another
 *   structure, shape or dtype
 *
 * @example
 * ```ts
 * import { customGradient, grad, tensor, type Tensor } from "@chronograd/autodiff";
 *
 * // Rounds, and lets the gradient through as if it did not.
 * const straightThrough = customGradient(
 *   (x: Tensor) => x.round(),
 *   (g) => g,
 * );
 * const loss = (x: Tensor) => straightThrough(x).square().sum();
 * grad(loss)(tensor([0.6, 2.4])).toArray(); // => [2, 4]
 * ```
 */
export function customGradient<X, Y>(
  f: (x: X) => Y,
  rule: Pullback<X, Y>,
): (x: X) => MapTree<Y, Tensor> {
  for (const [what, given] of Object.entries({ f, rule })) {
    if (typeof given === "function") continue;
    throw new TypeError(`customGradient: ${what} must be a function, got ${describe(given)}`);
  }
  return (x) => {
    checkTree(x, "customGradient");
    const inputs = leaves(x);
    if (inputs.length === 0) throw new TypeError("customGradient: the argument holds no tensor");
    let packing: Packing | undefined;
    /** The rule gives the cotangents of all inputs; a sweep asks for one after the other. */
    let last: { g: Tensor; output: Tensor; cotangents: Map<string, Tensor> } | undefined;
    const paths = leavesWithPath(x).map(([path]) => path);
    const pull = (g: Tensor, given: readonly Tensor[], output: Tensor) => {
      const tree = replaced(x, given);
      const found = rule(
        packing!.unpack(g) as MapTree<Y, Tensor>,
        tree as MapTree<X, Tensor>,
        packing!.unpack(output) as MapTree<Y, Tensor>,
      );
      return checkCotangents(found, tree);
    };
    const vjp: VjpRule<undefined> = (g, { inputs: given, output }, input) => {
      const isFresh = last?.g === g && last.output === output;
      let cotangent = isFresh ? last!.cotangents.get(paths[input]!) : undefined;
      if (cotangent === undefined || cotangent.block.holders === 0) {
        last = { g, output, cotangents: pull(g, given, output) };
        cotangent = last.cotangents.get(paths[input]!)!;
      }
      return cotangent;
    };
    const noGradient = none("integers: nothing flows through");
    const declaration: OpDeclaration<undefined> = {
      name: "customGradient",
      inputs: paths.map((path) => (path === "" ? "x" : path)),
      accepts: () => {},
      shape: ([first]) => first!.shape,
      compute(given) {
        const value = f(replaced(x, given) as X);
        checkValue(value);
        packing = new Packing(value);
        const y = packing.pack(value);
        return alias(y, y.shape);
      },
      residuals: { inputs: "all", output: true },
      vjp: inputs.map(({ dtype }) => (isFloat(dtype) ? vjp : noGradient)),
      jvp(tangents, { inputs: given, output }) {
        // J dx is the derivative of <J' g, dx> by g.
        const [, transposed] = pullbackOf((g) => {
          const cotangents = pull(g, given, output);
          const terms = tangents.flatMap((dx, i) =>
            dx === null ? [] : [cotangents.get(paths[i]!)!.mul(dx).sum()],
          );
          return terms.reduce((sum, term) => sum.add(term));
        }, output.mul(0));
        const { dtype, backend } = output;
        return transposed(ones([], { dtype, backend }));
      },
      samples: [],
    };
    const y = apply(declaration as OpDeclaration, inputs, undefined);
    return packing!.unpack(y) as MapTree<Y, Tensor>;
  };
}
