import type { OpDeclaration } from "../ops/declare.ts";
import { currentRegion, type Ending } from "../tensor/block.ts";
import { checkAlive } from "../tensor/checks.ts";
import { checkOptions } from "../tensor/options.ts";
import type { Recorder } from "../tensor/recorder.ts";
import { alias, type Tensor, track } from "../tensor/tensor.ts";
import { describeTensor } from "../tensor/text.ts";
import { NotTraceable, tracingDepth } from "../tensor/tracing.ts";
import { checkTree, leaves, type MapTree, map, zip } from "../tensor/tree.ts";
import { constantId, Entry, leafId, slotOf } from "./entry.ts";
import { capture } from "./origin.ts";
import type { Queue } from "./queue.ts";
import { endWhenCollected, Store } from "./store.ts";

/** A position in a recording, with the values that are carried across it. */
export class Mark {
  readonly recording: Recording;
  /** Number of entries before the mark, since the recording began. */
  readonly position: number;
  /** Ids of carried values: constants for whatever comes after `forget(mark)`. @internal */
  readonly carried: ReadonlySet<number>;

  /** @internal */
  constructor(recording: Recording, position: number, carried: ReadonlySet<number>) {
    this.recording = recording;
    this.position = position;
    this.carried = carried;
  }
}

/** What a recording keeps beside the entries. */
export interface RecordingOptions {
  /** Keeps the stack of every application, for the line in reports; costs some microseconds. */
  readonly trace?: boolean;
}

let levels = 0;

/**
 * The storage of a tape: entries in time order, positions in them, and the memory they hold.
 *
 * Recordings opened later have higher levels; where they nest, a higher one wraps the values of a
 * lower one, so that derivatives of derivatives never mix.
 */
export class Recording implements Recorder, Ending {
  /** @internal */
  readonly level: number = levels++;
  readonly #store = new Store();
  readonly #traces: boolean;
  readonly #depth = tracingDepth();
  #ended: string | undefined;

