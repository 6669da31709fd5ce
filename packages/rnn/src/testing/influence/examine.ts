import { scope, type TypedArray } from "@chronograd/autodiff";
import { type Change, Cone, narrowed } from "./changes.ts";
import { type Culprit, cotangentCulprit, culpritOf } from "./culprit.ts";
import { type Fill, infinite, large, notANumber, ordinary } from "./fills.ts";
import { allRows, type Grid, type Part } from "./grid.ts";
import type { Influence } from "./report.ts";
import { changed, type Experiment, gradientOf, type Run, run, same } from "./run.ts";
import { by, cause, subject, when } from "./words.ts";

/** What a change is tried with: ordinary values come first. */
const fillsOf: Readonly<Record<Change["kind"], readonly Fill[]>> = {
  "other rows": [ordinary, large, notANumber],
  padding: [ordinary, notANumber, infinite],
  "before a reset": [ordinary, notANumber, infinite],
  "later inputs": [ordinary, large],
  "earlier calls": [ordinary],
};

/** A result that is not as it was. */
interface Difference {
  readonly result: number;
  readonly step: number;
  readonly row: number;
}

/** What one change showed. */
export interface Examined {
  readonly cases: number;
  readonly influence?: Influence;
}

/** Examines changes against one run of the batch as it was given. */
export class Examination {
  readonly #experiment: Experiment;
  readonly #isCausal: boolean;
  readonly #base: Run;

  constructor(experiment: Experiment, isCausal: boolean) {
    this.#experiment = experiment;
    this.#isCausal = isCausal;
    this.#base = run(experiment, experiment.given);
    for (const { path, x } of this.#base.results) {
      if (!x.toTypedArray().some(Number.isNaN)) continue;
      throw new RangeError(
        `checkInfluence: ${path} of the model holds NaN on the batch as it is, from which nothing can be told; give inputs and params with other results`,
      );
    }
  }

