import { describe } from "../ops/declare.ts";
import { type Site, siteOf } from "../passes/site.ts";
import { Tape } from "../tape.ts";
import { Region, within } from "../tensor/block.ts";
import { checkOptions } from "../tensor/options.ts";
import { Examination } from "./examination.ts";
import type { RuleFault } from "./ruleFault.ts";
import { checkSettings } from "./settings.ts";

/** What `checkTape` found. */
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

/** How `checkTape` compares. */
export interface RuleCheckOptions {
  /** Largest relative error allowed; 1e-6 unless given. */
  readonly tolerance?: number;
  readonly seed?: number;
  /** 2 to differentiate the rules themselves too, as second derivatives do; 1 unless given. */
  readonly order?: 1 | 2;
}

const spent = "it was an intermediate value of a check";

/**
 * Holds the derivative rules of every entry, at the inputs that it recorded, to differences of its
 * op: tells which op is wrong when a whole gradient is. In float64, whatever the tape's dtype; a
 * tape of a float32 training step will do.
 *
 * @throws when the tape has ended
 *
 * @example
 * ```ts
 * import { Tape, tensor } from "@chronograd/autodiff";
 * import { checkTape } from "@chronograd/autodiff/testing";
 *
 * const tape = new Tape();
 * tape.watch(tensor([1, 2])).tanh().square().sum();
 * const { checked, faults } = checkTape(tape);
 * [checked, faults]; // => [3, []]
 * ```
 */
export function checkTape(tape: Tape, options: RuleCheckOptions = {}): RuleCheck {
  if (!(tape instanceof Tape)) {
    throw new TypeError(
      `checkTape: tape must be a Tape, got ${describe(tape)}; pass the one that watched the inputs`,
    );
  }
  tape.checkOpen("checkTape");
  checkOptions("checkTape", options, ["tolerance", "seed", "order"]);
  checkSettings("checkTape", options);
  const { tolerance = 1e-6, seed = 1, order = 1 } = options;
  if (order !== 1 && order !== 2) {
    throw new RangeError(`checkTape: order must be 1 or 2, got ${String(order)}`);
  }
  const faults: RuleFault[] = [];
  const undecided: Site[] = [];
  const { entries, base } = tape;
  let checked = 0;
  let worst = 0;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries.at(base + i);
    const region = new Region();
    try {
      const examined = within(region, () => new Examination(entry, base + i, tolerance, seed + i));
      const { applies, faults: found, isDecided } = within(region, () => examined.run(order));
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
