import {
  argsOf,
  type Call,
  callOf,
  elementBytes,
  isCallOf,
  type Pointer,
  touches,
  withArgs,
} from "./call.ts";
import type { Buffer, Program } from "./program.ts";

/** Rows that one call looks up in a table, or adds to one. */
interface Lookup {
  readonly rows: number;
  readonly indices: Pointer;
}

/** What a call looks up: which rows, and their table. */
interface Look extends Lookup {
  readonly own: Pointer;
  readonly table: Pointer;
}

/** Contiguous rows of a buffer. */
interface Rows extends Pointer {
  readonly rows: number;
  readonly cols: number;
}

/** A table, and the rows of it that were looked up, or added to it. */
interface LookedUp {
  readonly table: Rows;
  readonly lookups: readonly Lookup[];
  /** The calls that did. */
  readonly calls: readonly number[];
}

/**
 * Takes products of looked-up rows by their table, where that has fewer rows: `X = E[i]` gives
 * `X W = (E W)[i]`, and with `S[j] = sum of G[t] over i[t] = j`, `X' G = E' S`, and the gradient of
 * `E` through `X` is `S W'`. An embedding of a few symbols then costs a recurrent network no
 * product over all time steps.
 */
export function byTable(program: Program): Program {
  if (!program.calls.some((call) => isCallOf(call, "gather"))) return program;
  return new Rewrite(program).result();
}

class Rewrite {
  readonly #program: Program;
  readonly #buffers: Buffer[];
  /** By buffer: the calls that write and read it. */
  readonly #writers: number[][];
  readonly #readers: number[][];
  readonly #next: Call[][];
  /** Sums of rows by index, by what is summed. */
  readonly #sums = new Map<string, Pointer>();

  constructor(program: Program) {
    this.#program = program;
    this.#buffers = [...program.buffers];
    this.#writers = program.buffers.map(() => []);
    this.#readers = program.buffers.map(() => []);
    for (const [at, call] of program.calls.entries()) {
      const { reads, writes } = touches(call);
      for (const buffer of new Set(reads)) this.#readers[buffer]!.push(at);
      for (const buffer of new Set(writes)) this.#writers[buffer]!.push(at);
    }
    this.#next = program.calls.map((call) => [call]);
  }

