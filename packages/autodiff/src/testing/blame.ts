import { apply } from "../ops/apply.ts";
import { nameOfInput } from "../ops/declare.ts";
import { backward, type Seed } from "../passes/backward.ts";
import { replay } from "../passes/replay.ts";
import { describeSite, type Site, siteOf } from "../passes/site.ts";
import { constantId, type Entry } from "../tape/entry.ts";
import { Tape } from "../tape.ts";
import { tensor } from "../tensor/create.ts";
import { isFloat } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { innermostPrimal, type Tensor } from "../tensor/tensor.ts";
import { leaves } from "../tensor/tree.ts";
import { checkTape } from "./checkTape.ts";
import type { Differences } from "./differences.ts";
import { type Flattened, type Run, randomVector } from "./function.ts";
import { describeFault, type RuleFault, ruleOf } from "./ruleFault.ts";
import { adapted, directionSteps, lengthsOf } from "./steps.ts";
import { judge, numericAt, relative, standingOf } from "./verdict.ts";
import { largest } from "./worst.ts";

/**
 * Why a whole gradient is wrong.
 *
 * - `"rule"`: a derivative rule is; the site is the first entry whose rule is.
 * - `"random"`: the function is not deterministic; the site is the first entry that came out
 *   differently.
 * - `"branch"`: another program runs when the inputs change slightly; the site is where it parts.
 * - `"off the tape"`: a value depends on the inputs but comes in as a constant (`detach`,
 *   `toArray`, `item`).
 * - `"sweep"`: all rules are right, but what the sweep adds up for an entry's output is not.
 */
export interface Blame {
  readonly kind: "rule" | "random" | "branch" | "off the tape" | "sweep";
  readonly site: Site | undefined;
  /** The rules that are wrong, for `"rule"`. */
  readonly faults: readonly RuleFault[];
  readonly message: string;
}

/** Entries that a sweep is examined over, at most. */
const fewEntries = 600;

/** Looks for what makes the gradient of a function wrong; `undefined` where nothing was found. */
export function blame<T>(flat: Flattened<T>, tolerance: number, seed: number): Blame | undefined {
  return flat.pulled(
    (_pullback, run) => {
      const { faults } = checkTape(run.tape, { tolerance: Math.max(tolerance, 1e-7), seed });
      const wrong = faults.filter(({ rule }) => rule !== "jvp");
      if (wrong.length > 0) return ofRules(wrong);
      const same = comparePrograms(flat, run, flat.x);
      if (same !== undefined) return ofDifference(same, true);
      const random = randomVector(flat.x.length, seed);
      const nearby = flat.lengths.map((length, i) => flat.x[i]! + 1e-3 * length * random[i]!);
      const other = comparePrograms(flat, run, nearby);
      if (other !== undefined) return ofDifference(other, false);
      return ofSweep(flat, run, seed) ?? (faults.length > 0 ? ofRules(faults) : undefined);
    },
    { trace: true },
  );
}

/** Looks for the op whose rule cannot be differentiated rightly, where the rule itself is right. */
export function blameSecond<T>(
  flat: Flattened<T>,
  tolerance: number,
  seed: number,
): Blame | undefined {
  return flat.pulled(
    (_pullback, { tape }) => {
      const { faults } = checkTape(tape, { tolerance: Math.max(tolerance, 1e-7), seed, order: 2 });
      return faults.length > 0 ? ofRules(faults) : undefined;
    },
    { trace: true },
  );
}

function ofRules(faults: readonly RuleFault[]): Blame {
  const worst = faults.reduce((a, b) => (b.error > a.error ? b : a));
  // The same rule fails at many steps: the first stands for all, the worst for itself.
  const alike = faults.filter((fault) => ruleOf(fault) === ruleOf(worst));
  const others = new Set(faults.filter((fault) => !alike.includes(fault)).map(ruleOf));
  const lines = [`to blame: ${describeFault(worst)}`];
  if (alike.length > 1) {
    const steps = [...new Set(alike.flatMap(({ t }) => (t === undefined ? [] : [t])))];
    lines.push(
      `  the same at ${alike.length - 1} more entries${steps.length > 1 ? `, time steps ${steps.join(", ")}` : ""}`,
    );
  }
  if (others.size > 0) lines.push(`  also wrong: ${[...others].join(", ")}`);
  return { kind: "rule", site: worst, faults, message: lines.join("\n") };
}

