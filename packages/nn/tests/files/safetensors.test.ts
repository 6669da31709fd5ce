import { readFileSync } from "node:fs";
import { createBackend, type Tensor, tensor, tree, zeros } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeSafetensors,
  encodeSafetensors,
  restoreTree,
  tensorsOf,
} from "../../src/safetensors.ts";

const backend = createBackend({ kernels: referenceKernels });

/** Trees of tensors of all dtypes, keyed without dots, with empty and scalar ones among them. */
const tensors = fc
  .record({
    dtype: fc.constantFrom("float32" as const, "float64" as const, "int32" as const),
    shape: fc.array(fc.nat(3), { maxLength: 3 }),
    value: fc.double({ noNaN: true }),
  })
  .map(({ dtype, shape, value }) => {
    const size = shape.reduce((product, length) => product * length, 1);
    return tensor(
      Float64Array.from({ length: size }, (_, i) =>
        dtype === "int32" ? (value + i) | 0 : value + i,
      ),
      { shape, dtype, backend },
    );
  });
const key = fc
  .string({ minLength: 1 })
  .map((name) => name.replaceAll(".", "_"))
  .filter((name) => name !== "__proto__");
const { tree: trees } = fc.letrec<{ tree: unknown; branch: unknown }>((tie) => ({
  tree: fc.dictionary(key, fc.oneof({ maxDepth: 3 }, tensors, tie("branch"))),
  branch: fc.oneof(fc.array(tensors, { maxLength: 12 }), tie("tree")),
}));
const metadata = fc.dictionary(fc.string(), fc.string());

const content = (x: { dtype: string; shape: readonly number[] }, data: ArrayLike<number>) => ({
  dtype: x.dtype,
  shape: [...x.shape],
  data: Array.from(data),
});

describe("round trip", () => {
  test("any tree and any text come back as they were", () => {
    fc.assert(
      fc.property(trees, metadata, (nested, texts) => {
        const decoded = decodeSafetensors(encodeSafetensors(nested, texts));
        expect(decoded.metadata).toEqual(texts);
        const found = Object.entries(decoded.tensors).map(([name, x]) => [
          name,
          content(x, x.data),
        ]);
        const given = tree
          .leavesWithPath(nested)
          .map(([name, x]) => [name, content(x, x.toTypedArray())]);
        expect(Object.fromEntries(found)).toEqual(Object.fromEntries(given));
        const restored = restoreTree(nested, decoded);
        expect(
          tree.leavesWithPath(restored).map(([name, x]) => [name, content(x, x.toTypedArray())]),
        ).toEqual(given);
      }),
    );
  });

  test("bits survive: signed zeros, subnormals, infinities and NaN payloads", () => {
    const bits = new Uint32Array([0x80000000, 1, 0x7f800000, 0xff800000, 0x7fc12345, 0x00800000]);
    const x = tensor(new Float32Array(bits.buffer), { backend });
    const { data } = decodeSafetensors(encodeSafetensors({ x })).tensors.x!;
    expect([...new Uint32Array(data.buffer)]).toEqual([...bits]);
  });

  test("data starts at a multiple of 8 and every tensor at a multiple of its elements", () => {
    fc.assert(
      fc.property(trees, metadata, (nested, texts) => {
        const bytes = encodeSafetensors(nested, texts);
        const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
        expect(length % 8).toBe(0);
        const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
        delete header.__metadata__;
        for (const { dtype, data_offsets } of Object.values<{
          dtype: string;
          data_offsets: number[];
        }>(header)) {
          expect(data_offsets[0]! % (dtype === "F64" ? 8 : 4)).toBe(0);
        }
      }),
    );
  });

  test("bytes at an odd offset of a buffer are read", () => {
    const bytes = encodeSafetensors({ x: tensor([1, 2], { backend }) });
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect([...decodeSafetensors(shifted.subarray(3)).tensors.x!.data]).toEqual([1, 2]);
  });
});

