import { readFileSync } from "node:fs";
import { type FloatDType, grad, jvp, type Tensor, tensor, zeros } from "@chronograd/autodiff";
import { opTable } from "@chronograd/autodiff/extend";
import { crossEntropy, huber } from "@chronograd/nn";
import { reasonOf, type Written } from "./reasons.ts";

/**
 * An op at a point: what PyTorch and JAX have there, the value first, then the derivative by each
 * input.
 */
interface Given {
  readonly op: string;
  readonly at: readonly Written[];
  readonly torch: readonly Written[];
  readonly jax: readonly Written[];
}

interface Peers {
  readonly torch: string;
  readonly jax: string;
  readonly rows: readonly Given[];
}

/** A row with the library's numbers beside, and why they differ from PyTorch's if they do. */
export interface Row extends Given {
  readonly ours: readonly Written[];
  readonly reason?: string;
}

/** The whole table: the versions of the peers, and a row for each op and point. */
export interface SpecialPoints {
  readonly torch: string;
  readonly jax: string;
  readonly rows: readonly Row[];
}

const ops = new Map(opTable().map(({ name }) => [name, name]));
const first = (y: Tensor): Tensor => y.slice([0]);

/** Functions that are not simply the method of that name. */
const calls: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  "softmax, first": (x) => first(x.softmax()),
  "logSoftmax, first": (x) => first(x.logSoftmax()),
  "crossEntropy of class 0": (x) =>
    crossEntropy(x.reshape([1, x.size]), [0], { reduction: "none" }),
  "huber of 0": (x) => huber(x, zeros(x.shape, { dtype: x.dtype }), { reduction: "sum" }),
};
const whole = new Set(["sum", "prod", "max", "min", "norm", "variance", "logSumExp"]);

function callOf(op: string, inputs: number): (x: Tensor) => Tensor {
  const own = calls[op];
  if (own !== undefined) return own;
  const name = ops.get(op);
  if (name === undefined) throw new Error(`special points: there is no op "${op}"`);
  const method = (x: Tensor, ...rest: Tensor[]): Tensor =>
    (x as unknown as Record<string, (...rest: Tensor[]) => Tensor>)[name]!(...rest);
  if (inputs === 1 || whole.has(op)) return (x) => method(x);
  return (x) => method(first(x), x.slice([1]));
}

function written(x: number): Written {
  if (Object.is(x, -0)) return "-0";
  return Number.isFinite(x) ? x : (String(x) as Written);
}

/** The value and the derivatives by reverse mode. */
export function evaluate({ op, at }: Given, dtype: FloatDType = "float64"): Written[] {
  const x = tensor(Float64Array.from(at, Number)).cast(dtype).detach();
  const f = callOf(op, at.length);
  return [f(x), grad((z) => f(z).sum())(x)].flatMap((y) => Array.from(y.toTypedArray(), written));
}

/** The derivatives by forward mode. */
export function tangents({ op, at }: Given): Written[] {
  const x = tensor(Float64Array.from(at, Number));
  return at.map((_, k) => {
    const unit = tensor(Float64Array.from(at, (_, i) => Number(i === k)));
    const [, dy] = jvp((z: Tensor) => callOf(op, at.length)(z).sum(), x, unit);
    return written(dy.item());
  });
}

/** Whether two numbers agree except in the last places; the sign of zero is ignored. */
export function areAlike(a: Written, b: Written, relative = 1e-13): boolean {
  const [x, y] = [Number(a), Number(b)];
  if (x === y || (Number.isNaN(x) && Number.isNaN(y))) return true;
  return Math.abs(x - y) <= relative * Math.max(Math.abs(x), Math.abs(y));
}

/** Whether the library and PyTorch have other numbers in a row. */
export function differs({ ours, torch }: Pick<Row, "ours" | "torch">): boolean {
  return ours.some((value, i) => !areAlike(value, torch[i]!));
}

/** The table, computed. */
export function specialPoints(): SpecialPoints {
  const file = new URL("fixtures/peers.json", import.meta.url);
  const { torch, jax, rows } = JSON.parse(readFileSync(file, "utf8")) as Peers;
  return {
    torch,
    jax,
    rows: rows.map((given) => {
      const row = { ...given, ours: evaluate(given) };
      if (!differs(row)) return row;
      const reason = reasonOf(row.op, row.at);
      return reason === undefined ? row : { ...row, reason: reason.because };
    }),
  };
}
