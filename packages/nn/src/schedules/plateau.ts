import { checkNumber, checkSteps, type Schedule } from "./schedule.ts";

/** Options of `plateau`. */
export interface PlateauOptions {
  readonly initial: number;
  /** What the rate is multiplied by; 0.1 unless given. */
  readonly factor?: number;
  /** Reports without improvement that are let pass; 10 unless given. */
  readonly patience?: number;
  /** The relative change that counts as an improvement; 1e-4 unless given. */
  readonly threshold?: number;
  /** Whether smaller metrics are better (`"min"`, unless given) or larger ones (`"max"`). */
  readonly mode?: "min" | "max";
  /** Reports after a cut during which none is counted as bad; 0 unless given. */
  readonly cooldown?: number;
  /** The rate never falls below this; 0 unless given. */
  readonly minimum?: number;
}

/** Where a plateau schedule stands, as plain JSON. */
export interface PlateauState {
  readonly rate: number;
  /** The best metric so far; null before the first report. */
  readonly best: number | null;
  readonly badReports: number;
  readonly cooldownLeft: number;
}

/** A schedule that falls when a metric stops improving. It ignores the step. */
export interface Plateau extends Schedule {
  /** Takes in a metric, an epoch's validation loss for example. Throws for NaN. */
  report(metric: number): void;
  /** What to save to go on later. */
  state(): PlateauState;
  /** Goes on from a saved state. */
  load(state: PlateauState): void;
}

/**
 * A learning rate that is cut when a reported metric has not improved for more than `patience` reports. Rules and
 * defaults as PyTorch's `ReduceLROnPlateau`, whose `eps` is 0 here.
 *
 * @throws for an option out of range
 *
 * @example
 * ```ts
 * import { plateau } from "@chronograd/nn";
 *
 * const rate = plateau({ initial: 1, factor: 0.5, patience: 1 });
 * for (const loss of [3, 2, 2, 2]) rate.report(loss);
 * rate(0); // => 0.5
 * ```
 */
export function plateau({
  initial,
  factor = 0.1,
  patience = 10,
  threshold = 1e-4,
  mode = "min",
  cooldown = 0,
  minimum = 0,
}: PlateauOptions): Plateau {
  checkNumber(initial, "initial", "plateau");
  checkNumber(factor, "factor", "plateau", 0, false);
  checkNumber(threshold, "threshold", "plateau");
  checkNumber(minimum, "minimum", "plateau");
  checkSteps(patience, "patience", "plateau", 0);
  checkSteps(cooldown, "cooldown", "plateau", 0);
  if (factor >= 1) throw new RangeError(`plateau: factor must be below 1, got ${factor}`);
  if (mode !== "min" && mode !== "max") {
    throw new TypeError(`plateau: mode must be "min" or "max", got ${JSON.stringify(mode)}`);
  }
  let current: PlateauState = { rate: initial, best: null, badReports: 0, cooldownLeft: 0 };

  const improves = (metric: number, best: number | null): boolean => {
    return mode === "min"
      ? metric < (best ?? Number.POSITIVE_INFINITY) * (1 - threshold)
      : metric > (best ?? Number.NEGATIVE_INFINITY) * (1 + threshold);
  };

  const report = (metric: number): void => {
    if (typeof metric !== "number" || Number.isNaN(metric)) {
      throw new RangeError(`report: the metric must be a number, got ${String(metric)}`);
    }
    let { rate, best, badReports, cooldownLeft } = current;
    if (improves(metric, best)) {
      best = metric;
      badReports = 0;
    } else badReports++;
    if (cooldownLeft > 0) {
      cooldownLeft--;
      badReports = 0;
    }
    if (badReports > patience) {
      rate = Math.min(rate, Math.max(rate * factor, minimum));
      cooldownLeft = cooldown;
      badReports = 0;
    }
    current = { rate, best, badReports, cooldownLeft };
  };

  return Object.assign(() => current.rate, {
    report,
    state: () => current,
    load: ({ rate, best, badReports, cooldownLeft }: PlateauState) => {
      checkNumber(rate, "rate", "load");
      if (best !== null) checkNumber(best, "best", "load", Number.NEGATIVE_INFINITY);
      checkSteps(badReports, "badReports", "load", 0);
      checkSteps(cooldownLeft, "cooldownLeft", "load", 0);
      current = { rate, best, badReports, cooldownLeft };
    },
  });
}
