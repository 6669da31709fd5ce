import { checkOptions } from "../tensor/options.ts";
import { checkSettings } from "./settings.ts";

/** What a law found for one seed. */
export interface Finding {
  /** The largest error, in the law's own measure; NaN and infinity break the law. */
  readonly error: number;
  /** How many numbers were compared. */
  readonly cases: number;
  /** Where the largest error is and what stood there, in words. */
  readonly what?: string;
}

/** Something that must hold, whatever the seed. */
export interface Law {
  /** Short: the heading of a column. */
  readonly name: string;
  /** The law as a formula or a sentence. */
  readonly statement: string;
  /** Largest error allowed; 0 where both sides must be equal bit by bit. */
  readonly bound: number;
  /**
   * Tries one random case; `undefined` where the law says nothing about the subject. An exception
   * breaks the law.
   */
  measure(seed: number): Finding | undefined;
}

/** What became of one law over some seeds. */
export interface LawResult {
  readonly name: string;
  readonly statement: string;
  readonly bound: number;
  readonly ok: boolean;
  /** The largest error over all seeds. */
  readonly worst: number;
  readonly cases: number;
  /** The first seed that broke the law, to replay it with. */
  readonly seed?: number;
  /** What stood where the law broke. */
  readonly what?: string;
}

/** Which seeds to try. */
export interface SeedOptions {
  /** The first seed; 1 unless given. */
  readonly seed?: number;
  /** How many, counting up; 3 unless given. */
  readonly runs?: number;
}

/** What became of all laws about one subject: an op, a cell, a model. */
export class Report {
  readonly subject: string;
  readonly laws: readonly LawResult[];

  constructor(subject: string, laws: readonly LawResult[]) {
    this.subject = subject;
    this.laws = laws;
  }

  /** Whether every law held. */
  get ok(): boolean {
    return this.laws.every(({ ok }) => ok);
  }

  /** Throws an error that says what broke, if anything did. */
  assert(): void {
    if (!this.ok) throw new Error(this.toString());
  }

  /** One line per law, and below a broken one what stood where it broke. */
  toString(): string {
    const broken = this.laws.filter(({ ok }) => !ok).length;
    const width = Math.max(0, ...this.laws.map(({ name }) => name.length));
    const verdict =
      broken === 0
        ? `all ${this.laws.length} laws hold`
        : `${broken} of ${this.laws.length} laws broken`;
    const lines = this.laws.map((law) => {
      const bound = law.bound === 0 ? "bitwise" : `<= ${law.bound.toExponential(0)}`;
      const line = `  ${law.ok ? "ok    " : "BROKEN"} ${law.name.padEnd(width)}  worst ${law.worst.toExponential(1)} (${bound}), ${law.cases} cases`;
      if (law.ok) return line;
      const replay = law.seed === undefined ? "" : `\n         replay with seed ${law.seed}`;
      const what =
        law.what === undefined ? "" : `\n         ${law.what.replaceAll("\n", "\n         ")}`;
      return `${line}\n         ${law.statement}${what}${replay}`;
    });
    return `${this.subject}: ${verdict}\n${lines.join("\n")}`;
  }
}

/**
 * Holds one law for some seeds; stops at the first that breaks it. `undefined` where it says
 * nothing.
 */
export function hold(law: Law, options: SeedOptions = {}): LawResult | undefined {
  checkOptions("hold", options, ["seed", "runs"]);
  checkSettings("hold", options);
  const { seed = 1, runs = 3 } = options;
  const { name, statement, bound } = law;
  let worst = 0;
  let cases = 0;
  let applies = false;
  for (let i = 0; i < runs; i++) {
    const found = attempt(law, seed + i);
    if (found === undefined) continue;
    applies = true;
    cases += found.cases;
    const { error, what } = found;
    if (!(error <= worst)) worst = error;
    if (error <= bound) continue;
    const where = { seed: seed + i, ...(what !== undefined && { what }) };
    return { name, statement, bound, ok: false, worst, cases, ...where };
  }
  return applies ? { name, statement, bound, ok: true, worst, cases } : undefined;
}

function attempt(law: Law, seed: number): Finding | undefined {
  try {
    return law.measure(seed);
  } catch (error) {
    const what = `threw: ${error instanceof Error ? error.message : String(error)}`;
    return { error: Infinity, cases: 1, what };
  }
}

/** Holds all laws about a subject for some seeds. */
export function holdAll(subject: string, laws: readonly Law[], options: SeedOptions = {}): Report {
  checkOptions("holdAll", options, ["seed", "runs"]);
  checkSettings("holdAll", options);
  const results = laws.map((law) => hold(law, options));
  return new Report(
    subject,
    results.filter((result) => result !== undefined),
  );
}
