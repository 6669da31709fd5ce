import type { InlineCode } from "../kernels/contract.ts";
import { type Bytes, type Definition, joined, op, type } from "./assembler.ts";

/** What a loop does with one vector of each of its parameters, in order. */
export type Instruction =
  | {
      readonly does: "load";
      readonly value: number;
      readonly parameter: number;
      readonly offset: number;
    }
  | {
      readonly does: "store";
      readonly value: number;
      readonly parameter: number;
      readonly offset: number;
    }
  | {
      readonly does: "compute";
      readonly value: number;
      readonly code: string;
      readonly inputs: readonly number[];
      readonly alpha: number | undefined;
    };

/** Bytes from a row to the next, and whether columns are vectors (1) or one number (0). */
export interface Stride {
  readonly rowBytes: number;
  readonly col: number;
}

/** Element-wise calls as one loop over a grid: values between them stay in registers. */
export interface Loop {
  /** Bytes of an element. */
  readonly size: number;
  readonly rows: number;
  readonly cols: number;
  /** How each address that it gets is stepped through. */
  readonly parameters: readonly Stride[];
  readonly instructions: readonly Instruction[];
  /** Calls that it stands for. */
  readonly calls: number;
}

/** Opcodes of one instruction on float32 and on float64 lanes. */
const single: Readonly<Record<string, readonly [f32: number, f64: number]>> = {
  ceil: [0x67, 0x74],
  floor: [0x68, 0x75],
  round: [0x6a, 0x94],
  abs: [0xe0, 0xec],
  neg: [0xe1, 0xed],
  sqrt: [0xe3, 0xef],
  add: [0xe4, 0xf0],
  sub: [0xe5, 0xf1],
  mul: [0xe6, 0xf2],
  div: [0xe7, 0xf3],
  minimum: [0xe8, 0xf4],
  maximum: [0xe9, 0xf5],
};
const comparisons: Readonly<Record<string, readonly [f32: number, f64: number]>> = {
  equal: [0x41, 0x47],
  notEqual: [0x42, 0x48],
  less: [0x43, 0x49],
  greater: [0x44, 0x4a],
  lessEqual: [0x45, 0x4b],
  greaterEqual: [0x46, 0x4c],
};
const and = 0x4e;
const bitselect = 0x52;

/** Writes the code of one function on vectors whose operands are locals. */
type Writer = (inputs: readonly Bytes[], number: (value: number) => Bytes, at: 0 | 1) => Bytes;

/** Functions that are a few instructions. Each is its kernel's definition in `simd/math`. */
const short: Readonly<Record<string, Writer>> = {
  copy: ([x]) => x!,
  square: ([x], _, at) => [...x!, ...x!, ...op.vector(single.mul![at])],
  reciprocal: ([x], number, at) => [...number(1), ...x!, ...op.vector(single.div![at])],
  rsqrt: ([x], number, at) => [
    ...number(1),
    ...x!,
    ...op.vector(single.sqrt![at]),
    ...op.vector(single.div![at]),
  ],
  relu: ([x], number, at) => [...x!, ...number(0), ...op.vector(single.maximum![at])],
  scale: ([x, alpha], _, at) => [...x!, ...alpha!, ...op.vector(single.mul![at])],
  offset: ([x, alpha], _, at) => [...x!, ...alpha!, ...op.vector(single.add![at])],
  fill: ([alpha]) => alpha!,
  select: ([condition, a, b], number, at) => [
    ...a!,
    ...b!,
    ...condition!,
    ...number(0),
    ...op.vector(comparisons.notEqual![at]),
    ...op.vector(bitselect),
  ],
};

/** Whether an element-wise function is a few vector instructions. */
export function isInline(code: string): boolean {
  return code in single || code in comparisons || code in short;
}

/** The functions that are more than a few instructions, by name: as code, or to be called. */
export interface Functions {
  inline(code: string): InlineCode | undefined;
  indexOf(code: string): number;
}

