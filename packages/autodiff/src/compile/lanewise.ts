import { binary, scaled, unary } from "../kernels/elementwise.ts";
import { argsOf, type Call, elementBytes, isCallOf, type Pointer } from "./call.ts";

/**
 * Where a call reads or writes the element `[r, c]` of its grid: `offset + (r*row + c*col)*size`
 * bytes into a buffer, or, where that is -1, from address 0.
 */
export interface Access extends Pointer {
  readonly row: number;
  /** 1, or 0 for a number that a whole row shares. */
  readonly col: number;
}

/** A call that computes each element of its output from the same element of its inputs. */
export interface Lanewise {
  /** The kernel without its family; `copy` for one that moves. */
  readonly code: string;
  /** Bytes of an element. */
  readonly size: number;
  readonly rows: number;
  readonly cols: number;
  readonly inputs: readonly Access[];
  readonly output: Access;
  /** The number that it takes besides. */
  readonly alpha: number | undefined;
}

const strided = (at: Pointer, row: number, col: number): Access => ({ ...at, row, col });
/** Elements of a single row. */
const flat = (at: Pointer): Access => strided(at, 0, 1);

/**
 * A call as a lanewise one, if it is: with columns that follow each other, so that they can be read
 * as vectors.
 */
export function lanewise(call: Call): Lanewise | undefined {
  const { family, name: code, signature } = call;
  if (family === "cast" || family === "int32") return undefined;
  const common = { code, size: elementBytes(call), alpha: undefined };
  if (signature.text === unary || signature.text === scaled) {
    const { n, x, y, ...rest } = argsOf(call as Call<"neg" | "scale">);
    const alpha = "alpha" in rest ? rest.alpha : undefined;
    return { ...common, rows: 1, cols: n, inputs: [flat(x)], output: flat(y), alpha };
  }
  if (isCallOf(call, "fill")) {
    const { n, value, y } = argsOf(call);
    return { ...common, rows: 1, cols: n, inputs: [], output: flat(y), alpha: value };
  }
  if (signature.text === binary) {
    const { rows, cols, a, aRow, aCol, b, bRow, bCol, y } = argsOf(call as Call<"add">);
    const inputs = [strided(a, aRow, aCol), strided(b, bRow, bCol)];
    return plain({ ...common, rows, cols, inputs, output: strided(y, cols, 1) });
  }
  if (isCallOf(call, "select")) {
    const { rows, cols, condition, conditionRow, conditionCol, ...operands } = argsOf(call);
    const { a, aRow, aCol, b, bRow, bCol, y } = operands;
    const choice = [strided(a, aRow, aCol), strided(b, bRow, bCol)];
    const inputs = [strided(condition, conditionRow, conditionCol), ...choice];
    return plain({ ...common, rows, cols, inputs, output: strided(y, cols, 1) });
  }
  if (!isCallOf(call, "copy", "addTo", "addToZero")) return undefined;
  const { rows, cols, ...operands } = argsOf(call);
  const x = strided(operands.x, operands.xRow, operands.xCol);
  const y = strided(operands.y, operands.yRow, operands.yCol);
  const move = { ...common, rows, cols, inputs: [x], output: y };
  if (call.name === "addTo") return plain({ ...move, code: "add", inputs: [y, x] });
  // Not a copy: -0 becomes 0.
  return plain(call.name === "copy" ? move : { ...move, code: "offset", alpha: 0 });
}

