import type { Tensor } from "@chronograd/autodiff";
import { type Initializer, init } from "@chronograd/nn";
import fc, { type Arbitrary } from "fast-check";
import { type Cell, type CellSizes, defineCell } from "../../cell.ts";

/** What a gate or candidate is computed from. */
type Leaf = "h U" | "x W" | "b" | "u h";
type Unary = "tanh" | "sigmoid" | "sin" | "softplus";
type Expression =
  | Leaf
  | { readonly op: Unary; readonly of: Expression }
  | { readonly op: "+" | "*"; readonly left: Expression; readonly right: Expression };

/** The equations of a cell: a candidate, and a gate over a memory where there is one. */
export interface Recipe {
  readonly candidate: Expression;
  readonly gate: Expression | null;
}

/** Random recipes, shrinking towards `h' = tanh(x W + h U)`. */
export function recipes(): Arbitrary<Recipe> {
  const { node } = fc.letrec<{ node: Expression; leaf: Leaf }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      tie("leaf"),
      fc.record({
        op: fc.constantFrom<Unary[]>("tanh", "sigmoid", "sin", "softplus"),
        of: tie("node"),
      }),
      fc.record({ op: fc.constantFrom("+", "*"), left: tie("node"), right: tie("node") }),
    ),
    leaf: fc.constantFrom<Leaf[]>("h U", "x W", "b", "u h"),
  }));
  return fc.record({ candidate: node, gate: fc.option(node) });
}

type Params = Record<string, Initializer>;
type State = { h: Initializer; c?: Initializer };

/**
 * The cell of a recipe: `h' = tanh(x W0 + candidate)`; with a gate `f = sigmoid(x W1 + gate)` also `c' = f c + h'`, and
 * `h'` times `tanh(c')` comes out.
 */
export function composed(
  { candidate, gate }: Recipe,
  sizes: CellSizes,
): { says: string; cell: Cell<Params, State> } {
  const { input, hidden } = sizes;
  const params: Params = {};
  /** Each leaf has a parameter of its own, in the order of the expression. */
  const parameter = (kind: "W" | "U" | "b" | "u"): string => {
    const name = `${kind}${Object.keys(params).length}`;
    if (kind === "W") params[name] = init.glorot(input, hidden);
    else if (kind === "U") params[name] = init.glorot(hidden, hidden);
    else params[name] = kind === "b" ? init.zeros(hidden) : init.normal(0.5, hidden);
    return name;
  };
  const first = compile({ op: "+", left: "x W", right: candidate }, parameter);
  const second = gate === null ? null : compile({ op: "+", left: "x W", right: gate }, parameter);
  const cell = defineCell({
    params: () => params,
    state: (): State => ({ h: init.zeros(hidden), ...(second && { c: init.zeros(hidden) }) }),
    step: (weights: Record<string, Tensor>, x: Tensor, { h, c }) => {
      const next = first.run(weights, x, h).tanh();
      if (second === null || c === undefined) return [next, { h: next }];
      const memory = second.run(weights, x, h).sigmoid().mul(c).add(next);
      return [next.mul(memory.tanh()), { h: next, c: memory }];
    },
  })(sizes);
  const equations = [`h' = tanh(${first.says})`];
  if (second !== null) equations.push(`c' = sigmoid(${second.says}) c + h'`, "y = h' tanh(c')");
  return { says: equations.join(", "), cell };
}

interface Compiled {
  readonly says: string;
  run(weights: Record<string, Tensor>, x: Tensor, h: Tensor): Tensor;
}

function compile(
  expression: Expression,
  parameter: (kind: "W" | "U" | "b" | "u") => string,
): Compiled {
  if (typeof expression === "string") return leaf(expression, parameter);
  if ("of" in expression) {
    const { op } = expression;
    const inner = compile(expression.of, parameter);
    return {
      says: `${op}(${inner.says})`,
      run: (weights, x, h) => inner.run(weights, x, h)[op](),
    };
  }
  const left = compile(expression.left, parameter);
  const right = compile(expression.right, parameter);
  if (expression.op === "+") {
    return {
      says: `${left.says} + ${right.says}`,
      run: (weights, x, h) => left.run(weights, x, h).add(right.run(weights, x, h)),
    };
  }
  return {
    says: `(${left.says}) (${right.says})`,
    run: (weights, x, h) => left.run(weights, x, h).mul(right.run(weights, x, h)),
  };
}

function leaf(what: Leaf, parameter: (kind: "W" | "U" | "b" | "u") => string): Compiled {
  if (what === "x W") {
    const name = parameter("W");
    return { says: `x ${name}`, run: (weights, x) => x.matmul(weights[name]!) };
  }
  if (what === "h U") {
    const name = parameter("U");
    return { says: `h ${name}`, run: (weights, _, h) => h.matmul(weights[name]!) };
  }
  if (what === "u h") {
    const name = parameter("u");
    return { says: `${name} h`, run: (weights, _, h) => h.mul(weights[name]!) };
  }
  const name = parameter("b");
  // Added to zeros of the batch's shape, so that every expression has rows.
  return { says: name, run: (weights, _, h) => h.mul(0).add(weights[name]!) };
}
