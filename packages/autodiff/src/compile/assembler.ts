/**
 * Bytes of a WebAssembly module, section by section (WebAssembly Core Specification 2.0, section
 * 5).
 */
export type Bytes = number[];

/** Value types. */
export const type = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;
export type ValueType = (typeof type)[keyof typeof type];

/** An unsigned LEB128 number. */
export function unsigned(value: number): Bytes {
  const bytes: Bytes = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return bytes;
}

/** A signed LEB128 number. */
export function signed(value: number): Bytes {
  const bytes: Bytes = [];
  let rest = value;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const isLast = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    bytes.push(isLast ? low : low | 0x80);
    if (isLast) return bytes;
  }
}

/** Parts one after the other; `concat` copies whole parts, where code that runs once is slow. */
export function joined(...parts: readonly Bytes[]): Bytes {
  return ([] as Bytes).concat(...parts);
}

export function vector(items: readonly Bytes[]): Bytes {
  return joined(unsigned(items.length), ...items);
}

function text(value: string): Bytes {
  const bytes = [...new TextEncoder().encode(value)];
  return [...unsigned(bytes.length), ...bytes];
}

function sized(bytes: Bytes): Bytes {
  return joined(unsigned(bytes.length), bytes);
}

function section(id: number, bytes: Bytes): Bytes {
  return joined([id], sized(bytes));
}

/** The type of a function. */
export interface FunctionType {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** A function to import. */
export interface Import {
  readonly name: string;
  readonly type: FunctionType;
}

/** A function to define: its locals beyond the parameters, and its instructions. */
export interface Definition {
  readonly name: string;
  readonly type: FunctionType;
  readonly locals: readonly ValueType[];
  readonly body: Bytes;
}

const functionType = ({ params, results }: FunctionType): Bytes => [
  0x60,
  ...vector(params.map((t) => [t])),
  ...vector(results.map((t) => [t])),
];

/**
 * A module that imports `env.memory`, addresses as constant globals of `env`, and functions; it
 * exports the functions it defines.
 */
export function moduleOf(
  addresses: readonly string[],
  imports: readonly Import[],
  definitions: readonly Definition[],
): Uint8Array<ArrayBuffer> {
  const types: string[] = [];
  const indexOf = (t: FunctionType): number => {
    const key = functionType(t).join();
    const at = types.indexOf(key);
    return at >= 0 ? at : types.push(key) - 1;
  };
  const importEntries = [
    [...text("env"), ...text("memory"), 0x02, 0x00, 0x01],
    ...addresses.map((name) => [...text("env"), ...text(name), 0x03, type.i32, 0x00]),
    ...imports.map(({ name, type: t }) => [
      ...text("env"),
      ...text(name),
      0x00,
      ...unsigned(indexOf(t)),
    ]),
  ];
  const functions = definitions.map(({ type: t }) => unsigned(indexOf(t)));
  const exported = definitions.map(({ name }, i) => [
    ...text(name),
    0x00,
    ...unsigned(imports.length + i),
  ]);
  const code = definitions.map(({ locals, body }) => {
    return sized(joined(vector(locals.map((t) => [1, t])), body, [0x0b]));
  });
  const parts = [
    [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    section(1, vector(types.map((key) => key.split(",").map(Number)))),
    section(2, vector(importEntries)),
    section(3, vector(functions)),
    section(7, vector(exported)),
    section(10, vector(code)),
  ];
  return new Uint8Array(joined(...parts));
}

/** Instructions. */
export const op = {
  call: (index: number): Bytes => [0x10, ...unsigned(index)],
  localGet: (index: number): Bytes => [0x20, ...unsigned(index)],
  localSet: (index: number): Bytes => [0x21, ...unsigned(index)],
  localTee: (index: number): Bytes => [0x22, ...unsigned(index)],
  i32: (value: number): Bytes => [0x41, ...signed(value | 0)],
  f32: (value: number): Bytes => [0x43, ...new Uint8Array(Float32Array.of(value).buffer)],
  f64: (value: number): Bytes => [0x44, ...new Uint8Array(Float64Array.of(value).buffer)],
  i32Add: [0x6a] as Bytes,
  i32LessUnsigned: [0x49] as Bytes,
  f64FromUnsigned: [0xb8] as Bytes,
  globalGet: (index: number): Bytes => [0x23, ...unsigned(index)],
  /** Loads an i32, `offset` bytes past the address on the stack. */
  i32Load: (offset: number): Bytes => [0x28, 0x02, ...unsigned(offset)],
  /** Begins a block that `branchIf` repeats; `end` ends it. */
  loop: [0x03, 0x40] as Bytes,
  branchIf: [0x0d, 0x00] as Bytes,
  end: [0x0b] as Bytes,
  /** An instruction on vectors (section 5.4.9). */
  vector: (code: number): Bytes => [0xfd, ...unsigned(code)],
  /** An instruction that reads or writes memory, `offset` bytes past the address on the stack. */
  vectorAt: (code: number, offset: number): Bytes => [
    0xfd,
    ...unsigned(code),
    0,
    ...unsigned(offset),
  ],
  /** As `vectorAt`, for one lane. */
  laneAt: (code: number, offset: number, lane: number): Bytes => [
    0xfd,
    ...unsigned(code),
    0,
    ...unsigned(offset),
    lane,
  ],
} as const;
