import { scope, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { blocksMade, Region, takeOver, within } from "@chronograd/autodiff/internal";
import { type LaneSequence, type Leaves, leavesOf, lengthOf } from "./laneSequence.ts";
import type { LaneStep, LanesState } from "./lanes.ts";
import { stepAt } from "./stepAt.ts";

/** A sequence in its lane. */
interface Running {
  readonly index: number;
  readonly sequence: LaneSequence<unknown, unknown>;
  readonly leaves: ReadonlyMap<string, Tensor>;
  /** Of its next step. */
  position: number;
  /** Owns what the source made for it. */
  readonly region: Region;
}

const isOver = "its sequence is over; make what sequences share outside of the source";

/** Lays sequences into lanes: takes one after the other, and makes the time steps. */
export class Packing<X, Target> {
  /** After the step that was made last. */
  state: LanesState;
  /** Whether no more is to be read. */
  isOver = false;
  readonly #isResumed: boolean;
  /** By row. */
  readonly #running: (Running | undefined)[];
  /** Index of the sequence that the source gives next. */
  #next = 0;
  /** Shapes of the first sequence that was taken. */
  #first: Leaves | undefined;
  /** Owns what the source makes until it is known for which row. */
  #region = new Region();
  /** Blocks made before the source was asked. */
  #since = 0;

  constructor(rows: number, state: LanesState | undefined) {
    const free = () => new Array<number>(rows).fill(-1);
    this.#isResumed = state !== undefined;
    this.state = state ?? { sequence: free(), position: free(), next: 0 };
    this.#running = new Array<undefined>(rows).fill(undefined);
  }

  /** Skips the sequences before the first that is needed, which is returned: none will come. */
  skip(): number {
    const { sequence, next } = this.state;
    this.#next = Math.min(next, ...sequence.filter((index) => index >= 0));
    return this.#next;
  }

  /** Whether the next step waits for what the source gives. */
  get isWaiting(): boolean {
    return !this.isOver && (this.#next < this.state.next || this.#running.includes(undefined));
  }

  /** Runs what reads the source. After that it is over, unless `take` learns otherwise. */
  read<T>(next: () => T): T {
    this.isOver = true;
    this.#region = new Region();
    this.#since = blocksMade();
    return within(this.#region, next);
  }

  take({ done, value }: IteratorResult<LaneSequence<X, Target>>): void {
    const { sequence, position, next } = this.state;
    if (done === true) {
      this.#checkEnd();
      return;
    }
    this.isOver = false;
    // What an asynchronous source makes, it makes outside of any region.
    for (const x of tree.leaves(value)) takeOver(x, this.#region, this.#since);
    const index = this.#next++;
    // A sequence that began before the state was taken is running, or over.
    const isOld = index < next;
    const row = isOld ? sequence.indexOf(index) : this.#running.indexOf(undefined);
    if (row >= 0) {
      const leaves = leavesOf(value, index, this.#first);
      this.#first ??= new Map(
        [...leaves].map(([path, { shape, dtype }]) => [path, { shape, dtype }]),
      );
      const at = isOld ? position[row]! : 0;
      if (isOld && at >= lengthOf(leaves)) {
        throw new RangeError(
          `lanes: the state is at position ${at} of sequence ${index}, which has ${lengthOf(leaves)} steps; give the source that the state was taken with`,
        );
      }
      if (lengthOf(leaves) > 0) {
        this.#running[row] = { index, sequence: value, leaves, position: at, region: this.#region };
        return;
      }
    }
    this.#region.end(isOver);
  }

  #checkEnd(): void {
    this.#region.end("the source of sequences has ended");
    if (this.#next < this.state.next) {
      throw new RangeError(
        `lanes: the state was taken after ${this.state.next} sequences, and the source ended after ${this.#next}; give the source that the state was taken with`,
      );
    }
    if (this.#isResumed || this.state.next > 0 || this.#running.some((each) => each)) return;
    throw new RangeError("lanes: the source has no sequence with a step");
  }

  /** The next time step; `undefined` when all sequences are over. */
  step(): LaneStep<X, Target> | undefined {
    const rows = this.#running;
    const some = rows.find((each) => each !== undefined);
    if (some === undefined) return undefined;
    const filled = rows.map((each) => each ?? some);
    const positions = filled.map(({ position }) => position);
    const { inputs, targets } = some.sequence;
    const step = scope(() => {
      const sliced = tree.map({ inputs, targets }, (_: Tensor, path) =>
        stepAt(
          filled.map(({ leaves }) => leaves.get(path)!),
          positions,
        ),
      ) as { inputs: X; targets: Target };
      const { backend } = some.leaves.values().next().value!;
      const flags = (test: (each: Running | undefined) => boolean) =>
        tensor(new Int32Array(rows.map((each) => Number(test(each)))), { backend });
      return {
        input: sliced.inputs,
        target: sliced.targets,
        reset: flags((each) => each?.position === 0),
        mask: flags((each) => each !== undefined),
        sequence: rows.map((each) => each?.index ?? -1),
        position: rows.map((each) => each?.position ?? -1),
      };
    });
    this.#advance();
    return step;
  }

  #advance(): void {
    for (const [row, each] of this.#running.entries()) {
      if (each === undefined || ++each.position < lengthOf(each.leaves)) continue;
      each.region.end(isOver);
      this.#running[row] = undefined;
    }
    this.state = {
      sequence: this.#running.map((each) => each?.index ?? -1),
      position: this.#running.map((each) => each?.position ?? -1),
      next: this.#next,
    };
  }

  /** Returns all memory. */
  end(): void {
    this.#region.end(isOver);
    for (const each of this.#running) each?.region.end(isOver);
  }
}