/** The same on as few rows as can be, if its columns are vectors. */
function plain(given: Lanewise): Lanewise | undefined {
  let { rows, cols, inputs, output } = given;
  if (cols === 1) {
    const turned = ({ row, ...rest }: Access): Access => ({ ...rest, row: 0, col: row });
    [rows, cols, inputs, output] = [1, rows, inputs.map(turned), turned(output)];
  }
  const all = [...inputs, output];
  if (rows === 1 || all.every(({ row, col }) => row === cols * col)) {
    const joined = (access: Access): Access => ({ ...access, row: 0 });
    [rows, cols, inputs, output] = [1, rows * cols, inputs.map(joined), joined(output)];
  }
  if (cols === 1 && rows === 1) {
    const single = (access: Access): Access => ({ ...access, row: 0, col: 1 });
    [inputs, output] = [inputs.map(single), single(output)];
  }
  const isPlain = [...inputs, output].every(({ row, col }) => row >= 0 && (col === 1 || col === 0));
  if (!isPlain || output.col !== 1) return undefined;
  return { ...given, rows, cols, inputs, output };
}

/**
 * Whether a call can be seen on a grid of other rows, because all that it touches is contiguous or
 * one number.
 */
function isFlat({ rows }: Lanewise): boolean {
  return rows === 1;
}

/** The most blocks of columns that one call is cut into: the gates of a cell are four. */
const mostBlocks = 8;

/** Rows, and columns of a block, that all calls so far can be cut into. */
export interface Grid {
  readonly rows: number;
  readonly cols: number;
  /** Elements of the largest call. */
  readonly most: number;
}

/** A grid for one call more, if there is one: a call on a single row is so many on several. */
export function commonGrid(call: Lanewise, before?: Grid): Grid | undefined {
  const given = before ?? { rows: 1, cols: 0, most: 0 };
  const rows = isFlat(call) ? given.rows : call.rows;
  if (given.rows !== 1 && given.rows !== rows) return undefined;
  const elements = call.rows * call.cols;
  const [cut, own] = [(given.cols * given.rows) / rows, elements / rows];
  if (!Number.isInteger(cut) || !Number.isInteger(own) || own === 0) return undefined;
  const cols = divisor(cut, own);
  const most = Math.max(given.most, elements);
  const isFine = most / (rows * cols) <= mostBlocks && (rows === 1 || cols >= 16 / call.size);
  return isFine ? { rows, cols, most } : undefined;
}

function divisor(a: number, b: number): number {
  return a === 0 ? b : divisor(b % a, a);
}

/** An access with a text that is equal for equal ones on one grid. */
export interface Place extends Access {
  readonly key: string;
}

/** A call, or a part of one, on the grid of a loop. */
export interface Step extends Lanewise {
  readonly inputs: readonly Place[];
  readonly output: Place;
}

/** A call as calls on blocks of its columns, each of `rows` rows and `cols` columns. */
export function columnBlocks(call: Lanewise, { rows, cols }: Grid): Step[] {
  const width = isFlat(call) ? call.cols / rows : call.cols;
  const at = (access: Access, block: number): Place => {
    const { buffer, col } = access;
    const offset = access.offset + block * cols * col * call.size;
    const row = isFlat(call) ? width * col : access.row;
    return { buffer, offset, row, col, key: `${buffer} ${offset} ${row} ${col}` };
  };
  return Array.from({ length: width / cols }, (_, block) => ({
    ...call,
    rows,
    cols,
    inputs: call.inputs.map((access) => at(access, block)),
    output: at(call.output, block),
  }));
}

/** Whether two accesses on one grid are disjoint. */
export function areDisjoint(
  a: Access,
  b: Access,
  { rows, cols, size }: Pick<Lanewise, "rows" | "cols" | "size">,
): boolean {
  if (a.buffer !== b.buffer) return true;
  const end = ({ offset, row, col }: Access): number =>
    offset + ((rows - 1) * row + (cols - 1) * col + 1) * size;
  if (end(a) <= b.offset || end(b) <= a.offset) return true;
  // Columns of the same rows, side by side.
  const step = a.row * size;
  if (a.row !== b.row || step <= 0 || a.col !== 1 || b.col !== 1) return false;
  const [from, other] = [a.offset % step, b.offset % step];
  const bytes = cols * size;
  return (
    from + bytes <= step &&
    other + bytes <= step &&
    (from + bytes <= other || other + bytes <= from)
  );
}
