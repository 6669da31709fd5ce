import { apply } from "../ops/apply.ts";
import { type Application, isNone, nameOfInput, vjpRule } from "../ops/declare.ts";
import { backward } from "../passes/backward.ts";
import { fits, misfit, type Ruled } from "../passes/returned.ts";
import { siteOf } from "../passes/site.ts";
import type { Entry } from "../tape/entry.ts";
import { Recording } from "../tape/recording.ts";
import { Region, within } from "../tensor/block.ts";
import { tensor } from "../tensor/create.ts";
import { isFloat } from "../tensor/dtype.ts";
import { innermostPrimal, type Tensor } from "../tensor/tensor.ts";
import { type Differences, differences, scatter } from "./differences.ts";
import type { RuleFault } from "./ruleFault.ts";
import { adapted, directionSteps, lengthsOf } from "./steps.ts";
import { excess, judge, numericAt, relative, scaleOf, standingOf } from "./verdict.ts";
import { largest, Slopes } from "./worst.ts";

const spent = "it was an intermediate value of a check";

/** What a fault is of. */
type Of = Pick<RuleFault, "rule" | "of" | "order" | "by">;

/** A function of several tensors, of which some are moved. */
type Program = (changed: ReadonlyMap<number, Tensor>) => Float64Array;

/** One entry under test: its op as a function of float64 numbers. */
export class Examination {
  readonly entry: Entry;
  readonly position: number;
  readonly tolerance: number;
  readonly random: () => number;
  readonly inputs: readonly Tensor[];
  readonly faults: RuleFault[] = [];
  isDecided = true;
  worst = 0;

  constructor(entry: Entry, position: number, tolerance: number, seed: number) {
    this.entry = entry;
    this.position = position;
    this.tolerance = tolerance;
    this.random = scatter(seed);
    this.inputs = entry.inputs.map((input) => {
      const plain = innermostPrimal(input);
      return plain.dtype === "float32" ? float64(plain.toTypedArray(), plain) : plain;
    });
  }

  run(order: 1 | 2): { applies: boolean; faults: readonly RuleFault[]; isDecided: boolean } {
    const { entry, inputs, faults } = this;
    const { declaration, attributes } = entry;
    const floats = inputs.flatMap((x, i) => (isFloat(x.dtype) ? [i] : []));
    if (!isFloat(entry.output.dtype) || floats.length === 0) {
      return { applies: false, faults, isDecided: true };
    }
    const output = apply(declaration, inputs, attributes);
    if (output.dtype === "float32") return { applies: true, faults, isDecided: false };
    const application = { inputs, output, attributes };
    const g = float64(this.#scattered(output), output);
    for (const i of floats) this.#checkVjp(application, i, g);
    const varying = floats.filter((i) => vjpRule(declaration, i) !== undefined);
    if (varying.length > 0) this.#checkJvp(application, varying);
    if (order === 2 && faults.length === 0) this.#checkSecond(varying, g);
    return { applies: true, faults, isDecided: this.isDecided };
  }

  /** The op's output with some inputs replaced. */
  #at(changed: ReadonlyMap<number, Tensor>): Float64Array {
    const { declaration, attributes } = this.entry;
    return inPassing(() => {
      const inputs = this.inputs.map((x, i) => changed.get(i) ?? x);
      return apply(declaration, inputs, attributes);
    });
  }

