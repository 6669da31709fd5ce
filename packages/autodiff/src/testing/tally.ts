import { indexOf } from "../passes/site.ts";
import { type Flattened, type Part, partAt } from "./function.ts";
import type { GradientMismatch } from "./gradientReport.ts";
import { derivativeError, type Numeric } from "./verdict.ts";

/** Where a derivative stands, and in words. */
export type Where = Pick<GradientMismatch, "path" | "index" | "output" | "outputIndex"> & {
  readonly words: string;
};

/** Derivatives compared so far, and those that are not right. */
export class Tally {
  readonly tolerance: number;
  readonly order: 1 | 2;
  readonly mismatches: GradientMismatch[] = [];
  readonly undecided: GradientMismatch[] = [];
  elements = 0;
  worst = 0;
  isForward = true;

  constructor(tolerance: number, order: 1 | 2 = 1) {
    this.tolerance = tolerance;
    this.order = order;
  }

  get isRight(): boolean {
    return this.mismatches.length + this.undecided.length === 0;
  }

  /** Takes a derivative that one sweep or both found; the first that is not right stands for it. */
  add(
    found: Partial<Record<GradientMismatch["sweep"], number>>,
    numeric: Numeric,
    scale: number,
    where: () => Where,
    rounding = 0,
  ): void {
    this.elements++;
    for (const sweep of ["backward", "forward"] as const) {
      const analytic = found[sweep];
      if (analytic === undefined) continue;
      const error = derivativeError(analytic, numeric, scale, this.tolerance, rounding);
      if (error !== undefined) this.worst = Math.max(this.worst, error);
      if (error !== undefined && error <= this.tolerance) continue;
      const { value, uncertainty } = numeric;
      const { words, ...place } = where();
      const order = this.order === 1 ? "" : "second derivative: ";
      const mode = sweep === "forward" && !words.endsWith("mode") ? ", forward mode" : "";
      const message = `${order}${words}${mode}: analytic ${analytic}, numeric ${value} (+- ${uncertainty.toExponential(0)})${error === undefined ? "" : `, relative error ${error.toExponential(1)}`}`;
      const element = {
        ...place,
        sweep,
        order: this.order,
        analytic,
        numeric: value,
        uncertainty,
        message,
      };
      (error === undefined ? this.undecided : this.mismatches).push(element);
      return;
    }
  }
}

/** An element of a tree in words: `"W"[0,1]`. */
export function elementAt(
  parts: readonly Part[],
  position: number,
  what: string,
): { readonly path: string; readonly index: number; readonly words: string } {
  const { path, start, shape } = partAt(parts, position);
  const index = position - start;
  const name = path === "" ? what : `"${path}"`;
  return { path, index, words: `${name}${indexOf(index, shape)}` };
}

/** Names an output of a function. */
export function outputAt<T>(
  { outputParts }: Flattened<T>,
  row: number,
): { readonly output: string; readonly outputIndex: number; readonly words: string } {
  const { path, index, words } = elementAt(outputParts, row, "output");
  return { output: path, outputIndex: index, words };
}