  constructor(options: RecordingOptions = {}) {
    checkOptions("Tape", options, ["trace"]);
    this.#traces = options.trace ?? false;
    const region = currentRegion();
    if (region !== null) region.endWith(this);
    else endWhenCollected(this, this.#store);
  }

  /** Entries that were not forgotten, by position. @internal */
  get entries(): Queue<Entry> {
    return this.#store.entries;
  }

  /** Position of the first entry that was not forgotten. @internal */
  get base(): number {
    return this.#store.entries.base;
  }

  /** Position after the last entry. */
  get position(): number {
    return this.#store.entries.end;
  }

  /** Number of distinct watched leaves. @internal */
  get slots(): number {
    return this.#store.leaves.length;
  }

  /** The path at which a leaf was watched first. @internal */
  pathOf(slot: number): string {
    return this.#store.paths[slot]!;
  }

  /**
   * The same tree with every float tensor tracked: ops on the result are recorded here.
   *
   * @param tree a tensor, or arrays and plain objects of tensors; int32 tensors stay untracked
   * @param options `as`: a tree of the same structure that this tape watches already. Its leaves
   *   and the new ones count as one: gradients asked for either are the sums of both gradients (a
   *   parameter before and after an update).
   * To differentiate a gradient that an inner tape took, open the outer tape first.
   *
   * @throws when the tape has ended, the tree holds something else than tensors in plain objects
   *   and arrays, or `as` has another structure
   *
   * @example
   * ```ts
   * import { Tape, tensor } from "@chronograd/autodiff";
   *
   * const tape = new Tape();
   * const before = tape.watch({ w: tensor(2) });
   * const early = before.w.square();
   * // An update of w: the same parameter, with another value.
   * const after = tape.watch({ w: tensor(5) }, { as: before });
   * const late = after.w.square();
   * tape.gradient([early, late], after).w.item(); // => 14
   * ```
   */
  watch<T>(tree: T, options: { readonly as?: unknown } = {}): MapTree<T, Tensor> {
    this.checkOpen("watch");
    checkOptions("watch", options, ["as"]);
    checkTree(tree, "watch");
    if (options.as === undefined) {
      return map(tree, (x: Tensor, path) => {
        if (x.dtype === "int32") return x;
        this.#store.paths[this.slots] = path;
        return this.#attach(x, leafId(this.slots));
      });
    }
    return zip(tree, options.as, (x, known, path) => {
      if (x.dtype === "int32") return x;
      if (known.tape !== this || known.id >= 0) {
        throw new TypeError(`watch: option "as" has no leaf watched by this tape at "${path}"`);
      }
      return this.#attach(x, known.id);
    });
  }

  /** Tracks `x` here; beneath the trackers that were opened later, so that levels stay in order. */
  #attach(x: Tensor, id: number): Tensor {
    checkAlive(x, "watch");
    if (x.tape === this) {
      throw new TypeError(
        `watch: ${describeTensor(x)} is tracked by this tape already; pass the value itself, or detach(x)`,
      );
    }
    if (x.tape !== null && x.tape.level > this.level) {
      return track(this.#attach(x.primal!, id), x.tape, x.id);
    }
    // A separate alias: consuming the handle that the user holds does not touch the recorded one.
    const value = x.tape === null ? alias(x, x.shape) : x;
    const { leaves: held } = this.#store;
    const slot = slotOf(id);
    value.block.retain();
    held[slot]?.release("the tape watches a later value in its place");
    held[slot] = value.block;
    return track(value, this, id);
  }

  /** @internal */
  record(
    declaration: OpDeclaration,
    inputs: readonly Tensor[],
    primals: readonly Tensor[],
    output: Tensor,
    attributes: unknown,
  ): Tensor {
    const { entries } = this.#store;
    const ids = new Array<number>(inputs.length);
    for (let i = 0; i < inputs.length; i++) {
      const input = inputs[i]!;
      const id = input.tape === this ? input.id : constantId;
      if (id >= 0 && id < entries.base) this.#checkCarried(input, declaration.name);
      ids[i] = id;
    }
    if (this.#ended !== undefined) this.checkOpen(declaration.name);
    if (tracingDepth() > this.#depth) {
      throw new NotTraceable(
        "it takes a value from outside that a tape tracks, of which a plan would lose the derivative; pass it as an argument",
      );
    }
    const stack = this.#traces ? capture() : undefined;
    entries.push(new Entry(declaration, attributes, primals, ids, output, stack));
    return track(output, this, entries.end - 1);
  }

  #checkCarried(x: Tensor, where: string): void {
    if (this.#store.carried.has(x.id)) return;
    throw new Error(
      `${where}: ${describeTensor(x)} was made by entry ${x.id}, which was forgotten (the tape now starts at entry ${this.base}); carry it over with mark(state) before forget(mark), or detach(...).clone() it before`,
    );
  }

  /** Throws when the tape has ended. @internal */
  checkOpen(where: string): void {
    if (this.#ended === undefined) return;
    throw new Error(
      `${where}: the tape has ended: ${this.#ended}; make the tape in the scope that uses it, or detach(...) the value`,
    );
  }

  /**
   * The present position. Values in `carried` (a state that goes on in time) stay usable, as
   * constants, after `forget(mark)`; all others that were made before it do not.
   *
   * @example
   * ```ts
   * import { Tape, tensor } from "@chronograd/autodiff";
   *
   * const tape = new Tape();
   * const w = tape.watch(tensor(3));
   * let h = w.mul(1); // one step
   * const mark = tape.mark(h);
   * h = w.mul(h); // another one
   * tape.gradient(h, w).item(); // => 6
   * tape.gradient(h, w, { since: mark }).item(); // => 3
   * ```
   */
  mark(carried?: unknown): Mark {
    this.checkOpen("mark");
    const ids = leaves(carried).map((x) => this.own(x)?.id ?? constantId);
    return new Mark(this, this.position, new Set(ids));
  }

  /**
   * Drops the entries before a mark and returns their memory at once. Touching a value made there
   * throws, unless the mark carries it.
   *
   * @throws when the mark belongs to another tape
   *
   * @example
   * ```ts
   * import { Tape, tensor } from "@chronograd/autodiff";
   *
   * const tape = new Tape();
   * const w = tape.watch(tensor(3));
   * const first = w.square();
   * const h = w.mul(2);
   * tape.forget(tape.mark(h));
   * tape.stats().entries; // => 0
   * tape.gradient(w.mul(h), w).item(); // => 6
   * first.add(1); // throws: tape.forget dropped the part of the tape that made it
   * ```
   */
  forget(mark: Mark): void {
    this.checkMark(mark, "forget");
    const { entries } = this.#store;
    if (mark.position < entries.base) return;
    const reason =
      "tape.forget dropped the part of the tape that made it; carry it over with mark(state), or clone() it before";
    const { carried } = this.#store;
    while (entries.base < mark.position) {
      const id = entries.base;
      const entry = entries.shift();
      if (mark.carried.has(id)) {
        entry.output.block.retain();
        carried.set(id, entry.output.block);
      }
      entry.release(reason);
    }
    for (const [id, block] of carried) {
      if (mark.carried.has(id)) continue;
      carried.delete(id);
      block.release(reason);
    }
  }

  /** Throws unless a mark was made here. @internal */
  checkMark(mark: Mark, where: string): void {
    if (!(mark instanceof Mark)) {
      throw new TypeError(`${where}: expected what mark() returned, got ${String(mark)}`);
    }
    if (mark.recording !== this) {
      throw new TypeError(
        `${where}: the mark belongs to another tape; use one that this tape's mark() returned`,
      );
    }
  }

  /** A value as derivative rules see it: tracked here when they are to be recorded. @internal */
  handle(primal: Tensor, id: number): Tensor {
    const isConstant = id === constantId || (id >= 0 && id < this.base);
    return isConstant ? primal : track(primal, this, id);
  }

  /** `x` as this tape tracks it, looking beneath the tapes that were opened later. @internal */
  own(x: Tensor): Tensor | undefined {
    let value: Tensor | null = x;
    while (value !== null && value.tape !== this) value = value.primal;
    return value ?? undefined;
  }

  /** `x` without this tape's tracking, but still with that of the tapes around it. */
  strip(x: Tensor): Tensor {
    if (x.tape === this) return x.primal!;
    if (x.tape === null || x.tape.level < this.level) return x;
    const below = this.strip(x.primal!);
    return below === x.primal ? x : track(below, x.tape, x.id);
  }

  /** @internal */
  end(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#store.end(reason);
  }
}
