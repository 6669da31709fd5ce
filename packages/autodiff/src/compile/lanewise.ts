import { type Call, elementBytes } from "./program.ts";

/**
 * Where a call reads or writes the element `[r, c]` of its grid: `offset + (r*row + c*col)*size` bytes into a buffer, or, where
 * that is -1, from address 0.
 */
export interface Access {
  readonly buffer: number;
  readonly offset: number;
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

/** A call as a lanewise one, if it is: with columns that follow each other, so that they can be read as vectors. */
export function lanewise(call: Call): Lanewise | undefined {
  const { kernel, signature, args, buffers } = call;
  const family = kernel.slice(0, kernel.indexOf("."));
  if (family === "cast" || family === "int32") return undefined;
  const name = kernel.slice(family.length + 1);
  const size = elementBytes(kernel);
  const flat = (at: number): Access => ({
    buffer: buffers[at]!,
    offset: args[at]!,
    row: 0,
    col: 1,
  });
  const strided = (at: number): Access => {
    return { buffer: buffers[at]!, offset: args[at]!, row: args[at + 1]!, col: args[at + 2]! };
  };
  const common = { code: name, size, alpha: undefined };
  const [first, second] = args as [number, number];
  if (signature === "nrw" || signature === "nrws") {
    const alpha = args[3];
    return { ...common, rows: 1, cols: first, inputs: [flat(1)], output: flat(2), alpha };
  }
  if (name === "fill") {
    return { ...common, rows: 1, cols: first, inputs: [], output: flat(2), alpha: second };
  }
  const grid = { ...common, rows: first, cols: second };
  const whole = (at: number): Access => ({ ...flat(at), row: second });
  if (signature === "nnrnnrnnw") {
    return plain({ ...grid, inputs: [strided(2), strided(5)], output: whole(8) });
  }
  if (name === "select") {
    return plain({ ...grid, inputs: [strided(2), strided(5), strided(8)], output: whole(11) });
  }
  if (name === "copy") return plain({ ...grid, inputs: [strided(2)], output: strided(5) });
  // Not a copy: -0 becomes 0.
  if (name === "addToZero") {
    return plain({ ...grid, code: "offset", alpha: 0, inputs: [strided(2)], output: strided(5) });
  }
  if (name === "addTo") {
    const [x, y] = [strided(2), strided(5)];
    return plain({ ...grid, code: "add", inputs: [y, x], output: y });
  }
  return undefined;
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

/** Whether a call can be seen on a grid of other rows, because all that it touches is contiguous or one number. */
function isFlat({ rows }: Lanewise): boolean {
  return rows === 1;
}

/** The most blocks of columns that one call is cut into: the gates of a cell are four. */
const mostBlocks = 8;

/** A grid that all calls can be cut into, if there is one. */
export function commonGrid(calls: readonly Lanewise[]): { rows: number; cols: number } | undefined {
  const rows = calls.find((call) => !isFlat(call))?.rows ?? 1;
  let cols = 0;
  for (const call of calls) {
    if (!isFlat(call) && call.rows !== rows) return undefined;
    const own = isFlat(call) ? call.cols / rows : call.cols;
    if (!Number.isInteger(own) || own === 0) return undefined;
    cols = divisor(cols, own);
  }
  const lanes = 16 / calls[0]!.size;
  const isFine = calls.every((call) => (call.rows * call.cols) / (rows * cols) <= mostBlocks);
  return isFine && (rows === 1 || cols >= lanes) ? { rows, cols } : undefined;
}

function divisor(a: number, b: number): number {
  return a === 0 ? b : divisor(b % a, a);
}

/** A call as calls on blocks of its columns, each of `rows` rows and `cols` columns. */
export function blocks(call: Lanewise, rows: number, cols: number): Lanewise[] {
  const width = isFlat(call) ? call.cols / rows : call.cols;
  const at = ({ buffer, offset, row, col }: Access, block: number): Access => ({
    buffer,
    offset: offset + block * cols * col * call.size,
    row: isFlat(call) ? width * col : row,
    col,
  });
  return Array.from({ length: width / cols }, (_, block) => ({
    ...call,
    rows,
    cols,
    inputs: call.inputs.map((access) => at(access, block)),
    output: at(call.output, block),
  }));
}

/** Where an access is, as a text that is equal for equal accesses. */
export function keyOf({ buffer, offset, row, col }: Access): string {
  return `${buffer} ${offset} ${row} ${col}`;
}

/** Whether two accesses on one grid never meet. */
export function areApart(
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
