import { readFileSync, writeFileSync } from "node:fs";

/**
 * Arrays by name in one file that every system can read: eight bytes that say how long the header
 * is (little-endian), a JSON header `{ name: { dtype, shape, data_offsets } }`, the bytes. This is
 * the layout of safetensors.
 */
export interface NamedArray {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

interface HeaderEntry {
  readonly dtype: "F32" | "I32";
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

export function writeArrays(path: string, arrays: Readonly<Record<string, NamedArray>>): void {
  const header: Record<string, HeaderEntry> = {};
  const bytes: Buffer[] = [];
  let offset = 0;
  for (const [name, { shape, data }] of Object.entries(arrays)) {
    const end = offset + data.byteLength;
    const dtype = data instanceof Int32Array ? "I32" : "F32";
    header[name] = { dtype, shape, data_offsets: [offset, end] };
    bytes.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    offset = end;
  }
  let text = JSON.stringify(header);
  text = text.padEnd(Math.ceil(text.length / 8) * 8);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(path, Buffer.concat([length, Buffer.from(text), ...bytes]));
}

export function readArrays(path: string): Record<string, NamedArray> {
  const file = readFileSync(path);
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString("utf8", 8, start)) as Record<string, HeaderEntry>;
  const arrays: Record<string, NamedArray> = {};
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    // A copy, so that elements are aligned.
    const bytes = Uint8Array.from(file.subarray(start + data_offsets[0], start + data_offsets[1]));
    const data = dtype === "I32" ? new Int32Array(bytes.buffer) : new Float32Array(bytes.buffer);
    arrays[name] = { shape, data };
  }
  return arrays;
}
