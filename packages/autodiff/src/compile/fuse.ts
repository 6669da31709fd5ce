import { type Family, type Kernels, linkageOf } from "../kernels/contract.ts";
import { type Kind, signatureOf } from "../kernels/signature.ts";
import { type Call, isCallOf, type Pointer, touches } from "./call.ts";
import {
  type Access,
  areDisjoint,
  columnBlocks,
  commonGrid,
  keyOf,
  type Lanewise,
  lanewise,
} from "./lanewise.ts";
import { type Instruction, isInline, type Loop, type Stride } from "./loop.ts";
import type { Program } from "./program.ts";

/** The most calls of one loop: more would not find registers. */
const mostCalls = 48;

/**
 * Runs element-wise calls that follow each other as one loop, with the values between them in
 * registers; a value that nobody else reads is not written. Each element gets the same operations,
 * so it has the same bits.
 */
export function fused(program: Program, kernels: Kernels): Program {
  if (kernels.linkage === undefined) return program;
  const { calls, buffers } = program;
  /** How many calls read each buffer. */
  const readers = new Int32Array(buffers.length);
  for (const call of calls) for (const buffer of new Set(touches(call).reads)) readers[buffer]!++;
  const loops: Loop[] = [];
  const indices = new Map<string, number>();
  const next: Call[] = [];
  const close = (group: Group): void => {
    const [only] = group.calls;
    if (group.calls.length < 2 && (only === undefined || !isCallOf(only, "addToZero"))) {
      next.push(...group.calls);
      return;
    }
    const own = new Int32Array(buffers.length);
    for (const call of group.calls)
      for (const buffer of new Set(touches(call).reads)) own[buffer]!++;
    const isPrivate = (buffer: number) =>
      buffer >= 0 && buffers[buffer]!.slot < 0 && readers[buffer] === own[buffer];
    const { loop, parameters } = group.toLoop(isPrivate);
    if (loop.instructions.length === 0) return;
    const key = JSON.stringify(loop, exactly);
    const index = indices.get(key) ?? loops.push(loop) - 1;
    indices.set(key, index);
    next.push({
      family: "loop",
      name: String(index),
      signature: signatureOf(parameters.map(({ kind }, i) => `p${i}:${kind}`).join(" ")),
      args: parameters.map(({ offset }) => offset),
      buffers: parameters.map(({ buffer }) => buffer),
      phase: group.calls[0]!.phase,
    });
  };
  let group = new Group();
  for (const call of calls) {
    const lane = fusable(call, kernels);
    if (lane !== undefined && group.add(call, lane)) continue;
    close(group);
    group = new Group();
    if (lane === undefined || !group.add(call, lane)) next.push(call);
  }
  close(group);
  return { ...program, calls: next, loops };
}

/** Numbers as texts: JSON has no infinities, no NaN and no -0. */
function exactly(_key: string, value: unknown): unknown {
  if (typeof value !== "number") return value;
  return Object.is(value, -0) ? "-0" : String(value);
}

function fusable(call: Call, kernels: Kernels): Lanewise | undefined {
  const lane = lanewise(call);
  if (lane === undefined || lane.rows * lane.cols === 0) return undefined;
  const name = call.name === "addToZero" ? "addTo" : call.name;
  const linkage = linkageOf(kernels, call.family as Family, name);
  if (linkage === undefined) return undefined;
  const family = lane.size === 4 ? "float32" : "float64";
  return isInline(lane.code) || linkage.lanes(family, lane.code) !== undefined ? lane : undefined;
}

/** An address that a loop gets. */
interface Parameter extends Pointer {
  readonly kind: Kind;
}

/** Calls that become one loop. */
class Group {
  readonly calls: Call[] = [];
  readonly #lanes: Lanewise[] = [];
  #rows = 0;
  #cols = 0;
  /** The calls cut to the common grid. */
  #steps: Lanewise[] = [];
  /** By buffer: the accesses so far, and whether any writes. */
  #touched = new Map<number, Map<string, { access: Access; writes: boolean }>>();

