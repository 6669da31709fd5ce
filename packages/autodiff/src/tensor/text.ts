import { bytesOf } from "./dtype.ts";
import { format, sizeOf } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

/**
 * Tensors of more elements are shown by the first and last three along each axis, as NumPy does.
 */
const shownWhole = 1000;
const edge = 3;
/** Columns of a line. */
const width = 75;

/** `float32 [2,3]`: what kernels must know of a tensor. @internal */
export function describeType({ dtype, shape }: Pick<Tensor, "dtype" | "shape">): string {
  return `${dtype} ${format(shape)}`;
}

/** `Tensor float32 [2,3]`: a tensor in a sentence. @internal */
export function describeTensor(x: Pick<Tensor, "dtype" | "shape">): string {
  return `Tensor ${describeType(x)}`;
}

/**
 * How numbers are written, all with as many digits as one of them needs (NumPy's rules, 8 digits at
 * most).
 */
function formatter(values: readonly number[], isSingle: boolean): (value: number) => string {
  // The decimals of float32 beyond the seventh digit are not its own.
  const rounded = (value: number) => (isSingle ? Number(value.toPrecision(7)) : value);
  const sizes = values.map(Math.abs).filter((size) => size > 0 && size < Infinity);
  const [low, high] = [Math.min(...sizes), Math.max(...sizes)];
  const isWide = sizes.length > 0 && (high >= 1e8 || low < 1e-4 || high / low > 1e3);
  const areWhole = sizes.every((size) => Number.isInteger(size)) && high < 1e8;
  const needed = (text: string) =>
    text
      .replace(/e.*/, "")
      .replace(/\.?0*$/, "")
      .split(".")[1];
  const write = (value: number, digits: number) =>
    isWide && !areWhole ? rounded(value).toExponential(digits) : rounded(value).toFixed(digits);
  let digits = 0;
  for (const value of values) {
    if (Number.isFinite(value) && !areWhole) {
      digits = Math.max(digits, needed(write(value, 8))?.length ?? 0);
    }
  }
  return (value) => {
    if (!Number.isFinite(value)) return String(value);
    return Object.is(value, -0) ? `-${write(0, digits)}` : write(value, digits);
  };
}

/** Rows in brackets, below each other; numbers side by side, in lines of limited length. */
function bracket(parts: readonly string[], rank: number, indent: number): string {
  const pad = " ".repeat(indent + 1);
  if (rank > 1) return `[${parts.join(`,${"\n".repeat(rank - 1)}${pad}`)}]`;
  const lines: string[] = [];
  let line = "";
  for (const [i, part] of parts.entries()) {
    const next = i < parts.length - 1 ? `${part}, ` : part;
    if (line !== "" && indent + 1 + line.length + next.trimEnd().length > width) {
      lines.push(line.trimEnd());
      line = "";
    }
    line += next;
  }
  return `[${[...lines, line].join(`\n${pad}`)}]`;
}

/** What is to be said besides the numbers, and whether there are any. */
function standing(x: Tensor): { note: string; hasValues: boolean } {
  const { backend, holders, whyGone } = x.block;
  if (holders <= 0) return { note: `, gone: ${whyGone}`, hasValues: false };
  if (backend.parent !== null)
    return { note: ", without values: its function is being recorded", hasValues: false };
  return { note: x.tape === null ? "" : ", on a tape", hasValues: true };
}

/**
 * A tensor as NumPy prints arrays: rounded columns, an ellipsis where it is large, dtype and
 * shape. @internal
 */
export function textOf(x: Tensor): string {
  const { shape, dtype, size } = x;
  const { note, hasValues } = standing(x);
  if (!hasValues) return describeTensor(x) + note;
  const view = x.block.backend.memory.views[dtype];
  const start = x.pointer / bytesOf[dtype];
  const isLarge = size > shownWhole;
  /** Indices along an axis; -1 stands for those left out. */
  const along = (length: number) => {
    const all = Array.from(
      { length: isLarge ? Math.min(length, 2 * edge + 1) : length },
      (_, i) => i,
    );
    if (!isLarge || length <= 2 * edge) return all;
    return all.map((i) => (i < edge ? i : i === edge ? -1 : length - 2 * edge - 1 + i));
  };
  const shown: number[] = [];
  const walk = (axis: number, offset: number, visit: (value: number) => string): string => {
    if (axis === shape.length) return visit(view[start + offset]!);
    const step = sizeOf(shape.slice(axis + 1));
    const parts = along(shape[axis]!).map((i) =>
      i < 0 ? "..." : walk(axis + 1, offset + i * step, visit),
    );
    return bracket(parts, shape.length - axis, "tensor(".length + axis);
  };
  walk(0, 0, (value) => String(shown.push(value)));
  const write = dtype === "int32" ? String : formatter(shown, dtype === "float32");
  const columns = shown.reduce((most, value) => Math.max(most, write(value).length), 0);
  const text = walk(0, 0, (value) => write(value).padStart(shape.length === 0 ? 0 : columns));
  return `tensor(${text}, ${describeType(x)}${note})`;
}
