import { apply } from "../ops/apply.ts";
import { type Application, isNone, nameOfInput, vjpRule } from "../ops/declare.ts";
import type { Entry } from "../tape/entry.ts";
import type { Recording } from "../tape/recording.ts";
import { Region, within } from "../tensor/block.ts";
import { tensor } from "../tensor/doors.ts";
import { isFloat } from "../tensor/dtype.ts";
import { innermostPrimal, type Tensor } from "../tensor/tensor.ts";
import { differences, scatter } from "./differences.ts";
import { type Site, siteOf } from "./site.ts";
import { dot, largest, relative, worstOf } from "./worst.ts";

/** A derivative rule that differs from the differences of its op. */
export interface RuleFault extends Site {
  /** Which rule is wrong. */
  readonly rule: "vjp" | "accumulate" | "jvp";
  /** The input whose cotangent is wrong; for a jvp rule, the output. */
  readonly of: string;
  readonly shape: readonly number[];
  /** Position of the worst element in it. */
  readonly index: number;
  readonly analytic: number;
  readonly numeric: number;
  /** |analytic - numeric| relative to the larger of both and 1. */
  readonly error: number;
  /** The rule's own exception, if it threw one. */
  readonly threw?: string;
}

/** What `check` found. */
export interface RuleCheck {
  /** Worst element of every rule that is wrong, in the tape's order. */
  readonly faults: readonly RuleFault[];
  /** Entries whose rules were tested. */
  readonly checked: number;
  /** The largest relative error, whether or not it is a fault. */
  readonly worst: number;
  /** Entries left out: at a kink, ill-conditioned, or rounding to float32 themselves. */
  readonly undecided: readonly Site[];
}

/** How `check` compares. */
export interface RuleCheckOptions {
  /** Largest relative error allowed; 1e-6 unless given. */
  readonly tolerance?: number;
  readonly seed?: number;
}

const spent = "it was an intermediate value of a check";
const step = 1e-3;

/**
 * Holds the rules of every entry, at the inputs that it recorded, to differences of its op: finds which op is wrong when
 * a whole gradient is. All of it in float64, whatever the tape's dtype.
 */
export function check(recording: Recording, options: RuleCheckOptions = {}): RuleCheck {
  const { tolerance = 1e-6, seed = 1 } = options;
  const faults: RuleFault[] = [];
  const undecided: Site[] = [];
  const { entries, base } = recording;
  let checked = 0;
  let worst = 0;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries.at(base + i);
    const region = new Region();
    try {
      const examined = within(region, () => new Examination(entry, base + i, tolerance, seed + i));
      const { applies, faults: found, isDecided } = within(region, () => examined.run());
      if (!applies) continue;
      checked++;
      worst = Math.max(worst, examined.worst);
      faults.push(...found);
      if (!isDecided) undecided.push(siteOf(entry, base + i));
    } finally {
      region.end(spent);
    }
  }
  return { faults, checked, worst, undecided };
}

/** One entry under test: its op as a function of float64 numbers. */
class Examination {
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

  run(): { applies: boolean; faults: readonly RuleFault[]; isDecided: boolean } {
    const { entry, inputs, faults } = this;
    const floats = inputs.flatMap((x, i) => (isFloat(x.dtype) ? [i] : []));
    if (!isFloat(entry.output.dtype) || floats.length === 0) {
      return { applies: false, faults, isDecided: true };
    }
    const output = apply(entry.declaration, inputs, entry.attributes);
    if (output.dtype === "float32") return { applies: true, faults, isDecided: false };
    const application = { inputs, output, attributes: entry.attributes };
    const u = this.#scattered(output);
    for (const i of floats) this.#checkVjp(application, i, u);
    const varying = floats.filter((i) => vjpRule(entry.declaration, i) !== undefined);
    if (varying.length > 0) this.#checkJvp(application, varying);
    return { applies: true, faults, isDecided: this.isDecided };
  }

