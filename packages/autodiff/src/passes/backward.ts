import { add } from "../ops/arithmetic.ts";
import { type Application, vjpRule } from "../ops/declare.ts";
import { kernelsOf } from "../ops/kernels.ts";
import { constantId, type Entry, slotOf } from "../tape/entry.ts";
import type { Recording } from "../tape/recording.ts";
import { Region, within } from "../tensor/block.ts";
import { alias, giveOwner, type Tensor } from "../tensor/tensor.ts";
import { Pending, spent } from "./pending.ts";
import { fits, misfit, thrown } from "./returned.ts";

/** A value to start from, and the cotangent it starts with. */
export type Seed = readonly [value: Tensor, cotangent: Tensor];

/** Looks on while a sweep runs. The tensors it is shown live no longer than the call. */
export interface SweepObserver {
  /** The cotangent of an entry's output, all that flows there added up. */
  visit?(position: number, g: Tensor): void;
  /**
   * What one entry adds to the cotangent of one of its inputs. Rules that add in place are not used
   * then.
   */
  contribute?(position: number, input: number, cotangent: Tensor): void;
}

/** How far a sweep goes, and whether it is recorded itself. */
export interface SweepOptions {
  /** Position before which everything is constant. */
  readonly since?: number;
  readonly record?: boolean;
  readonly observer?: SweepObserver | undefined;
}

/**
 * Reverse-mode sweep: from the seeds down the tape, adding up vector-Jacobian products.
 *
 * Only entries between the targets and the seeds are visited, only cotangents that lead to a target
 * are computed, and each is returned to the pool as soon as it was used. Iterative, so tapes may be
 * of any length.
 *
 * @returns one cotangent per target; `undefined` where no path leads from a seed to it
 */
export function backward(
  recording: Recording,
  seeds: readonly Seed[],
  targets: readonly Tensor[],
  { since = recording.base, record = false, observer }: SweepOptions = {},
): (Tensor | undefined)[] {
  const low = Math.max(since, recording.base);
  const sweep = new Sweep(recording, low, seeds, targets, record, observer);
  const region = new Region();
  try {
    within(region, () => sweep.run(seeds, region));
    return sweep.collect(targets);
  } finally {
    region.end(spent);
    sweep.release();
  }
}

class Sweep {
  readonly recording: Recording;
  readonly record: boolean;
  readonly observer: SweepObserver | undefined;
  /** Positions `low` to `high` are visited. */
  readonly low: number;
  readonly high: number;
  /** Whether a target can be reached through the entry `low + i`. */
  readonly needed: Uint8Array;
  readonly neededSlots: Uint8Array;
  /** Targets that lie before `low`: values at a cut. */
  readonly beyond = new Map<number, Tensor | undefined>();
  /** Ids of targets that are entries: their cotangents are kept. */
  readonly kept = new Set<number>();
  readonly cotangents: (Tensor | undefined)[];
  readonly slots: (Tensor | undefined)[];
  readonly pending = new Pending();

  constructor(
    recording: Recording,
    low: number,
    seeds: readonly Seed[],
    targets: readonly Tensor[],
    record: boolean,
    observer: SweepObserver | undefined,
  ) {
    this.recording = recording;
    this.record = record;
    this.observer = observer;
    this.low = low;
    let high = low - 1;
    for (const [{ id, tape }] of seeds) if (tape === recording && id > high) high = id;
    this.high = high;
    const count = high - low + 1;
    this.needed = new Uint8Array(count);
    this.neededSlots = new Uint8Array(recording.slots);
    this.cotangents = new Array<Tensor | undefined>(count);
    this.slots = new Array<Tensor | undefined>(recording.slots);
    for (const { id } of targets) {
      if (id < 0) this.neededSlots[slotOf(id)] = 1;
      else if (id < low) this.beyond.set(id, undefined);
      else {
        this.kept.add(id);
        // Of a target after the last seed nothing is kept: there is no such element.
        this.needed[id - low] = 1;
      }
    }
    const { entries } = recording;
    for (let i = 0; i < count; i++) {
      for (const id of entries.at(low + i).ids) if (this.leads(id)) this.needed[i] = 1;
    }
  }

  /** Whether a cotangent that arrives at `id` is of any use. */
  leads(id: number): boolean {
    if (id === constantId) return false;
    if (id < 0) return this.neededSlots[slotOf(id)] === 1;
    if (id >= this.low) return this.needed[id - this.low] === 1;
    return this.beyond.has(id);
  }