/** Where two runs of one function part. */
interface Parting {
  readonly site: Site | undefined;
  readonly what: "program" | "constant" | "value" | "output";
  readonly words: string;
}

function comparePrograms<T>(flat: Flattened<T>, run: Run<T>, x: Float64Array): Parting | undefined {
  return scope(() => {
    const tape = new Tape({ trace: true });
    const outputs = leaves(flat.f(tape.watch(flat.tree(x)) as never)).filter((y) =>
      isFloat(y.dtype),
    );
    const isSame = x === flat.x;
    const [one, two] = [run.tape.entries, tape.entries];
    for (let i = 0; i < Math.max(one.length, two.length); i++) {
      if (i >= one.length || i >= two.length) {
        const entry = i < one.length ? one.at(i) : two.at(i);
        return { site: siteOf(entry, i), what: "program", words: "one run ends before it" };
      }
      const parting = compareEntries(one.at(i), two.at(i), i, isSame);
      if (parting === undefined) continue;
      // A constant that cancels out again, as a scale against overflow does, is not to blame.
      if (parting.what !== "constant" || matters(run, one.at(i), two.at(i), i)) return parting;
    }
    for (const [k, y] of run.outputs.entries()) {
      if (run.tape.tracks(y) || equal(y, outputs[k]!)) continue;
      const words = `output ${JSON.stringify(flat.outputParts[k]!.path)} changes with the inputs but was not recorded`;
      return { site: undefined, what: "output", words };
    }
    return undefined;
  });
}

/** Whether the outputs change when an entry takes the constants and numbers of the other run. */
function matters(run: Run<unknown>, a: Entry, b: Entry, position: number): boolean {
  const { tape, outputs } = run;
  const wanted = outputs.flatMap((y) => tape.own(y) ?? []);
  const inputs = a.inputs.map((input, i) =>
    innermostPrimal(a.ids[i] === constantId ? b.inputs[i]! : input),
  );
  const changed = apply(a.declaration, inputs, b.attributes);
  const again = replay(tape, new Map([[position, changed]]), wanted, position + 1);
  return wanted.some((y, k) => {
    const [before, after] = [innermostPrimal(y).toTypedArray(), again[k]!.toTypedArray()];
    const scale = largest(before);
    for (let i = 0; i < before.length; i++) {
      if (!(relative(before[i]!, after[i]!, scale) <= 1e-10)) return true;
    }
    return false;
  });
}

function compareEntries(
  a: Entry,
  b: Entry,
  position: number,
  isSame: boolean,
): Parting | undefined {
  const site = siteOf(a, position);
  const [x, y] = [a.declaration.name, b.declaration.name];
  if (x !== y || siteOf(b, position).shapes !== site.shapes) {
    return {
      site,
      what: "program",
      words: `the other run applies ${y} ${siteOf(b, position).shapes} there`,
    };
  }
  for (const [i, id] of a.ids.entries()) {
    if (id !== constantId || !isFloat(a.inputs[i]!.dtype) || equal(a.inputs[i]!, b.inputs[i]!))
      continue;
    const words = `its input ${nameOfInput(a.declaration, i)} ${a.inputs[i]}`;
    return { site, what: "constant", words };
  }
  if (!alike(a.attributes, b.attributes)) {
    return {
      site,
      what: "constant",
      words: `a number that it is given (${String(a.attributes)} in one run, ${String(b.attributes)} in the other)`,
    };
  }
  if (isSame && !equal(a.output, b.output)) {
    return { site, what: "value", words: "its output" };
  }
  return undefined;
}

function ofDifference({ site, what, words }: Parting, isSame: boolean): Blame {
  const where = site === undefined ? "" : `${describeSite(site)}: `;
  const blamed = (kind: Blame["kind"], text: string): Blame => ({
    kind,
    site,
    faults: [],
    message: `to blame: ${where}${text}`,
  });
  if (isSame) {
    return blamed(
      "random",
      `${words} differs between two runs on the same inputs; draw random numbers from a stream that is seeded inside the function`,
    );
  }
  if (what === "program") {
    return blamed(
      "branch",
      `${words} when the inputs change slightly; a choice that depends on values has no derivative where it changes`,
    );
  }
  return blamed(
    "off the tape",
    `${words} depends on the inputs, but came in as a constant; look for detach(...), toArray() or item() on the way to it`,
  );
}

