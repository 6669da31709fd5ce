import { readFileSync } from "node:fs";
import { createBackend } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import { describe, expect, test } from "vitest";
import {
  decodeSafetensors,
  encodeSafetensors,
  restoreTree,
  tensorsOf,
} from "../../src/safetensors.ts";

const backend = createBackend({ kernels: referenceKernels });

/** A small file, and what the Python library makes of it; see fixtures/reference_safetensors.py. */
interface Case {
  what: string;
  file: string;
  /** Names in the order of the data; `null` where it is refused. */
  taken: { names: string[]; metadata: Record<string, string> } | null;
  /** Elements as Python prints them, `null` for types without a reader. */
  tensors: Record<string, string[] | null> | null;
}
const { cases } = JSON.parse(
  readFileSync(new URL("../fixtures/reference.json", import.meta.url), "utf8"),
) as { cases: Case[] };
const bytesOf = ({ file }: Case) => new Uint8Array(Buffer.from(file, "base64"));

test("every file that the Python library refuses is refused, and no other", () => {
  for (const each of cases) {
    const read = () => decodeSafetensors(bytesOf(each));
    if (each.taken === null) {
      expect(read, each.what).toThrow(/^decodeSafetensors: .{20}/);
      continue;
    }
    const { names, tensors, metadata } = read();
    expect(metadata, each.what).toEqual(each.taken.metadata);
    expect([...names].sort(), each.what).toEqual([...each.taken.names].sort());
    expect(Object.keys(tensors).sort(), each.what).toEqual([...names].sort());
  }
  expect(cases.filter(({ taken }) => taken === null).length).toBeGreaterThan(40);
  expect(cases.filter(({ taken }) => taken !== null).length).toBeGreaterThan(100);
});

/** A number that Python printed. */
const number = (text: string) =>
  text === "nan"
    ? Number.NaN
    : text.endsWith("inf")
      ? Number(text.replace("inf", "Infinity"))
      : Number(text);
const isWhole = /^(BOOL|[UI]\d+)$/;

describe("elements of every type", () => {
  const typed = cases.filter(({ what }) => what.startsWith("type "));
  test.each(typed)("$what", (each) => {
    const stored = each.what.split(" ")[1]!;
    const { x } = decodeSafetensors(bytesOf(each)).tensors;
    expect(x!.shape).toEqual([2, 4]);
    const expected = each.tensors!.x;
    if (expected === null || expected === undefined) {
      expect(() => x!.data).toThrow(`tensor "x" of ${stored} [2,4] is of a type that is not read`);
      return;
    }
    const values = expected.map(number);
    if (isWhole.test(stored)) {
      expect(x!.dtype).toBe("int32");
      if (values.some((value) => (value | 0) !== value)) {
        expect(() => x!.data).toThrow(/holds -?\d+, which int32 does not; save it as F64$/);
        return;
      }
    } else expect(x!.dtype).toBe(stored === "F64" ? "float64" : "float32");
    expect(Array.from(x!.data)).toEqual(values);
  });
});

const bytesOfType: Record<string, number> = { I64: 8, F32: 4 };

/** A file of such tensors, one after the other. */
function file(entries: readonly [name: string, dtype: string, bytes: Uint8Array][]): Uint8Array {
  let at = 0;
  const fields = entries.map(([name, dtype, { length }]) => {
    const begin = at;
    at += length;
    const entry = { dtype, shape: [length / (bytesOfType[dtype] ?? 1)], data_offsets: [begin, at] };
    return `${JSON.stringify(name)}:${JSON.stringify(entry)}`;
  });
  const header = new TextEncoder().encode(`{${fields.join(",")}}`);
  const bytes = new Uint8Array(8 + header.length + at);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  let data = 8 + header.length;
  for (const [, , part] of entries) {
    bytes.set(part, data);
    data += part.length;
  }
  return bytes;
}