  run(seeds: readonly Seed[], region: Region): void {
    for (const [{ id, tape }, cotangent] of seeds) {
      if (tape === this.recording && this.leads(id)) this.arrive(id, cotangent);
    }
    const { entries } = this.recording;
    for (let position = this.high; position >= this.low; position--) {
      const index = position - this.low;
      const g = this.cotangents[index];
      if (g === undefined) continue;
      this.observer?.visit?.(position, g);
      this.visit(entries.at(position), position, g);
      if (!this.kept.has(position)) {
        this.cotangents[index] = undefined;
        g.block.release(spent);
      }
      region.end(spent);
    }
    this.pending.settleAll(this.slots);
  }

  visit(entry: Entry, position: number, g: Tensor): void {
    const { declaration, ids } = entry;
    entry.checkVersions(position);
    const application = this.application(entry, position);
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      if (!this.leads(id)) continue;
      const rule = vjpRule(declaration, i);
      if (rule === undefined) continue;
      const there = this.at(id);
      const accumulate = declaration.accumulate?.[i];
      const isOurs = there !== undefined && this.isOurs(there, g, entry);
      if (isOurs && id < 0 && this.pending.add(slotOf(id), there, entry, position, i, g)) continue;
      let cotangent: Tensor;
      try {
        if (accumulate !== undefined && isOurs) {
          accumulate(g, application, there);
          continue;
        }
        cotangent = rule(g, application, i);
        // A rule that reads tracked values from outside would be recorded.
        if (!this.record && cotangent?.tape) cotangent = this.recording.strip(cotangent);
      } catch (error) {
        const kind = accumulate !== undefined && isOurs ? "accumulate" : "vjp";
        throw thrown(error, { rule: kind, input: i }, entry, position);
      }
      if (!fits(cotangent, entry.inputs[i]!)) {
        throw misfit(cotangent, entry.inputs[i]!, { rule: "vjp", input: i }, entry, position);
      }
      this.observer?.contribute?.(position, i, cotangent);
      this.arrive(id, cotangent);
    }
  }

  /**
   * Whether `there` may be added to in place: nobody else holds it (a tape that tracks it would),
   * and no other tape records the sweep.
   */
  isOurs(there: Tensor, g: Tensor, { inputs, output }: Entry): boolean {
    if (there.block.holders !== 1 || g.tape !== null) return false;
    if (!shareBackend(there, g) || !shareBackend(there, output)) return false;
    for (const input of inputs) if (input.tape !== null) return false;
    return !this.record && this.observer?.contribute === undefined;
  }

  application(entry: Entry, position: number): Application {
    if (!this.record) return entry;
    const { recording } = this;
    return {
      inputs: entry.inputs.map((input, i) => recording.handle(input, entry.ids[i]!)),
      output: recording.handle(entry.output, position),
      attributes: entry.attributes,
    };
  }

  at(id: number): Tensor | undefined {
    if (id < 0) return this.slots[slotOf(id)];
    return id >= this.low ? this.cotangents[id - this.low] : this.beyond.get(id);
  }

  put(id: number, cotangent: Tensor): void {
    if (id < 0) this.slots[slotOf(id)] = cotangent;
    else if (id >= this.low) this.cotangents[id - this.low] = cotangent;
    else this.beyond.set(id, cotangent);
  }

  /** Adds `cotangent` to what has arrived at `id`, in place if nobody else holds the sum so far. */
  arrive(id: number, cotangent: Tensor): void {
    const there = this.at(id);
    if (there === undefined) {
      cotangent.block.retain();
      this.put(id, cotangent);
    } else if (
      there.block.holders === 1 &&
      cotangent.tape === null &&
      shareBackend(there, cotangent)
    ) {
      const n = there.size;
      const { add: kernel } = kernelsOf(there.block.backend, there);
      kernel(1, n, there.pointer, n, 1, cotangent.pointer, n, 1, there.pointer);
    } else {
      const total = add(there, cotangent);
      total.block.retain();
      this.put(id, total);
      there.block.release(spent);
    }
  }

  /** The targets' cotangents, now owned by whoever asked. */
  collect(targets: readonly Tensor[]): (Tensor | undefined)[] {
    return targets.map(({ id }) => {
      const found = this.at(id);
      if (found === undefined || found.tape !== null) return found;
      return giveOwner(alias(found, found.shape));
    });
  }

  release(): void {
    this.pending.release();
    for (const list of [this.cotangents, this.slots, this.beyond.values()]) {
      for (const cotangent of list) cotangent?.block.release(spent);
    }
  }
}

/** Where a program is traced, constants are on the backend that will run it. */
const shareBackend = (a: Tensor, b: Tensor): boolean => a.block.backend === b.block.backend;