describe("the Python library", () => {
  const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url));
  const expected = JSON.parse(fixture("python.json").toString());

  test("wrote a file that is read", () => {
    const { tensors: found, metadata: texts } = decodeSafetensors(fixture("python.safetensors"));
    expect(texts).toEqual(expected.metadata);
    expect(
      Object.fromEntries(Object.entries(found).map(([name, x]) => [name, content(x, x.data)])),
    ).toEqual(expected.tensors);
  });

  test("wrote the very bytes that are written for the same tensors", () => {
    const decoded = decodeSafetensors(fixture("python.safetensors"));
    const again = encodeSafetensors(tensorsOf(decoded, { backend }), decoded.metadata);
    expect(Buffer.compare(again, fixture("python.safetensors"))).toBe(0);
  });

  test("wrote half precision, which is widened as numpy does", () => {
    const { half } = decodeSafetensors(fixture("half.safetensors")).tensors;
    expect(half!.dtype).toBe("float32");
    expect([...new Uint32Array(half!.data.buffer)]).toEqual(expected.half);
  });
});

describe("encodeSafetensors", () => {
  test("refuses what has no name, one name for two, and text that is none", () => {
    const x = zeros([1], { backend });
    expect(() => encodeSafetensors(x)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: encodeSafetensors: a lone tensor has no name; put it into an object, for example { W: tensor }]`,
    );
    expect(() => encodeSafetensors({ a: { b: x }, "a.b": x })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: tree.leavesWithPath: two leaves have the path "a.b"; rename a key that holds a "."]`,
    );
    expect(() => encodeSafetensors({ __metadata__: x })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: encodeSafetensors: a tensor must not be called "__metadata__"; rename it]`,
    );
    expect(() => encodeSafetensors({ x }, { step: 3 as never })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: encodeSafetensors: metadata "step" must be a string, got number; write it as one, for example with JSON.stringify]`,
    );
  });

  test("two tensors of one array are named by their positions, ten after two", () => {
    const list = Array.from({ length: 11 }, (_, i) => tensor([i], { backend }));
    const { tensors: found } = decodeSafetensors(encodeSafetensors(list));
    for (let i = 0; i < 11; i++) expect([...found[i]!.data]).toEqual([i]);
  });
});

describe("restoreTree", () => {
  const like = { layer: { W: zeros([2, 1], { backend }), b: zeros([1], { backend }) } };
  const saved = (nested: unknown) => decodeSafetensors(encodeSafetensors(nested));

  test("puts tensors back by path, on the same backend, and leaves the tree alone", () => {
    const values = { layer: { W: tensor([[1], [2]], { backend }), b: tensor([3], { backend }) } };
    const restored = restoreTree(like, saved({ params: values, other: values.layer.b }), {
      prefix: "params.",
    });
    expect(restored.layer.W.toArray()).toEqual([[1], [2]]);
    expect(restored.layer.b.toArray()).toEqual([3]);
    expect(restored.layer.b.backend).toBe(backend);
    expect(like.layer.b.toArray()).toEqual([0]);
    const narrow: { layer: { W: Tensor; b: Tensor } } = restored;
    expect(narrow).toBe(restored);
  });

  test("names what is missing, what is left over, and what does not fit", () => {
    const { W, b } = like.layer;
    expect(() => restoreTree(like, saved({ layer: { W } }))).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: restoreTree: the file lacks "layer.b"; restore into the structure that was saved, or name a part of the file with { prefix }]`,
    );
    expect(() =>
      restoreTree(like, saved({ layer: { W, b, c: b } })),
    ).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: restoreTree: the tree has no place for "layer.c"; restore into the structure that was saved, or name a part of the file with { prefix }]`,
    );
    expect(() =>
      restoreTree(like, saved({ layer: { W }, a: W, c: W, d: W, e: W, f: W, g: W })),
    ).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: restoreTree: the file lacks "layer.b", and the tree has no place for "a", "c", "d", "e", "f" and 1 more; restore into the structure that was saved, or name a part of the file with { prefix }]`,
    );
    expect(() =>
      restoreTree(like, saved({ layer: { W: b, b } })),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: restoreTree: "layer.W" is float32 [1] in the file and float32 [2,1] in the tree]`,
    );
    expect(() =>
      restoreTree(like, saved({ layer: { W: zeros([2, 1], { backend, dtype: "float64" }), b } })),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: restoreTree: "layer.W" is float64 [2,1] in the file and float32 [2,1] in the tree]`,
    );
  });
});