describe("a tensor that cannot be read", () => {
  const long = new Uint8Array(BigInt64Array.of(1n, 2n ** 40n).buffer);
  const one = new Uint8Array(Float32Array.of(1).buffer);
  const bytes = file([
    ["params.w", "F32", one],
    ["steps", "I64", long],
    ["eighths", "F8_E4M3", new Uint8Array(3)],
  ]);

  test("refuses itself, and only when it is asked for", () => {
    const decoded = decodeSafetensors(bytes);
    expect(
      Object.entries(decoded.tensors).map(([name, { dtype, shape }]) => [name, dtype, shape]),
    ).toEqual([
      ["params.w", "float32", [1]],
      ["steps", "int32", [2]],
      ["eighths", "float32", [3]],
    ]);
    expect(() => decoded.tensors.steps!.data).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: tensor "steps" of I64 [2] holds 1099511627776, which int32 does not; save it as F64]`,
    );
    expect(() => decoded.tensors.eighths!.data).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeSafetensors: tensor "eighths" of F8_E4M3 [3] is of a type that is not read; save it as F32]`,
    );
    expect(tensorsOf(decoded, { prefix: "params.", backend }).w!.toArray()).toEqual([1]);
    const like = tensorsOf(decoded, { prefix: "params.", backend });
    expect(restoreTree(like, decoded, { prefix: "params." }).w!.toArray()).toEqual([1]);
    expect(() => tensorsOf(decoded, { backend })).toThrow(
      /tensor "steps" of I64 \[2\] holds 1099511627776/,
    );
  });
});

describe("order", () => {
  test("names stand as in the header, whatever the order of the data", () => {
    const entry = (begin: number) =>
      `{"dtype":"U8","shape":[1],"data_offsets":[${begin},${begin + 1}]}`;
    const header = new TextEncoder().encode(
      `{"z":${entry(2)},"10":${entry(0)},"a":${entry(3)},"2":${entry(1)}}`,
    );
    const bytes = new Uint8Array([header.length, 0, 0, 0, 0, 0, 0, 0, ...header, 5, 6, 7, 8]);
    const { names, tensors } = decodeSafetensors(bytes);
    expect(names).toEqual(["z", "10", "a", "2"]);
    expect(names.map((name) => tensors[name]!.data[0])).toEqual([7, 5, 8, 6]);
    expect(Object.keys(tensors).filter((name) => !/^\d+$/.test(name))).toEqual(["z", "a"]);
  });

  test("is kept through a file for every name", () => {
    const tree = tensorsOf(
      decodeSafetensors(
        file([
          ["b", "U8", Uint8Array.of(1)],
          ["10", "U8", Uint8Array.of(2)],
        ]),
      ),
      { backend },
    );
    expect(decodeSafetensors(encodeSafetensors(tree)).names).toEqual(["10", "b"]);
  });
});

test("half a character is refused before it is written, and when it is read", () => {
  const { x } = tensorsOf(decodeSafetensors(file([["x", "U8", Uint8Array.of(1)]])), { backend });
  const write =
    (tree: unknown, metadata = {}) =>
    () =>
      encodeSafetensors(tree, metadata);
  expect(write({ "a\ud800": x })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: encodeSafetensors: the tensor "a\\ud800" has half a character, a lone surrogate; write whole ones, for example text.toWellFormed()]`,
  );
  expect(write({ "\udc00": { b: x } })).toThrow(/the tensor/);
  expect(write({ x }, { "\ud800": "a" })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: encodeSafetensors: metadata "\\ud800" has half a character, a lone surrogate; write whole ones, for example text.toWellFormed()]`,
  );
  expect(write({ x }, { a: "\ud83d" })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: encodeSafetensors: metadata "a" "\\ud83d" has half a character, a lone surrogate; write whole ones, for example text.toWellFormed()]`,
  );
  expect(write({ "\ud83d\ude00": x }, { "\ud83d\ude00": "\ud83d\ude00" })).not.toThrow();
  expect(() =>
    decodeSafetensors(file([["\ud800", "U8", Uint8Array.of(1)]])),
  ).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: decodeSafetensors: the header has half a character, a lone surrogate, in "\\ud800"]`,
  );
});