  result(): Program {
    const { calls } = this.#program;
    let count = 0;
    for (const [at, call] of calls.entries()) {
      if (!isCallOf(call, "matmul")) continue;
      const replaced = this.#forward(call) ?? this.#weight(call, at) ?? this.#table(call, at);
      if (replaced === undefined) continue;
      this.#next[at] = replaced;
      count++;
    }
    return this.#withoutUnread({
      ...this.#program,
      buffers: this.#buffers,
      calls: this.#next.flat(),
      byTable: count,
    });
  }

  /** `X W` as rows of `E W`. */
  #forward(call: Call<"matmul">): Call[] | undefined {
    const { m, n, k, a, lda, aTransposed, c, ldc, accumulate } = argsOf(call);
    const isPlain = aTransposed === 0 && accumulate === 0 && lda === k && ldc === n;
    if (!isPlain || c.buffer < 0) return undefined;
    const size = elementBytes(call);
    const looked = this.#lookedUp({ ...a, rows: m, cols: k }, size);
    if (looked === undefined) return undefined;
    const { table, lookups } = looked;
    const product = this.#private(table.rows * n * size);
    const move = { family: `move${(8 * size) as 32 | 64}`, phase: call.phase } as const;
    let { offset } = c;
    return [
      withArgs(call, { m: table.rows, a: table, c: product }),
      ...lookups.map(({ rows, indices }) => {
        const y = { buffer: c.buffer, offset };
        offset += rows * n * size;
        return callOf(move, "gather", { n: rows, inner: n, x: product, indices, y });
      }),
    ];
  }

  /** `D += X' G` as `D += E' S`. */
  #weight(call: Call<"matmul">, position: number): Call[] | undefined {
    const { m, n, k, a, lda, aTransposed, b, ldb, bTransposed } = argsOf(call);
    const isPlain = aTransposed === 1 && bTransposed === 0 && lda === m && ldb === n;
    if (!isPlain || b.buffer < 0) return undefined;
    const looked = this.#lookedUp({ ...a, rows: k, cols: m }, elementBytes(call));
    if (looked === undefined) return undefined;
    const { table, lookups } = looked;
    const sums = this.#sumsOf({ ...b, rows: k, cols: n }, lookups, table.rows, call, position);
    if (sums === undefined) return undefined;
    return [...sums.calls, withArgs(call, { k: table.rows, a: table, b: sums.pointer })];
  }

  /**
   * `dX = G W'`, whose rows are only added to the rows of `dE` that they were looked up in, as
   * `dE += S W'`.
   */
  #table(call: Call<"matmul">, position: number): Call[] | undefined {
    const { m, n, k, a, lda, aTransposed, c, ldc, accumulate } = argsOf(call);
    const isPlain = aTransposed === 0 && accumulate === 0 && lda === k && ldc === n;
    if (!isPlain || a.buffer < 0) return undefined;
    const added = this.#addedTo({ ...c, rows: m, cols: n }, elementBytes(call), position);
    if (added === undefined) return undefined;
    const { table, lookups, calls } = added;
    const sums = this.#sumsOf({ ...a, rows: m, cols: k }, lookups, table.rows, call, position);
    if (sums === undefined) return undefined;
    // In place of the first addition: what the table's gradient was before is there by then.
    const [first] = calls as [number];
    for (const one of calls) this.#next[one] = [];
    this.#next[first] = [
      withArgs(call, { m: table.rows, a: sums.pointer, c: table, accumulate: 1 }),
    ];
    return sums.calls;
  }

  /** Adds rows up by index, once for all who need the sums. */
  #sumsOf(
    given: Rows,
    lookups: readonly Lookup[],
    count: number,
    call: Call<"matmul">,
    position: number,
  ): { pointer: Pointer; calls: Call[] } | undefined {
    // The sums stand for the rows in all later calls.
    const isSettled = this.#writers[given.buffer]!.every((writer) => writer < position);
    if (!isSettled) return undefined;
    const key = JSON.stringify([given, lookups, count, call.phase]);
    const known = this.#sums.get(key);
    if (known !== undefined) return { pointer: known, calls: [] };
    const [inner, size] = [given.cols, elementBytes(call)];
    const y = this.#private(count * inner * size);
    this.#sums.set(key, y);
    let { offset } = given;
    const calls: Call[] = lookups.map(({ rows, indices }) => {
      const g = { buffer: given.buffer, offset };
      offset += rows * inner * size;
      return callOf(call, "scatterAdd", { n: rows, inner, g, indices, y });
    });
    const zero = callOf(call, "fill", { n: count * inner, value: 0, y });
    return { pointer: y, calls: [zero, ...calls] };
  }

  /** How rows were looked up, if all of them were, in one table that has far fewer. */
  #lookedUp(given: Rows, size: number): LookedUp | undefined {
    const found = this.#tiles(given, size, this.#writers[given.buffer] ?? [], (call) => {
      if (!isCallOf(call, "gather")) return undefined;
      const { n, inner, x, indices, y } = argsOf(call);
      return inner === given.cols ? { rows: n, indices, own: y, table: x } : undefined;
    });
    if (found === undefined || this.#writers[found.table.buffer]!.length > 0) return undefined;
    return found;
  }

  /** Where rows are added to, if nothing else becomes of them. */
  #addedTo(given: Rows, size: number, product: number): LookedUp | undefined {
    // The product itself overwrites them.
    const others = this.#readers[given.buffer]?.filter((position) => position !== product) ?? [];
    return this.#tiles(given, size, others, (call) => {
      if (!isCallOf(call, "scatterAdd")) return undefined;
      const { n, inner, g, indices, y } = argsOf(call);
      return inner === given.cols ? { rows: n, indices, own: g, table: y } : undefined;
    });
  }

  /**
   * The calls that touch some rows, if each looks up a part of them in one table and there are no
   * others.
   */
  #tiles(
    { buffer, offset, rows, cols }: Rows,
    size: number,
    touching: readonly number[],
    look: (call: Call) => Look | undefined,
  ): LookedUp | undefined {
    if (buffer < 0 || this.#buffers[buffer]!.slot >= 0) return undefined;
    const { calls } = this.#program;
    const parts: { start: number; position: number; lookup: Lookup }[] = [];
    let table: Rows | undefined;
    const end = offset + rows * cols * size;
    for (const position of touching) {
      const call = calls[position]!;
      const found = look(call);
      if (found?.own.buffer !== buffer) {
        if (meets(call, buffer, end)) return undefined;
        continue;
      }
      const start = found.own.offset;
      if (start >= end || start + found.rows * cols * size <= offset) continue;
      const whole = this.#buffers[found.table.buffer];
      if (whole === undefined || found.table.offset !== 0) return undefined;
      if (table !== undefined && table.buffer !== found.table.buffer) return undefined;
      table = { ...found.table, rows: whole.bytes / (cols * size), cols };
      parts.push({ start, position, lookup: { rows: found.rows, indices: found.indices } });
    }
    if (table === undefined || !Number.isInteger(table.rows) || 2 * table.rows > rows)
      return undefined;
    parts.sort((a, b) => a.start - b.start);
    let next = offset;
    for (const { start, lookup } of parts) {
      if (start !== next) return undefined;
      next += lookup.rows * cols * size;
    }
    if (next !== end) return undefined;
    const order = parts.map(({ position }) => position).sort((a, b) => a - b);
    return { table, lookups: parts.map(({ lookup }) => lookup), calls: order };
  }

  #private(bytes: number): Pointer {
    return { buffer: this.#buffers.push({ bytes, slot: -1 }) - 1, offset: 0 };
  }

  /** Without look-ups and products that nobody reads any more. */
  #withoutUnread(program: Program): Program {
    const read = new Set(program.calls.flatMap((call) => touches(call).reads));
    const calls = program.calls.filter((call) => {
      const output = isCallOf(call, "gather") ? argsOf(call).y.buffer : -1;
      return output < 0 || program.buffers[output]!.slot >= 0 || read.has(output);
    });
    return { ...program, calls };
  }
}

/** Whether a call may touch bytes of a buffer before `end`; how many it touches is not known. */
function meets({ buffers, args }: Call, buffer: number, end: number): boolean {
  return buffers.some((other, i) => other === buffer && args[i]! < end);
}
