import type { Call } from "./call.ts";
import {
  type Access,
  areDisjoint,
  columnBlocks,
  commonGrid,
  type Grid,
  type Lanewise,
  type Place,
  type Step,
} from "./lanewise.ts";
import type { Instruction, Loop } from "./loop.ts";
import { type Parameter, Parameters } from "./parameters.ts";

/** The most calls of one loop: more would not find registers. */
const mostCalls = 48;

/** Bytes of a page of memory: of less, a loop of its own would be more call than work. */
const page = 4096;

/** By buffer: the accesses so far, and whether any writes. */
type Touched = Map<number, Map<string, { access: Access; writes: boolean }>>;

/** Calls that become one loop. */
export class Group {
  readonly calls: Call[] = [];
  readonly #lanes: Lanewise[] = [];
  #grid: Grid | undefined;
  /** Each call cut to the common grid. */
  #cut: Step[][] = [];
  #touched: Touched = new Map();

  /** Takes one more call, if it fits to those before; if not, the group is complete. */
  add(call: Call, lane: Lanewise): boolean {
    const [first] = this.#lanes;
    if (first !== undefined) {
      const isAlike = first.size === lane.size && this.calls[0]!.phase === call.phase;
      if (!isAlike || this.calls.length === mostCalls) return false;
    }
    const before = this.#grid;
    const grid = commonGrid(lane, before);
    if (grid === undefined) return false;
    this.#grid = grid;
    const isSame = grid.rows === before?.rows && grid.cols === before.cols;
    const cut = (isSame ? [] : this.#lanes).map((one) => columnBlocks(one, grid));
    const own = columnBlocks(lane, grid);
    if (!isSame) this.#touched = new Map();
    if (!cut.every((steps) => fits(steps, this.#touched)) || !fits(own, this.#touched))
      return false;
    if (!isSame) this.#cut = cut;
    this.#cut.push(own);
    this.calls.push(call);
    this.#lanes.push(lane);
    return true;
  }

  /**
   * The parts that have no access in common, in the order of their first calls. One loop over large
   * parts would read and write at many places in turn: copies of 28 states of 32 KB took six times
   * as long as one by one.
   */
  apart(): Group[] {
    const [[first] = []] = this.#cut;
    if (first === undefined || first.size * first.rows * first.cols < page) return [this];
    /** By call, a call of the same part; the last one is its own. */
    const links = this.calls.map((_, at) => at);
    const rootOf = (at: number): number => (links[at] === at ? at : rootOf(links[at]!));
    const last = new Map<string, number>();
    for (const [at, steps] of this.#cut.entries()) {
      for (const { inputs, output } of steps) {
        for (const { key } of [...inputs, output]) {
          links[rootOf(last.get(key) ?? at)] = at;
          last.set(key, at);
        }
      }
    }
    const parts = new Map<number, Group>();
    for (const [at, call] of this.calls.entries()) {
      const root = rootOf(at);
      const part = parts.get(root) ?? new Group();
      parts.set(root, part);
      part.calls.push(call);
      part.#cut.push(this.#cut[at]!);
    }
    return [...parts.values()];
  }

  /** The loop, and its addresses. Values of private buffers are not written. */
  toLoop(isPrivate: (buffer: number) => boolean): { loop: Loop; parameters: Parameter[] } {
    const steps = flattened(this.#cut.flat());
    const [{ size, rows, cols }] = steps as [Step];
    const instructions: Instruction[] = [];
    const parameters = new Parameters(cols, size);
    const values = new Map<string, number>();
    /** By address: the step that writes it last. */
    const last = new Map<string, number>();
    for (const [at, { output }] of steps.entries()) last.set(output.key, at);
    let count = 0;
    for (const [at, { code, inputs, output, alpha }] of steps.entries()) {
      const operands = inputs.map((access) => {
        const { key } = access;
        let value = values.get(key);
        if (value === undefined) {
          value = count++;
          values.set(key, value);
          instructions.push({ does: "load", value, ...parameters.of(access, "in") });
        }
        return value;
      });
      const value = code === "copy" ? operands[0]! : count++;
      if (code !== "copy")
        instructions.push({ does: "compute", value, code, inputs: operands, alpha });
      const { key } = output;
      values.set(key, value);
      if (last.get(key) === at && !isPrivate(output.buffer))
        instructions.push({ does: "store", value, ...parameters.of(output, "out") });
    }
    const { list, strides, move } = parameters.settled();
    const loop: Loop = {
      size,
      rows,
      cols,
      parameters: strides,
      instructions: used(instructions).map((one) => (one.does === "compute" ? one : move(one))),
      calls: this.calls.length,
    };
    return { loop, parameters: list };
  }
}

/**
 * Whether whatever is written is only touched in the same order of elements; notes what is touched.
 */
function fits(steps: readonly Step[], touched: Touched): boolean {
  for (const step of steps) {
    for (const access of [...step.inputs, step.output]) {
      const writes = access === step.output;
      if (access.buffer < 0) continue;
      let known = touched.get(access.buffer);
      if (known === undefined) {
        known = new Map();
        touched.set(access.buffer, known);
      }
      const { key } = access;
      for (const [other, seen] of known) {
        if (other === key || !(writes || seen.writes)) continue;
        if (!areDisjoint(access, seen.access, step)) return false;
      }
      const seen = known.get(key);
      if (seen === undefined) known.set(key, { access, writes });
      else if (writes) seen.writes = true;
    }
  }
  return true;
}

/** The same on one row, where all rows follow each other. */
function flattened(steps: readonly Step[]): readonly Step[] {
  const all = steps.flatMap(({ inputs, output }) => [...inputs, output]);
  const [{ rows, cols }] = steps as [Step];
  if (rows === 1 || !all.every(({ row, col }) => row === cols * col)) return steps;
  const joined = (access: Place): Place => ({ ...access, row: 0 });
  return steps.map((step) => ({
    ...step,
    rows: 1,
    cols: rows * cols,
    inputs: step.inputs.map(joined),
    output: joined(step.output),
  }));
}

/** Instructions on which a store depends. */
function used(instructions: readonly Instruction[]): Instruction[] {
  const needed = new Set<number>();
  const kept: Instruction[] = [];
  for (const instruction of instructions.toReversed()) {
    if (instruction.does !== "store" && !needed.has(instruction.value)) continue;
    if (instruction.does === "store") needed.add(instruction.value);
    if (instruction.does === "compute") for (const input of instruction.inputs) needed.add(input);
    kept.push(instruction);
  }
  return kept.reverse();
}
