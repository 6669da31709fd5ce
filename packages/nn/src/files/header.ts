import { keysOf } from "./keys.ts";
import {
  type Entry,
  headerLimit,
  metadataKey,
  type StoredType,
  storedTypes,
} from "./safetensors.ts";

/** A header after every check: its entries as they stand in it, and where the data starts. */
export interface Header {
  readonly entries: readonly Entry[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly dataStart: number;
}

/** An error of the file at hand. */
export function malformed(problem: string): RangeError {
  return new RangeError(`decodeSafetensors: ${problem}`);
}

/**
 * Reads and checks the header of a file; throws a sentence for whatever the format does not allow.
 */
export function readHeader(bytes: Uint8Array): Header {
  if (bytes.length < 8) {
    throw malformed(
      `the file has ${bytes.length} bytes and needs 8 for the length of its header; it was cut off or is no safetensors file`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getBigUint64(0, true);
  if (length > BigInt(headerLimit)) {
    throw malformed(
      `the header would take ${length} bytes and the format allows ${headerLimit}; this is no safetensors file`,
    );
  }
  const dataStart = 8 + Number(length);
  if (dataStart > bytes.length) {
    throw malformed(
      `the header should end at byte ${dataStart} and the file has ${bytes.length} bytes; it was cut off`,
    );
  }
  const { fields, keys } = parse(bytes.subarray(8, dataStart));
  const metadata = metadataOf(fields[metadataKey]);
  const entries = keys
    .filter((name) => name !== metadataKey)
    .map((name) => entryOf(name, fields[name]));
  checkLayout(entries, bytes.length - dataStart);
  return { entries, metadata, dataStart };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parse(bytes: Uint8Array): { fields: Record<string, unknown>; keys: readonly string[] } {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed("the header is not UTF-8 text; the file is damaged");
  }
  if (!/^[ \t\n\r]*\{/.test(text)) {
    throw malformed("the header must begin with {; this is no safetensors file");
  }
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch (error) {
    throw malformed(`the header is not JSON (${(error as Error).message}); the file is damaged`);
  }
  const { outermost, twice } = keysOf(text);
  if (twice !== undefined)
    throw malformed(`the header has the key ${JSON.stringify(twice)} twice in one object`);
  checkText(outermost);
  return { fields: fields as Record<string, unknown>, keys: outermost };
}

/** Half a character cannot be written as UTF-8. */
function checkText(texts: readonly string[]): void {
  const broken = texts.find((text) => !text.isWellFormed());
  if (broken !== undefined)
    throw malformed(
      `the header has half a character, a lone surrogate, in ${JSON.stringify(broken)}`,
    );
}

function metadataOf(value: unknown): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (!isObject(value))
    throw malformed(`${metadataKey} must be an object of strings, got ${JSON.stringify(value)}`);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") {
      throw malformed(
        `${metadataKey} must hold strings, got ${JSON.stringify(text)} for ${JSON.stringify(key)}`,
      );
    }
  }
  checkText(Object.entries(value as Record<string, string>).flat());
  return value as Record<string, string>;
}

const isCount = (value: unknown) =>
  Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0);

function entryOf(name: string, value: unknown): Entry {
  const tensor = `tensor ${JSON.stringify(name)}`;
  if (!isObject(value))
    throw malformed(`${tensor} must be described by an object, got ${JSON.stringify(value)}`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string" || !Object.hasOwn(storedTypes, dtype)) {
    throw malformed(
      `${tensor} has the dtype ${JSON.stringify(dtype)}, which the format does not know; expected one of ${Object.keys(storedTypes).join(", ")}`,
    );
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    throw malformed(
      `${tensor} has the shape ${JSON.stringify(shape)}, expected whole numbers of at least 0`,
    );
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw malformed(
      `${tensor} has the data_offsets ${JSON.stringify(offsets)}, expected two whole numbers of at least 0`,
    );
  }
  const [begin, end] = offsets as [number, number];
  let size = 1;
  for (const length of shape as number[]) {
    size *= length;
    if (size < 2 ** 64) continue;
    throw malformed(
      `${tensor} has the shape [${shape.join(",")}], more elements than 64 bits count`,
    );
  }
  const bytes = (size * storedTypes[dtype as StoredType]) / 8;
  if (end - begin !== bytes) {
    throw malformed(
      `${tensor} of ${dtype} [${shape.join(",")}] takes ${bytes} bytes, and its data_offsets ${begin} to ${end} span ${end - begin}`,
    );
  }
  return { name, dtype: dtype as StoredType, shape: shape as number[], begin, end };
}

/** The data must be filled from end to end: no gap, no overlap, nothing left over. */
function checkLayout(entries: readonly Entry[], available: number): void {
  let filled = 0;
  const inOrder = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end);
  for (const { name, begin, end } of inOrder) {
    if (begin !== filled) {
      const what =
        begin < filled
          ? "overlaps the tensor before it"
          : "leaves a gap after the tensor before it";
      throw malformed(
        `tensor ${JSON.stringify(name)} starts at byte ${begin} of the data, which ${what}: expected ${filled}`,
      );
    }
    filled = end;
  }
  if (filled === available) return;
  const what = filled > available ? "the file was cut off" : "the rest belongs to no tensor";
  throw malformed(
    `the tensors take ${filled} bytes of data and the file has ${available}; ${what}`,
  );
}