  #scattered(like: { readonly size: number }): Float64Array {
    return Float64Array.from({ length: like.size }, () => this.random() || 0.5);
  }

  /** The derivatives of `<u, program>` by one of what it is a function of. */
  #slopes(program: Program, index: number, x: Tensor, u: Float64Array): Slopes {
    const values = x.toTypedArray() as Float64Array;
    const moved = (v: (i: number) => number) => (s: number) => {
      const there = values.map((value, i) => value + s * v(i));
      return program(new Map([[index, float64(there, x)]])).map((y, i) => y * u[i]!);
    };
    return new Slopes(values, moved, this.tolerance, this.random);
  }

  #checkVjp(application: Application, input: number, g: Tensor): void {
    const { declaration } = this.entry;
    const x = application.inputs[input]!;
    const of = nameOfInput(declaration, input);
    const u = g.toTypedArray() as Float64Array;
    const slopes = this.#slopes((changed) => this.#at(changed), input, x, u);
    const vjp = vjpRule(declaration, input);
    let scale = 1;
    this.#try({ rule: "vjp", of, order: 1 }, x, () => {
      const found = vjp && this.#held(vjp(g, application, input), { rule: "vjp", input });
      const cotangent = found === undefined ? new Float64Array(x.size) : numbers(found);
      if (largest(cotangent) > 0) scale = largest(cotangent);
      this.#hold({ rule: "vjp", of, order: 1 }, x, slopes, cotangent);
    });
    const accumulate = declaration.accumulate?.[input];
    if (accumulate === undefined) return;
    this.#try({ rule: "accumulate", of, order: 1 }, x, () => {
      const before = this.#scattered(x).map((value) => value * scale);
      const into = float64(before, x);
      accumulate(g, application, into);
      const added = numbers(into).map((value, i) => value - before[i]!);
      const rounding = 4 * Number.EPSILON * scale;
      this.#hold({ rule: "accumulate", of, order: 1 }, x, slopes, added, rounding);
    });
  }

  #checkJvp(application: Application, floats: readonly number[]): void {
    if (isNone(this.entry.declaration.jvp)) return;
    const of: Of = { rule: "jvp", of: "the output", order: 1 };
    const { output, inputs } = application;
    this.#try(of, output, () => {
      const random = new Map(floats.map((i) => [i, this.#scattered(inputs[i]!)]));
      // Next to a pole each element must move less than its distance from it.
      const isDecided = this.#holdTangent(of, application, random, lengthsOf);
      if (!isDecided && !this.#holdTangent(of, application, random, (x) => x.map(Math.abs))) {
        this.isDecided = false;
      }
    });
  }

  /** Compares a tangent with differences: whether they decide, and which element is worst. */
  #holdTangent(
    of: Of,
    application: Application,
    random: ReadonlyMap<number, Float64Array>,
    lengths: (x: Float64Array) => Float64Array,
  ): boolean {
    const { inputs, output } = application;
    const { tolerance } = this;
    const values = inputs.map((x) => x.toTypedArray() as Float64Array);
    const v = new Map(
      [...random].map(([i, parts]) => {
        const reach = lengths(values[i]!);
        return [i, parts.map((part, k) => part * reach[k]!)];
      }),
    );
    const tangents = inputs.map((x, i) => {
      const direction = v.get(i);
      return direction === undefined ? null : float64(direction, x);
    });
    const found = numbers(this.#held(this.#tangent(application, tangents), "jvp"));
    const along = (s: number) =>
      this.#at(
        new Map(
          [...v].map(([i, direction]) => {
            const there = values[i]!.map((value, k) => value + s * direction[k]!);
            return [i, float64(there, inputs[i]!)];
          }),
        ),
      );
    const first = differences(along, directionSteps[0]!);
    const around = scaleOf(first);
    const standing = (k: number, now: Differences) =>
      standingOf([found[k]!], numericAt(now, k, 1), around, tolerance);
    const best = adapted(along, directionSteps, standing, first);
    const scale = scaleOf(best);
    let [isAll, worst, most] = [true, -1, 0];
    for (let k = 0; k < found.length; k++) {
      const numeric = numericAt(best, k, 1);
      const verdict = judge(found[k]!, numeric, scale, tolerance);
      if (verdict === "undecided") {
        isAll = false;
        continue;
      }
      const among = verdict === "wrong" ? 0 : Math.max(scale, numeric.steepest);
      this.#note(relative(found[k]!, numeric.value, among), verdict);
      const off = excess(found[k]!, numeric, tolerance);
      if (verdict !== "wrong" || (worst >= 0 && !(off > most))) continue;
      [worst, most] = [k, off];
    }
    if (worst >= 0) this.#blame(of, output, worst, found[worst]!, best.values[worst]!);
    return isAll || worst >= 0;
  }

  /** What forward mode takes for the tangent of an application. */
  #tangent(
    { inputs, output, attributes }: Application,
    tangents: readonly (Tensor | null)[],
  ): Tensor {
    const { declaration } = this.entry;
    const { jvp } = declaration;
    if (isNone(jvp)) throw new Error("there is no jvp");
    if (jvp !== "linear") return jvp(tangents, { inputs, output, attributes });
    return apply(
      declaration,
      inputs.map((x, i) => tangents[i] ?? x),
      attributes,
    );
  }

  /** Differentiates the vjp rules by the cotangent they are given and by the inputs. */
  #checkSecond(floats: readonly number[], g: Tensor): void {
    const { declaration, attributes } = this.entry;
    for (const input of floats) {
      const rule = vjpRule(declaration, input)!;
      const of = nameOfInput(declaration, input);
      const variables = [g, ...floats.map((i) => this.inputs[i]!)];
      const names = ["its cotangent", ...floats.map((i) => nameOfInput(declaration, i))];
      /** The rule as a function of its cotangent and the inputs. */
      const run = (given: readonly Tensor[]): Tensor => {
        const inputs = this.inputs.map((x, i) => {
          const at = floats.indexOf(i);
          return at < 0 ? x : given[1 + at]!;
        });
        const output = apply(declaration, inputs, attributes);
        return rule(given[0]!, { inputs, output, attributes }, input);
      };
      this.#try({ rule: "vjp", of, order: 2 }, variables[1]!, () => {
        const recording = new Recording();
        const watched = recording.watch(variables);
        const cotangent = run(watched);
        const u = this.#scattered(cotangent);
        const own = recording.own(cotangent);
        const w = float64(u, cotangent);
        const found = own === undefined ? [] : backward(recording, [[own, w]], watched);
        const program: Program = (changed) =>
          inPassing(() => run(variables.map((x, k) => changed.get(k) ?? x)));
        for (const [k, x] of variables.entries()) {
          const values = found[k] === undefined ? new Float64Array(x.size) : numbers(found[k]);
          const slopes = this.#slopes(program, k, x, u);
          this.#hold({ rule: "vjp", of, order: 2, by: names[k]! }, x, slopes, values);
        }
      });
    }
  }

  #note(error: number, verdict: "right" | "wrong"): void {
    if (verdict === "wrong" || error <= this.tolerance) this.worst = Math.max(this.worst, error);
  }

  #held(found: Tensor, of: Ruled): Tensor {
    const like = of === "jvp" ? this.entry.output : this.entry.inputs[of.input]!;
    // In float64, whatever the tape's dtype.
    const wide = like.dtype === "float64" ? like : float64(new Float64Array(like.size), like);
    if (fits(found, wide)) return found;
    throw misfit(found, wide, of, this.entry, this.position);
  }

  #hold(of: Of, x: Tensor, slopes: Slopes, found: Float64Array, rounding = 0): void {
    const note = (error: number) => {
      this.worst = Math.max(this.worst, error);
    };
    const worst = slopes.hold(found, note, rounding);
    if (worst === "undecided") this.isDecided = false;
    else if (worst !== undefined) this.#blame(of, x, worst.index, worst.analytic, worst.numeric);
  }

  #try(of: Of, like: Tensor, body: () => void): void {
    try {
      body();
    } catch (error) {
      this.#blame(of, like, 0, Number.NaN, Number.NaN, error);
    }
  }

  #blame(
    of: Of,
    { shape }: Tensor,
    index: number,
    analytic: number,
    numeric: number,
    error?: unknown,
  ): void {
    this.faults.push({
      ...siteOf(this.entry, this.position),
      ...of,
      shape,
      index,
      analytic,
      numeric,
      error: relative(analytic, numeric),
      ...(error !== undefined && { threw: error instanceof Error ? error.message : String(error) }),
    });
  }
}

/** The numbers of a value whose intermediates are gone afterwards. */
function inPassing(value: () => Tensor): Float64Array {
  const region = new Region();
  try {
    return within(region, () => numbers(value()));
  } finally {
    region.end(spent);
  }
}

const numbers = (x: Tensor): Float64Array => Float64Array.from(x.toTypedArray());

function float64(data: ArrayLike<number>, like: Tensor): Tensor {
  const values = data instanceof Float64Array ? data : Float64Array.from(data);
  return tensor(values, { shape: like.shape, dtype: "float64", backend: like.backend });
}