/**
 * Compares what a sweep adds up for every entry's output with differences of a replay from there,
 * from the last entry to the first: where that first differs, the way from the entries after it is
 * at fault.
 */
function ofSweep<T>(flat: Flattened<T>, run: Run<T>, seed: number): Blame | undefined {
  const { tape, outputs, watched } = run;
  const { entries } = tape;
  if (entries.length > fewEntries) return undefined;
  const u = randomVector(flat.outputs, seed);
  const [targets, cotangents] = flat.seeds(tape, outputs, u);
  const swept = new Map<number, Float64Array>();
  const seeds = targets.map((y, k): Seed => [tape.own(y)!, cotangents[k]!]);
  const inputs = leaves(watched).filter((x) => isFloat(x.dtype));
  backward(tape, seeds, inputs, {
    observer: { visit: (position, g) => swept.set(position, Float64Array.from(g.toTypedArray())) },
  });
  const wanted = seeds.map(([y]) => y);
  for (let position = entries.end - 1; position >= entries.base; position--) {
    const found = swept.get(position);
    if (found === undefined) continue;
    const entry = entries.at(position);
    const value = Float64Array.from(innermostPrimal(entry.output).toTypedArray());
    const lengths = lengthsOf(value);
    const v = randomVector(value.length, seed + position).map((part, i) => part * lengths[i]!);
    const { shape, backend } = entry.output;
    const along = (s: number) =>
      scope(() => {
        const moved = tensor(
          value.map((x, i) => x + s * v[i]!),
          { shape, backend },
        );
        const again = replay(tape, new Map([[position, moved]]), wanted, position + 1);
        let sum = 0;
        for (const [k, y] of again.entries()) {
          const share = cotangents[k]!.toTypedArray();
          const values = y.toTypedArray();
          for (let i = 0; i < values.length; i++) sum += share[i]! * values[i]!;
        }
        return [sum];
      });
    const analytic = found.reduce((sum, g, i) => sum + g * v[i]!, 0);
    const terms = found.reduce((sum, g, i) => sum + Math.abs(g * v[i]!), 0);
    const at = (best: Differences) => numericAt(best, 0, 1);
    const best = adapted(along, directionSteps, (_, now) =>
      standingOf([analytic], at(now), 0, 1e-6),
    );
    const numeric = best.values[0]!;
    if (judge(analytic, at(best), 0, 1e-6, 1e-14 * terms) !== "wrong") continue;
    const site = siteOf(entry, position);
    const users = usersOf(entries, position);
    const message = `to blame: the sweep: every rule is right, but what is added up for the output of ${describeSite(site)} (used by ${users}) is not: along a random direction analytic ${analytic}, numeric ${numeric}`;
    return { kind: "sweep", site, faults: [], message };
  }
  return undefined;
}

function usersOf(entries: Run<unknown>["tape"]["entries"], position: number): string {
  const users: string[] = [];
  for (let i = position + 1; i < entries.end; i++) {
    const { declaration, ids } = entries.at(i);
    if (ids.includes(position)) users.push(`${declaration.name} entry ${i}`);
  }
  return users.join(", ") || "nothing";
}

/** Equal bit by bit. */
function equal(a: Tensor, b: Tensor): boolean {
  const [x, y] = [innermostPrimal(a).toTypedArray(), innermostPrimal(b).toTypedArray()];
  return x.length === y.length && x.every((value, i) => Object.is(value, y[i]));
}

/** Attributes are plain data: numbers, and lists and records of them. */
function alike(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (ArrayBuffer.isView(a) || Array.isArray(a)) {
    const [x, y] = [Array.from(a as ArrayLike<unknown>), Array.from(b as ArrayLike<unknown>)];
    return x.length === y.length && x.every((value, i) => alike(value, y[i]));
  }
  const [x, y] = [Object.entries(a), b as Record<string, unknown>];
  return x.every(([key, value]) => alike(value, y[key]));
}