  /** The op's output with some inputs replaced. */
  #at(changed: ReadonlyMap<number, Tensor>): Float64Array {
    const { declaration, attributes } = this.entry;
    const region = new Region();
    try {
      return within(region, () => {
        const inputs = this.inputs.map((x, i) => changed.get(i) ?? x);
        return Float64Array.from(apply(declaration, inputs, attributes).toTypedArray());
      });
    } finally {
      region.end(spent);
    }
  }

  #scattered(like: Tensor): Float64Array {
    return Float64Array.from({ length: like.size }, () => this.random() || 0.5);
  }

  #checkVjp(application: Application, input: number, u: Float64Array): void {
    const { declaration } = this.entry;
    const x = application.inputs[input]!;
    const values = x.toTypedArray() as Float64Array;
    const h = step * Math.max(1, largest(values));
    /** `<u, op(x + s v)>` differentiated by `s`. */
    const along = (v: (i: number) => number) =>
      differences((s) => {
        const moved = float64(
          values.map((value, i) => value + s * v(i)),
          x,
        );
        return [dot(u, this.#at(new Map([[input, moved]])))];
      }, h);
    for (const rule of ["vjp", "accumulate"] as const) {
      let found: Float64Array;
      try {
        const cotangent = this.#cotangent(rule, application, input, u);
        if (cotangent === undefined) continue;
        found = cotangent;
      } catch (error) {
        this.#blame(
          rule,
          nameOfInput(declaration, input),
          x.shape,
          0,
          Number.NaN,
          Number.NaN,
          error,
        );
        continue;
      }
      const note = (error: number) => {
        this.worst = Math.max(this.worst, error);
      };
      const position = worstOf(x.size, this.tolerance, found, along, this.random, note);
      if (position === undefined) continue;
      if (position < 0) {
        this.isDecided = false;
        continue;
      }
      const numeric = along((i) => (i === position ? 1 : 0)).values[0]!;
      this.#blame(
        rule,
        nameOfInput(declaration, input),
        x.shape,
        position,
        found[position]!,
        numeric,
      );
    }
  }

  /** What a rule gives for the cotangent `u`; `undefined` where there is no such rule. */
  #cotangent(
    rule: "vjp" | "accumulate",
    application: Application,
    input: number,
    u: Float64Array,
  ): Float64Array | undefined {
    const { declaration } = this.entry;
    const x = application.inputs[input]!;
    const g = float64(u, application.output);
    if (rule === "vjp") {
      const vjp = vjpRule(declaration, input);
      if (vjp === undefined) return new Float64Array(x.size);
      const cotangent = vjp(g, application, input);
      if (cotangent.shape.join() !== x.shape.join()) {
        throw new Error(`the cotangent has shape [${cotangent.shape}], expected [${x.shape}]`);
      }
      return cotangent.toTypedArray() as Float64Array;
    }
    const accumulate = declaration.accumulate?.[input];
    if (accumulate === undefined) return undefined;
    const before = this.#scattered(x);
    const into = float64(before, x);
    accumulate(g, application, into);
    return (into.toTypedArray() as Float64Array).map((value, i) => value - before[i]!);
  }

  #checkJvp(application: Application, floats: readonly number[]): void {
    const { declaration } = this.entry;
    const { jvp } = declaration;
    if (isNone(jvp)) return;
    const { output, inputs } = application;
    const v = new Map(floats.map((i) => [i, this.#scattered(inputs[i]!)]));
    const scale = Math.max(1, ...floats.map((i) => largest(inputs[i]!.toTypedArray())));
    const { values, uncertainties } = differences((s) => {
      const moved = new Map<number, Tensor>();
      for (const [i, direction] of v) {
        const x = inputs[i]!;
        moved.set(
          i,
          float64(
            x.toTypedArray().map((value, k) => value + s * direction[k]!),
            x,
          ),
        );
      }
      return this.#at(moved);
    }, step * scale);
    const tangents = inputs.map((x, i) => {
      const direction = v.get(i);
      return direction === undefined ? null : float64(direction, x);
    });
    let found: ArrayLike<number>;
    try {
      const dy =
        jvp === "linear"
          ? apply(
              declaration,
              inputs.map((x, i) => tangents[i] ?? x),
              application.attributes,
            )
          : jvp(tangents, application);
      found = dy.toTypedArray();
    } catch (error) {
      this.#blame("jvp", "the output", output.shape, 0, Number.NaN, Number.NaN, error);
      return;
    }
    let worst = -1;
    let error = this.tolerance;
    for (let i = 0; i < values.length; i++) {
      const here = relative(found[i]!, values[i]!);
      if (!(uncertainties[i]! <= this.tolerance * Math.max(1, Math.abs(values[i]!)))) {
        this.isDecided = false;
        continue;
      }
      this.worst = Math.max(this.worst, here);
      if (!(here <= error)) {
        worst = i;
        error = here;
      }
    }
    if (worst >= 0)
      this.#blame("jvp", "the output", output.shape, worst, found[worst]!, values[worst]!);
  }

  #blame(
    rule: RuleFault["rule"],
    of: string,
    shape: readonly number[],
    index: number,
    analytic: number,
    numeric: number,
    error?: unknown,
  ): void {
    this.faults.push({
      ...siteOf(this.entry, this.position),
      rule,
      of,
      shape,
      index,
      analytic,
      numeric,
      error: relative(analytic, numeric),
      ...(error !== undefined && { threw: error instanceof Error ? error.message : String(error) }),
    });
  }
}

function float64(data: ArrayLike<number>, like: Tensor): Tensor {
  const values = data instanceof Float64Array ? data : Float64Array.from(data);
  return tensor(values, { shape: like.shape, dtype: "float64", backend: like.backend });
}
