import type { InlineCode } from "../contract.ts";

/** Sections of a module that matter here. */
const [exportSection, codeSection] = [7, 10];
const [v128, vector] = [0x7b, 0xfd];
/** Instructions. */
const [branch, otherwise, end, call, get, set, tee, i32] = [4, 5, 11, 16, 32, 33, 34, 65];

/** What names of functions on vectors have between the family and the kernel. */
const infix = "_lanes_";

/**
 * Bytes as they stand, an instruction on a local, or the name of a function of the family that is
 * called.
 */
type Part = number[] | { readonly does: number; readonly local: number } | string;

/** Reads a module from a place on. */
class Reader {
  readonly #bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  byte(): number {
    return this.#bytes[this.at++]!;
  }

  /** An unsigned LEB128 number. */
  number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  }

  text(): string {
    return new TextDecoder().decode(this.bytes(this.number()));
  }

  bytes(count: number): Uint8Array {
    this.at += count;
    return this.#bytes.subarray(this.at - count, this.at);
  }
}

/**
 * The code of a module's functions on vectors, to stand in the place of a call: a loop that calls
 * for every vector keeps no other one in a register meanwhile. Only of functions without loops and
 * jumps, which call none but exported ones.
 */
export function inlineCodes(
  module: Uint8Array,
): (name: string, operands: number) => InlineCode | undefined {
  let functions: ReturnType<typeof functionsOf> | undefined;
  const known = new Map<string, InlineCode | undefined>();
  return (name, operands) => {
    if (known.has(name)) return known.get(name);
    functions ??= functionsOf(module);
    const { names, bodies } = functions;
    const body = bodies.get(name);
    const family = name.slice(0, name.indexOf(infix) + infix.length);
    const code =
      body &&
      codeOf(new Reader(body, 0), body.length, operands, (index) => {
        const callee = names.get(index);
        return callee?.startsWith(family) ? callee.slice(family.length) : undefined;
      });
    known.set(name, code);
    return code;
  };
}

/** Exported functions on vectors: by index, their names, and by name, their bodies. */
function functionsOf(module: Uint8Array): {
  names: ReadonlyMap<number, string>;
  bodies: ReadonlyMap<string, Uint8Array>;
} {
  const reader = new Reader(module, 8);
  const names = new Map<number, string>();
  const bodies = new Map<string, Uint8Array>();
  while (reader.at < module.length) {
    const id = reader.byte();
    const next = reader.number() + reader.at;
    const count = id === exportSection || id === codeSection ? reader.number() : 0;
    for (let i = 0; i < count; i++) {
      if (id === exportSection) {
        const name = reader.text();
        const isFunction = reader.byte() === 0;
        const index = reader.number();
        if (isFunction && name.includes(infix)) names.set(index, name);
      } else {
        // The module imports its memory, and no function, so functions are counted from here.
        const body = reader.bytes(reader.number());
        const name = names.get(i);
        if (name !== undefined) bodies.set(name, body);
      }
    }
    reader.at = next;
  }
  return { names, bodies };
}

/** A body taken apart; `undefined` where it is more than instructions on vectors. */
function codeOf(
  reader: Reader,
  size: number,
  operands: number,
  nameOf: (index: number) => string | undefined,
): InlineCode | undefined {
  let locals = operands;
  for (let groups = reader.number(); groups > 0; groups--) {
    locals += reader.number();
    if (reader.byte() !== v128) return undefined;
  }
  const parts: Part[] = [];
  /** Locals that have a value on every path: others would be 0, but not in the place of a call. */
  const isSet = Array.from({ length: locals }, (_, i) => i < operands);
  let depth = 0;
  // The last byte ends the function.
  while (reader.at < size - 1) {
    const does = reader.byte();
    if (does === get || does === set || does === tee) {
      const local = reader.number();
      if (does === get && !isSet[local]!) return undefined;
      if (depth === 0) isSet[local] = true;
      parts.push({ does, local });
    } else if (does === call) {
      const name = nameOf(reader.number());
      if (name === undefined) return undefined;
      parts.push(name);
    } else if (does === i32) parts.push([does, ...literal(reader)]);
    else if (does === branch) {
      depth++;
      parts.push([does, reader.byte()]);
    } else if (does === otherwise) parts.push([does]);
    else if (does === end) {
      depth--;
      parts.push([does]);
    } else if (does === vector) parts.push([does, ...vectorInstruction(reader)]);
    else return undefined;
  }
  return {
    locals,
    write: (first, indexOf) =>
      parts.flatMap((part) => {
        if (typeof part === "string") return [call, ...unsigned(indexOf(part))];
        return Array.isArray(part) ? part : [part.does, ...unsigned(first + part.local)];
      }),
  };
}

/** The bytes of a LEB128 number, as they stand. */
function literal(reader: Reader): number[] {
  const bytes: number[] = [];
  do bytes.push(reader.byte());
  while (bytes.at(-1)! > 127);
  return bytes;
}

/** An instruction on vectors with what follows it (section 5.4.9). */
function vectorInstruction(reader: Reader): number[] {
  const start = literal(reader);
  const code = start.reduce((sum, byte, i) => sum + (byte & 127) * 2 ** (7 * i), 0);
  const isLane = code >= 84 && code <= 91;
  if (code <= 11 || isLane || code === 92 || code === 93)
    start.push(...literal(reader), ...literal(reader));
  if (code === 12 || code === 13) start.push(...reader.bytes(16));
  if (isLane || (code >= 21 && code <= 34)) start.push(reader.byte());
  return start;
}

function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}