  /** Two runs on the same values must give the same. */
  repeats(): Examined {
    const change: Change = { kind: "earlier calls", has: () => false, concerns: () => true };
    const gradients = gradientOf(this.#experiment, this.#base, this.#coneOf(change));
    const { cases, influence, ofGradient } = this.#tried(change, ordinary, gradients);
    const found = influence ?? ofGradient;
    return { cases, ...(found && { influence: found }) };
  }

  /**
   * What must not be reached by a change, and its gradients, must stay; its gradient by it is 0.
   */
  examine(change: Change): Examined {
    const cone = this.#coneOf(change);
    const gradients = gradientOf(this.#experiment, this.#base, cone);
    let cases = 0;
    let ofGradient: Influence | undefined;
    for (const fill of fillsOf[change.kind]) {
      const found = this.#tried(change, fill, gradients);
      cases += found.cases;
      if (found.influence !== undefined) return { cases, influence: found.influence };
      ofGradient ??= found.ofGradient;
    }
    const zero = this.#zero(change, gradients);
    const influence = zero.influence ?? ofGradient;
    return { cases: cases + zero.cases, ...(influence && { influence }) };
  }

  #coneOf(change: Change): Cone {
    return new Cone(this.#experiment.grid, change, this.#isCausal);
  }

  /** Another run; an influence on results is told apart from one on gradients alone. */
  #tried(
    change: Change,
    fill: Fill,
    gradients: ReadonlyMap<string, TypedArray>,
  ): Examined & { readonly ofGradient?: Influence } {
    const cone = this.#coneOf(change);
    return scope(() => {
      const other = run(this.#experiment, changed(this.#experiment, change, fill));
      const { cases, differences } = compared(this.#base.results, other.results, cone);
      const [first] = differences;
      if (first !== undefined) return { cases, influence: this.#influence(change, fill, first) };
      // NaN times 0 is NaN: only padding, which nothing may read, leaves gradients as they are.
      if (fill !== ordinary && change.kind !== "padding") return { cases };
      const after = gradientOf(this.#experiment, other, cone);
      const found = this.#gradientDifference(change, fill, gradients, after);
      return {
        cases: cases + found.cases,
        ...(found.influence && { ofGradient: found.influence }),
      };
    });
  }

  /** What a result depends on, as narrowly as one row and one step show it, and by which op. */
  #influence(change: Change, fill: Fill, { result, step, row }: Difference): Influence {
    const { grid } = this.#experiment;
    const isAlso = (part: Change) => scope(() => this.#differs(part, fill, result, step, row));
    const rows = Array.from({ length: grid.rows }, (_, r) => r).filter((r) =>
      hasRow(grid, change, r),
    );
    const from = rows.find((r) => isAlso(narrowed(change, r)));
    const ofRow = from === undefined ? change : narrowed(change, from);
    // The nearest step first.
    const steps = Array.from({ length: grid.steps + 1 }, (_, t) => t - 1).sort(
      (a, b) => Math.abs(a - step) - Math.abs(b - step),
    );
    const at =
      from === undefined
        ? undefined
        : steps.find((t) => change.has(t, from) && isAlso(narrowed(change, from, t)));
    const narrow = at === undefined ? ofRow : narrowed(change, from!, at);
    const { path } = this.#base.results[result]!;
    const of = path.replace(/^outputs/, "the output").replace(/^state/, "the last state");
    const t = step < grid.steps ? step + 1 : undefined;
    const culprit = this.#culprit(narrow, fill, result, t === undefined ? undefined : step);
    return {
      kind: change.kind,
      of,
      row: row === allRows ? undefined : row,
      t,
      rows: from === undefined ? rows : [from],
      site: culprit?.site,
      message: `${subject(of, row, t)} ${cause(change, from, at)}${when(fill)}${by(culprit)}`,
    };
  }

  #differs(change: Change, fill: Fill, result: number, step: number, row: number): boolean {
    const other = run(this.#experiment, changed(this.#experiment, change, fill)).results[result]!;
    const part = this.#base.results[result]!;
    const place = part.places.find((each) => each.step === step && each.row === row)!;
    const [a, b] = [part.x.toTypedArray(), other.x.toTypedArray()];
    for (let i = place.start; i < place.end; i++) if (!same(a[i], b[i])) return true;
    return false;
  }

  #culprit(
    change: Change,
    fill: Fill,
    result: number,
    step: number | undefined,
  ): Culprit | undefined {
    const { given, grid } = this.#experiment;
    return scope(() => {
      const pair = [given, changed(this.#experiment, change, fill)].map((values) =>
        run(this.#experiment, values, { trace: true }),
      ) as [Run, Run];
      return culpritOf(grid, change, this.#coneOf(change), pair, result, step);
    });
  }

  /** The gradient of what must stay, by everything but what changed. */
  #gradientDifference(
    change: Change,
    fill: Fill,
    before: ReadonlyMap<string, TypedArray>,
    after: ReadonlyMap<string, TypedArray>,
  ): Examined {
    let cases = 0;
    for (const { path, step, row, start, end } of this.#places()) {
      if (change.has(step, row)) continue;
      const [a, b] = [before.get(path), after.get(path)];
      for (let i = start; i < end; i++) {
        cases++;
        // An absent gradient is 0.
        if (same(a?.[i] ?? 0, b?.[i] ?? 0)) continue;
        const culprit = this.#cotangentCulprit(change, fill);
        const words = `${cause(change, undefined, undefined)}${when(fill)}${by(culprit)}`;
        return {
          cases,
          influence: this.#ofGradient(change, path, step, row, words, culprit?.site),
        };
      }
    }
    return { cases };
  }

  /** The gradient of what must stay by what may change is exactly 0, or absent. */
  #zero(change: Change, gradients: ReadonlyMap<string, TypedArray>): Examined {
    let cases = 0;
    for (const { path, step, row, start, end } of this.#places()) {
      const g = change.has(step, row) ? gradients.get(path) : undefined;
      for (let i = start; i < end; i++) {
        cases++;
        if (g === undefined || g[i] === 0) continue;
        const culprit = this.#cotangentCulprit(change, undefined);
        const words = `is ${g[i]}, for results that must not depend on it${by(culprit)}`;
        return {
          cases,
          influence: this.#ofGradient(change, path, step, row, words, culprit?.site),
        };
      }
    }
    return { cases };
  }

  #cotangentCulprit(change: Change, fill: Fill | undefined): Culprit | undefined {
    return scope(() => {
      const other = fill && run(this.#experiment, changed(this.#experiment, change, fill));
      const traced = run(this.#experiment, this.#experiment.given, { trace: true });
      return cotangentCulprit(this.#experiment, change, this.#coneOf(change), traced, other);
    });
  }

  *#places() {
    const { params } = this.#experiment.given as { params: unknown };
    const { grid } = this.#experiment;
    for (const part of [...this.#experiment.parts, ...grid.whole(params, "params")]) {
      for (const place of part.places) yield { path: part.path, ...place };
    }
  }

  #ofGradient(
    { kind }: Change,
    path: string,
    step: number,
    row: number,
    words: string,
    site?: Culprit["site"],
  ): Influence {
    const t = step >= 0 ? step + 1 : undefined;
    const of = `the gradient by ${path}`;
    return {
      kind,
      of,
      row: row === allRows ? undefined : row,
      t,
      rows: [],
      site,
      message: `${subject(of, row, t)} ${words}`,
    };
  }
}

function hasRow(grid: Grid, change: Change, row: number): boolean {
  for (let step = -2; step < grid.steps; step++) if (change.has(step, row)) return true;
  return false;
}

/** Elements of results that must be the same in both runs. */
function compared(
  before: readonly Part[],
  after: readonly Part[],
  cone: Cone,
): { cases: number; differences: Difference[] } {
  let cases = 0;
  const differences: Difference[] = [];
  for (const [result, part] of before.entries()) {
    const [a, b] = [part.x.toTypedArray(), after[result]?.x.toTypedArray() ?? []];
    for (const { step, row, start, end } of part.places) {
      if (!cone.holds(step, row)) continue;
      cases += end - start;
      for (let i = start; i < end; i++) {
        if (same(a[i], b[i])) continue;
        differences.push({ result, step, row });
        break;
      }
    }
  }
  return { cases, differences };
}
