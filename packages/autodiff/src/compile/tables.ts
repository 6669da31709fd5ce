import { type Buffer, type Call, elementBytes, type Program, touches } from "./program.ts";

/** Rows that one call looks up in a table, or adds to one. */
interface Lookup {
  readonly rows: number;
  /** Where the indices are. */
  readonly indices: number;
  readonly offset: number;
}

/** Contiguous rows of a buffer. */
interface Rows {
  readonly buffer: number;
  readonly offset: number;
  readonly rows: number;
  readonly cols: number;
}

/** A table of `rows` rows, and the rows of it that were looked up, or added to it. */
interface Looked {
  readonly table: Rows;
  readonly lookups: readonly Lookup[];
  /** The calls that did. */
  readonly calls: readonly number[];
}

/**
 * Takes products of looked-up rows by their table, where that has fewer rows: `X = E[i]` gives `X W = (E W)[i]`, and with
 * `S[j] = sum of G[t] over i[t] = j`, `X' G = E' S`, and the gradient of `E` by way of `X` is `S W'`. An embedding of a few
 * symbols then costs a recurrent network no product over all time steps.
 */
export function byTable(program: Program): Program {
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
  readonly #sums = new Map<string, number>();

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
    if (!calls.some(({ kernel }) => kernel.endsWith(".gather"))) return this.#program;
    let count = 0;
    for (const [at, call] of calls.entries()) {
      if (!call.kernel.endsWith(".matmul")) continue;
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
  #forward(call: Call): Call[] | undefined {
    const { m, n, k, a, c, lda, ldc, aT, accumulate, size } = productOf(call);
    if (aT !== 0 || accumulate !== 0 || lda !== k || ldc !== n || c.buffer < 0) return undefined;
    const looked = this.#lookedUp({ ...a, rows: m, cols: k }, size);
    if (looked === undefined) return undefined;
    const { table, lookups } = looked;
    const product = this.#private(table.rows * n * size);
    const args = [table.rows, n, k, table.offset, k, 0, ...call.args.slice(6, 9), 0, n, 0];
    const places = at(12, [3, table.buffer], [6, call.buffers[6]!], [9, product]);
    let offset = c.offset;
    return [
      { ...call, args, buffers: places },
      ...lookups.map(({ rows, indices, offset: from }): Call => {
        const to = offset;
        offset += rows * n * size;
        return {
          kernel: `move${8 * size}.gather`,
          signature: "nnrrw",
          args: [rows, n, 0, from, to],
          buffers: at(5, [2, product], [3, indices], [4, c.buffer]),
          phase: call.phase,
        };
      }),
    ];
  }

  /** `D += X' G` as `D += E' S`. */
  #weight(call: Call, position: number): Call[] | undefined {
    const { m, n, k, a, b, lda, ldb, aT, bT, size } = productOf(call);
    if (aT !== 1 || bT !== 0 || lda !== m || ldb !== n || b.buffer < 0) return undefined;
    const looked = this.#lookedUp({ ...a, rows: k, cols: m }, size);
    if (looked === undefined) return undefined;
    const { table, lookups } = looked;
    const sums = this.#sumsOf({ ...b, rows: k, cols: n }, lookups, table.rows, call, position);
    if (sums === undefined) return undefined;
    const args = [m, n, table.rows, table.offset, m, 1, 0, n, 0, ...call.args.slice(9)];
    const places = at(12, [3, table.buffer], [6, sums.buffer], [9, call.buffers[9]!]);
    return [...sums.calls, { ...call, args, buffers: places }];
  }

  /** `dX = G W'`, whose rows are only added to the rows of `dE` that they were looked up in, as `dE += S W'`. */
  #table(call: Call, position: number): Call[] | undefined {
    const { m, n, k, a, c, lda, ldc, aT, accumulate, size } = productOf(call);
    if (aT !== 0 || accumulate !== 0 || lda !== k || ldc !== n || a.buffer < 0) return undefined;
    const added = this.#addedTo({ ...c, rows: m, cols: n }, size, position);
    if (added === undefined) return undefined;
    const { table, lookups, calls } = added;
    const sums = this.#sumsOf({ ...a, rows: m, cols: k }, lookups, table.rows, call, position);
    if (sums === undefined) return undefined;
    const args = [table.rows, n, k, 0, k, 0, ...call.args.slice(6, 9), table.offset, n, 1];
    const places = at(12, [3, sums.buffer], [6, call.buffers[6]!], [9, table.buffer]);
    // In place of the first addition: what the table's gradient was before is there by then.
    const [first] = calls as [number];
    for (const one of calls) this.#next[one] = [];
    this.#next[first] = [{ ...call, args, buffers: places }];
    return sums.calls;
  }

  /** Adds rows up by index, once for all who need the sums. */
  #sumsOf(
    given: Rows,
    lookups: readonly Lookup[],
    count: number,
    { kernel, phase }: Call,
    position: number,
  ): { buffer: number; calls: Call[] } | undefined {
    const size = elementBytes(kernel);
    // The sums stand for the rows in all later calls.
    const isSettled = this.#writers[given.buffer]!.every((writer) => writer < position);
    if (!isSettled) return undefined;
    const key = JSON.stringify([given, lookups, count, phase]);
    const known = this.#sums.get(key);
    if (known !== undefined) return { buffer: known, calls: [] };
    const buffer = this.#private(count * given.cols * size);
    this.#sums.set(key, buffer);
    const family = kernel.slice(0, kernel.indexOf("."));
    let offset = given.offset;
    const calls: Call[] = lookups.map(({ rows, indices, offset: from }) => {
      const start = offset;
      offset += rows * given.cols * size;
      return {
        kernel: `${family}.scatterAdd`,
        signature: "nnrru",
        args: [rows, given.cols, start, from, 0],
        buffers: at(5, [2, given.buffer], [3, indices], [4, buffer]),
        phase,
      };
    });
    const zero: Call = {
      kernel: `${family}.fill`,
      signature: "nsw",
      args: [count * given.cols, 0, 0],
      buffers: at(3, [2, buffer]),
      phase,
    };
    return { buffer, calls: [zero, ...calls] };
  }

  /** How rows were looked up, if all of them were, in one table that has far fewer. */
  #lookedUp(given: Rows, size: number): Looked | undefined {
    const found = this.#tiles(
      given,
      size,
      this.#writers[given.buffer] ?? [],
      ({ kernel, args, buffers }) => {
        if (!kernel.endsWith(".gather") || args[1] !== given.cols) return undefined;
        return { own: 4, table: buffers[2]!, from: args[2]!, indices: 3 };
      },
    );
    if (found === undefined || this.#writers[found.table.buffer]!.length > 0) return undefined;
    return found;
  }

  /** Where rows are added to, if nothing else becomes of them. */
  #addedTo(given: Rows, size: number, product: number): Looked | undefined {
    // The product itself overwrites them.
    const others = this.#readers[given.buffer]?.filter((position) => position !== product) ?? [];
    return this.#tiles(given, size, others, ({ kernel, args, buffers }) => {
      if (!kernel.endsWith(".scatterAdd") || args[1] !== given.cols) return undefined;
      return { own: 2, table: buffers[4]!, from: args[4]!, indices: 3 };
    });
  }

  /** The calls that touch some rows, if each looks up a part of them in one table and there are no others. */
  #tiles(
    { buffer, offset, rows, cols }: Rows,
    size: number,
    touching: readonly number[],
    look: (call: Call) => { own: number; table: number; from: number; indices: number } | undefined,
  ): Looked | undefined {
    if (buffer < 0 || this.#buffers[buffer]!.slot >= 0) return undefined;
    const { calls } = this.#program;
    const parts: { start: number; at: number; lookup: Lookup }[] = [];
    let table: Rows | undefined;
    const end = offset + rows * cols * size;
    for (const position of touching) {
      const call = calls[position]!;
      const found = look(call);
      if (found === undefined || call.buffers[found.own] !== buffer) {
        if (meets(call, buffer, offset, end)) return undefined;
        continue;
      }
      const [count, start] = [call.args[0]!, call.args[found.own]!];
      if (start >= end || start + count * cols * size <= offset) continue;
      const whole = this.#buffers[found.table];
      if (whole === undefined || found.from !== 0) return undefined;
      if (table !== undefined && table.buffer !== found.table) return undefined;
      const height = whole.bytes / (cols * size);
      table = { buffer: found.table, offset: 0, rows: height, cols };
      const [indices, from] = [call.buffers[found.indices]!, call.args[found.indices]!];
      parts.push({ start, at: position, lookup: { rows: count, indices, offset: from } });
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
    const order = parts.map(({ at: position }) => position).sort((a, b) => a - b);
    return { table, lookups: parts.map(({ lookup }) => lookup), calls: order };
  }

  #private(bytes: number): number {
    return this.#buffers.push({ bytes, slot: -1 }) - 1;
  }

  /** Without look-ups and products that nobody reads any more. */
  #withoutUnread(program: Program): Program {
    const read = new Set(program.calls.flatMap((call) => touches(call).reads));
    const calls = program.calls.filter(({ kernel, buffers }) => {
      const output = kernel.endsWith(".gather") ? buffers[4]! : -1;
      return output < 0 || program.buffers[output]!.slot >= 0 || read.has(output);
    });
    return { ...program, calls };
  }
}

/** Whether a call may touch bytes of a buffer; what it touches from where it begins is not known. */
function meets({ buffers, args }: Call, buffer: number, _start: number, end: number): boolean {
  return buffers.some((other, i) => other === buffer && args[i]! < end);
}

/** The arguments of `matmul` by name. */
function productOf({ kernel, args, buffers }: Call) {
  const [m, n, k, a, lda, aT, b, ldb, bT, c, ldc, accumulate] = args as number[];
  return {
    m: m!,
    n: n!,
    k: k!,
    a: { buffer: buffers[3]!, offset: a! },
    b: { buffer: buffers[6]!, offset: b! },
    c: { buffer: buffers[9]!, offset: c! },
    lda: lda!,
    ldb: ldb!,
    ldc: ldc!,
    aT: aT!,
    bT: bT!,
    accumulate: accumulate!,
    size: elementBytes(kernel),
  };
}

/** Buffers of a call's arguments: -1 but where said. */
function at(length: number, ...places: readonly (readonly [index: number, buffer: number])[]) {
  const buffers = new Array<number>(length).fill(-1);
  for (const [index, buffer] of places) buffers[index] = buffer;
  return buffers;
}
