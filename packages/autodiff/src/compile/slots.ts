import type { Backend } from "../tensor/backend.ts";
import { Block } from "../tensor/block.ts";
import { bytesOf } from "../tensor/dtype.ts";
import { sameShape } from "../tensor/shape.ts";
import { consume, donate, supersede } from "../tensor/successors.ts";
import { alias, giveOwner, Tensor } from "../tensor/tensor.ts";
import { mapLeaves } from "../tensor/tree.ts";
import type { Phase } from "./phase.ts";
import type { Residuals } from "./residuals.ts";

/** What a plan has to know of the slots of its caller's table. */
export interface SlotFacts {
  /** Scalars that have to be finite: slot, bytes on, and where those lie that are no results. */
  readonly guards: readonly {
    readonly slot: number;
    readonly offset: number;
    readonly own: number | undefined;
  }[];
  /** Inputs that are written to. */
  readonly written: readonly number[];
  /** Whether they are written where they lie, if nobody else has them. */
  readonly isInPlace: boolean;
}

/** A run whose addresses are known. */
export interface Prepared {
  readonly phase: Phase;
  readonly inputs: readonly Tensor[];
  readonly residuals: Residuals;
  /** What it makes, by slot. */
  readonly fresh: ReadonlyMap<number, Block>;
  /** Drops the hold on what it made. */
  end(): void;
}

/** The slots of a caller's table: what a run takes, makes and gives. */
export class Slots {
  readonly #backend: Backend;
  readonly #facts: SlotFacts;

  constructor(backend: Backend, facts: SlotFacts) {
    this.#backend = backend;
    this.#facts = facts;
  }

  /** Makes room for the results of a run, and finds the addresses of all that it takes. */
  prepare(phase: Phase, inputs: readonly Tensor[], residuals: Residuals, keeps: boolean): Prepared {
    const { memory } = this.#backend;
    const { guards, written, isInPlace } = this.#facts;
    const { firstInput, made } = phase;
    const { pointers, tensors } = residuals;
    for (const [i, input] of inputs.entries()) {
      pointers[firstInput + i] = input.pointer;
      tensors[firstInput + i] = input;
      if (keeps) residuals.retain(input.block);
    }
    const fresh = new Map<number, Block>();
    const end = () => {
      for (const block of fresh.values()) block.release("it was an intermediate value of a plan");
    };
    const make = (slot: number, bytes: number): number => {
      const block = new Block(this.#backend, memory.allocate(bytes), bytes);
      block.retain();
      fresh.set(slot, block);
      pointers[slot] = block.pointer;
      if (keeps) residuals.retain(block);
      return block.pointer;
    };
    try {
      for (const [slot, bytes] of made) make(slot, bytes);
      for (const slot of written) {
        if (isInPlace && isSole(inputs, slot)) continue;
        const { pointer, size, dtype } = inputs[slot]!;
        const bytes = size * bytesOf[dtype];
        const to = make(slot, bytes);
        memory.views.uint8.copyWithin(to, pointer, pointer + bytes);
      }
    } catch (error) {
      // The memory may be full.
      end();
      throw error;
    }
    for (const { slot, own } of guards) if (own !== undefined) pointers[slot] = own;
    return { phase, inputs, residuals, fresh, end };
  }

  /**
   * After a thread was lost in a run: it may come back, so what it works on stays, and what it may
   * have changed is nobody's any more.
   */
  abandon({ inputs, fresh }: Prepared): void {
    for (const { block } of inputs) block.retain();
    for (const slot of this.#facts.written) {
      if (!fresh.has(slot)) consume(inputs[slot]!, null, "an update in which a thread was lost");
    }
  }

  /** Whether all scalars are finite that have to be. */
  guardsHold({ residuals: { pointers } }: Prepared): boolean {
    const { float64 } = this.#backend.memory.views;
    return this.#facts.guards.every(({ slot, offset }) =>
      Number.isFinite(float64[(pointers[slot]! + offset) / 8]!),
    );
  }

  /** The result of a run, and what it consumed. */
  finish({ phase, inputs, residuals: { tensors }, fresh }: Prepared): unknown {
    const { result, outputs, consumed } = phase;
    // What was written in place is its successor's from here on.
    const taken = new Set<Tensor>();
    for (const [input, , by] of consumed) {
      if (!this.#facts.written.includes(input) || fresh.has(input)) continue;
      const next = donate(inputs[input]!, by);
      taken.add(next);
      tensors[input] = next;
    }
    const found: Tensor[] = [];
    const y = mapLeaves(result, () => {
      const { slot, like } = outputs[found.length]!;
      const value = slot < 0 ? like : outputOf(like, fresh.get(slot), tensors[slot], taken);
      found.push(value);
      return value;
    });
    for (const [input, output, by] of consumed) {
      const x = inputs[input]!;
      if (x.successor === null) consume(x, found[output] ?? null, by);
      else if (output >= 0) supersede(x, found[output]!);
    }
    return y;
  }
}

/** Whether nobody but the caller has the bytes of an input, and they are one input's. */
function isSole(inputs: readonly Tensor[], input: number): boolean {
  const { block } = inputs[input]!;
  if (block.holders !== 1) return false;
  for (let i = 0; i < inputs.length; i++) {
    if (i !== input && inputs[i]!.block === block) return false;
  }
  return true;
}

/**
 * One tensor of a result: in its own block, or an input, or part of one.
 *
 * @param taken inputs that were written in place, each of which becomes one tensor of the result
 */
function outputOf(
  { shape, size, dtype, byteOffset }: Tensor,
  block: Block | undefined,
  input: Tensor | undefined,
  taken: Set<Tensor>,
): Tensor {
  if (block !== undefined) {
    return giveOwner(new Tensor(block, byteOffset, shape, size, dtype, null, 0, null));
  }
  const isNew = taken.has(input!) && byteOffset === 0 && sameShape(input!.shape, shape);
  if (isNew && taken.delete(input!)) return input!;
  return giveOwner(alias(input!, shape, byteOffset / bytesOf[dtype]));
}