  /** Takes one more call, if it fits to those before. */
  add(call: Call, lane: Lanewise): boolean {
    const [first] = this.#lanes;
    if (first !== undefined) {
      const isAlike = first.size === lane.size && this.calls[0]!.phase === call.phase;
      if (!isAlike || this.calls.length === mostCalls) return false;
    }
    const all = [...this.#lanes, lane];
    const grid = commonGrid(all);
    if (grid === undefined) return false;
    const { rows, cols } = grid;
    const isSame = rows === this.#rows && cols === this.#cols;
    const steps = (isSame ? [lane] : all).flatMap((one) => columnBlocks(one, rows, cols));
    const touched = isSame ? this.#touched : new Map();
    if (!fits(steps, touched)) {
      // What was tried may have left its marks.
      if (isSame) this.#touched = marksOf(this.#steps);
      return false;
    }
    [this.#rows, this.#cols, this.#touched] = [rows, cols, touched];
    this.#steps = isSame ? [...this.#steps, ...steps] : steps;
    this.calls.push(call);
    this.#lanes.push(lane);
    return true;
  }

  /** The loop, and its addresses. Values of private buffers are not written. */
  toLoop(isPrivate: (buffer: number) => boolean): { loop: Loop; parameters: Parameter[] } {
    const steps = flattened(this.#steps);
    const [{ size, rows, cols }] = steps as [Lanewise];
    const instructions: Instruction[] = [];
    const parameters = new Parameters(cols, size);
    const values = new Map<string, number>();
    /** By address: the step that writes it last. */
    const last = new Map<string, number>();
    for (const [at, { output }] of steps.entries()) last.set(keyOf(output), at);
    let count = 0;
    for (const [at, { code, inputs, output, alpha }] of steps.entries()) {
      const operands = inputs.map((access) => {
        const key = keyOf(access);
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
      const key = keyOf(output);
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

type Touched = Map<number, Map<string, { access: Access; writes: boolean }>>;

function marksOf(steps: readonly Lanewise[]): Touched {
  const touched: Touched = new Map();
  fits(steps, touched);
  return touched;
}

/**
 * Whether whatever is written is only touched in the same order of elements; notes what is touched.
 */
function fits(steps: readonly Lanewise[], touched: Touched): boolean {
  for (const step of steps) {
    for (const access of [...step.inputs, step.output]) {
      const writes = access === step.output;
      if (access.buffer < 0) continue;
      let known = touched.get(access.buffer);
      if (known === undefined) {
        known = new Map();
        touched.set(access.buffer, known);
      }
      const key = keyOf(access);
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
function flattened(steps: readonly Lanewise[]): readonly Lanewise[] {
  const all = steps.flatMap(({ inputs, output }) => [...inputs, output]);
  const [{ rows, cols }] = steps as [Lanewise];
  if (rows === 1 || !all.every(({ row, col }) => row === cols * col)) return steps;
  const joined = (access: Access): Access => ({ ...access, row: 0 });
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

type Moving = Exclude<Instruction, { does: "compute" }>;

/** The addresses of a loop: accesses to columns of the same rows share one. */
class Parameters {
  readonly #cols: number;
  readonly #size: number;
  readonly #all: { access: Access; from: number; kinds: Set<Kind> }[] = [];

  constructor(cols: number, size: number) {
    this.#cols = cols;
    this.#size = size;
  }

  /** Which address serves an access, and the offset in its buffer. */
  of(access: Access, kind: Kind): { parameter: number; offset: number } {
    const { buffer, offset, row, col } = access;
    const near = (row > 0 ? row : 8 * this.#cols) * this.#size;
    let parameter = this.#all.findIndex(
      ({ access: other, from }) =>
        other.buffer === buffer &&
        other.row === row &&
        other.col === col &&
        Math.abs(other.offset - offset) < near &&
        Math.abs(from - offset) < near,
    );
    if (parameter < 0) {
      parameter = this.#all.push({ access, from: offset, kinds: new Set() }) - 1;
    }
    const found = this.#all[parameter]!;
    found.from = Math.min(found.from, offset);
    found.kinds.add(kind);
    return { parameter, offset };
  }

  /** The addresses, and instructions relative to them. */
  settled(): { list: Parameter[]; strides: Stride[]; move: (one: Moving) => Moving } {
    const list = this.#all.map(({ access: { buffer }, from, kinds }): Parameter => {
      return { buffer, offset: from, kind: kinds.size > 1 ? "inout" : [...kinds][0]! };
    });
    const strides = this.#all.map(({ access: { row, col } }) => {
      return { rowBytes: row * this.#size, col };
    });
    const move = (one: Moving): Moving => {
      return { ...one, offset: one.offset - this.#all[one.parameter]!.from };
    };
    return { list, strides, move };
  }
}
