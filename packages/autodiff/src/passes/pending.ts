import type { Contribution, OpDeclaration } from "../ops/declare.ts";
import type { Entry } from "../tape/entry.ts";
import { Region, within } from "../tensor/block.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { thrown } from "./returned.ts";

/** Why the values of a sweep are gone. */
export const spent = "it was an intermediate value of a backward sweep";

/** What is pending takes at most this share of the sum's memory. */
const pendingShare = 1 / 4;

/** Applications whose contributions to a leaf are added up in one step. */
interface Contributions {
  readonly declaration: OpDeclaration;
  /** The latest in time. */
  readonly entry: Entry;
  readonly position: number;
  readonly input: number;
  readonly contributions: Contribution[];
  /** Elements of the cotangents and values of all of them. */
  elements: number;
}

/**
 * Contributions to leaves' cotangents that wait to be added up together, where an op can do so
 * (`accumulateAll`).
 */
export class Pending {
  readonly #bySlot = new Map<number, Contributions>();

  /**
   * Takes one, to be added to `sum` later; false where it is not taken. Nothing of a traced program
   * is: its compiler puts products together itself.
   */
  add(
    slot: number,
    sum: Tensor,
    entry: Entry,
    position: number,
    input: number,
    g: Tensor,
  ): boolean {
    const { declaration } = entry;
    if (declaration.accumulateAll?.[input] === undefined) return false;
    if (g.block.backend.parent !== null) return false;
    const most = pendingShare * sum.size;
    const beside = entry.inputs.reduce((total, { size }, i) => total + (i === input ? 0 : size), 0);
    const elements = g.size + beside;
    if (elements > most) return false;
    let found = this.#bySlot.get(slot);
    const isAlike = found?.declaration === declaration && found.input === input;
    if (found === undefined || !isAlike || found.elements + elements > most) {
      this.#settle(slot, sum);
      found = { declaration, entry, position, input, contributions: [], elements: 0 };
      this.#bySlot.set(slot, found);
    }
    g.block.retain();
    found.contributions.push({ g, application: entry });
    found.elements += elements;
    return true;
  }

  /** Adds up all that is pending, to the sums of the slots. */
  settleAll(sums: readonly (Tensor | undefined)[]): void {
    for (const slot of this.#bySlot.keys()) this.#settle(slot, sums[slot]!);
  }

  #settle(slot: number, sum: Tensor): void {
    const found = this.#bySlot.get(slot);
    if (found === undefined) return;
    this.#bySlot.delete(slot);
    const { declaration, entry, position, input, contributions } = found;
    const region = new Region();
    try {
      within(region, () => declaration.accumulateAll![input]!(contributions, sum));
    } catch (error) {
      throw thrown(error, { rule: "accumulate", input }, entry, position);
    } finally {
      for (const { g } of contributions) g.block.release(spent);
      region.end(spent);
    }
  }

  /** Drops what is pending. */
  release(): void {
    for (const { contributions } of this.#bySlot.values()) {
      for (const { g } of contributions) g.block.release(spent);
    }
  }
}