/** A loop as a WebAssembly function of its addresses. */
export function codeOf(loop: Loop, name: string, functions: Functions): Definition {
  const { size, rows, cols, parameters, instructions } = loop;
  const at = size === 4 ? 0 : 1;
  const lanes = 16 / size;
  const [column, row] = [parameters.length, parameters.length + 1];
  const first = row + 1;
  const values = 1 + instructions.reduce((most, { value }) => Math.max(most, value), -1);
  /** Locals of functions in the place of a call come behind the values. */
  const locals = instructions.reduce((most, one) => {
    const code = one.does === "compute" && !isInline(one.code) && functions.inline(one.code);
    return Math.max(most, code ? code.locals : 0);
  }, 0);
  /** Vectors of one number each, by number. */
  const numbers = new Map<string, number>();
  const splat = (value: number): Bytes =>
    size === 4 ? [...op.f32(value), ...op.vector(0x13)] : [...op.f64(value), ...op.vector(0x14)];
  const number = (value: number): Bytes => {
    const key = Object.is(value, -0) ? "-0" : String(value);
    let local = numbers.get(key);
    if (local === undefined) {
      local = first + values + locals + numbers.size;
      numbers.set(key, local);
      prologue.push(...splat(value), ...op.localSet(local));
    }
    return op.localGet(local);
  };
  const prologue: Bytes = [];
  const value = (index: number): Bytes => op.localGet(first + index);

  /** The instructions for `count` lanes from the current column. */
  const body = (count: number, isMoving: boolean): Bytes => {
    const put = (...bytes: readonly Bytes[]): void => void all.push(...bytes);
    const all: Bytes[] = [];
    const address = (parameter: number): Bytes =>
      isMoving
        ? [...op.localGet(parameter), ...op.localGet(column), ...op.i32Add]
        : op.localGet(parameter);
    for (const instruction of instructions) {
      if (instruction.does === "compute") {
        put(compute(instruction), op.localSet(first + instruction.value));
        continue;
      }
      const { does, parameter, offset, value: index } = instruction;
      if (does === "load") {
        if (parameters[parameter]!.col === 0) continue;
        if (count === lanes) put(address(parameter), op.vectorAt(0x00, offset));
        else {
          put(number(0), op.localSet(first + index));
          for (let lane = 0; lane < count; lane++) {
            put(address(parameter), value(index));
            put(op.laneAt(size === 4 ? 0x56 : 0x57, offset + lane * size, lane));
            if (lane < count - 1) put(op.localSet(first + index));
          }
        }
        put(op.localSet(first + index));
      } else if (count === lanes) {
        put(address(parameter), value(index), op.vectorAt(0x0b, offset));
      } else {
        for (let lane = 0; lane < count; lane++) {
          put(address(parameter), value(index));
          put(op.laneAt(size === 4 ? 0x5a : 0x5b, offset + lane * size, lane));
        }
      }
    }
    return joined(...all);
  };
  const compute = ({ code, inputs, alpha }: Extract<Instruction, { does: "compute" }>): Bytes => {
    const operands = inputs.map(value);
    if (alpha !== undefined) operands.push(number(alpha));
    const write = short[code];
    if (write !== undefined) return write(operands, number, at);
    const all = operands.flat();
    const one = single[code];
    if (one !== undefined) return [...all, ...op.vector(one[at])];
    const comparison = comparisons[code];
    if (comparison !== undefined)
      return [...all, ...op.vector(comparison[at]), ...number(1), ...op.vector(and)];
    const inline = functions.inline(code);
    if (inline === undefined) return [...all, ...op.call(functions.indexOf(code))];
    const own = first + values;
    const given = operands.map((_, i) => op.localSet(own + i)).reverse();
    return [...all, ...given.flat(), ...inline.write(own, functions.indexOf)];
  };

  /** Numbers that a row, or everything, shares. */
  const shared: Bytes = instructions.flatMap((instruction): Bytes => {
    if (instruction.does !== "load") return [];
    const { parameter, offset, value: index } = instruction;
    if (parameters[parameter]!.col !== 0) return [];
    const load = op.vectorAt(size === 4 ? 0x09 : 0x0a, offset);
    return [...op.localGet(parameter), ...load, ...op.localSet(first + index)];
  });
  const whole = Math.floor(cols / lanes);
  const rest = cols % lanes;
  const parts: Bytes[] = [shared];
  if (whole > 1) {
    parts.push(op.i32(0), op.localSet(column), op.loop, body(lanes, true));
    parts.push(op.localGet(column), op.i32(16), op.i32Add, op.localTee(column));
    parts.push(op.i32(16 * whole), op.i32LessUnsigned, op.branchIf, op.end);
  } else if (whole === 1) parts.push(body(lanes, false));
  if (rest > 0) {
    if (whole === 1) parts.push(op.i32(16), op.localSet(column));
    parts.push(body(rest, whole > 0));
  }
  if (rows > 1) {
    parts.unshift(op.i32(rows), op.localSet(row), op.loop);
    for (const [index, { rowBytes }] of parameters.entries()) {
      if (rowBytes === 0) continue;
      parts.push(op.localGet(index), op.i32(rowBytes), op.i32Add, op.localSet(index));
    }
    parts.push(op.localGet(row), op.i32(-1), op.i32Add, op.localTee(row));
    parts.push(op.branchIf, op.end);
  }
  return {
    name,
    type: { params: parameters.map(() => type.i32), results: [] },
    locals: [
      type.i32,
      type.i32,
      ...Array.from({ length: values + locals + numbers.size }, () => type.v128),
    ],
    body: joined(prologue, ...parts),
  };
}
