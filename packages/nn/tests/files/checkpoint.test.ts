import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { createBackend, scope, Tape, type Tensor, tensor, zeros } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { rng } from "../../src/index.ts";
import { loadCheckpoint, readSafetensors, saveCheckpoint } from "../../src/node.ts";
import { bits, randomTree } from "./trees.ts";

const seed = Number(process.env.CHRONOGRAD_SEED ?? 1);
const backend = createBackend({ kernels: referenceKernels });
let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "chronograd-"));
  path = join(folder, "a");
});
afterEach(() => rm(folder, { recursive: true }));

const failure = (attempt: Promise<unknown>) =>
  attempt.then(
    () => "no error",
    (error: Error) => error.message.replaceAll(folder, "FOLDER"),
  );
const roundTrip = async (tree: unknown) => {
  await saveCheckpoint(path, tree);
  return loadCheckpoint(path, { backend });
};

describe("a tree comes back", () => {
  test("bit for bit, whatever it holds, or is refused in a sentence", async () => {
    const random = rng(seed, "trees");
    let refused = 0;
    for (let i = 0; i < 300; i++) {
      const tree = randomTree(random, { backend });
      const before = bits(tree);
      const said = await failure(saveCheckpoint(path, tree));
      if (said === "no error") {
        const found = bits(await loadCheckpoint(path, { backend }));
        expect(isDeepStrictEqual(found, before), `seed ${seed}, tree ${i}`).toBe(true);
      } else {
        refused++;
        expect(said).toMatch(/has the path of another tensor|is a tensor without a name/);
      }
    }
    expect(refused).toBeLessThan(60);
  });

  test("with keys of every kind", async () => {
    const tree = JSON.parse('{"__proto__":{"a":1},"10":1,"2":[],"":null,"a.b":{"":{}}}');
    tree["x.y"] = tensor([1], { backend });
    tree[""] = { __proto__: null, deep: tensor([-0, Number.NaN], { backend }) };
    const found = (await roundTrip(tree)) as typeof tree;
    expect(Object.getPrototypeOf(found)).toBe(Object.prototype);
    expect(Object.getOwnPropertyDescriptor(found, "__proto__")?.value).toEqual({ a: 1 });
    expect(Object.keys(found).sort()).toEqual(["", "10", "2", "__proto__", "a.b", "x.y"]);
    expect(bits(found[""])).toEqual(bits({ deep: tree[""].deep }));
  });

  test("that is a plain value, an array or a part of both", async () => {
    for (const tree of [3, -0, "text", null, true, [], {}, [[1], { a: [] }], [[], {}]]) {
      expect(isDeepStrictEqual(await roundTrip(tree), tree)).toBe(true);
    }
  });

  test("and twice, with tensors of its own each time", async () => {
    const W = tensor([1, 2], { backend });
    await saveCheckpoint(path, { W, again: W });
    const load = () => loadCheckpoint<{ W: Tensor; again: Tensor }>(path, { backend });
    const [first, second] = [await load(), await load()];
    expect(new Set([W, first.W, first.again, second.W, second.again]).size).toBe(5);
    expect(new Set([first.W, first.again, second.W].map((x) => x.pointer)).size).toBe(3);
  });

  test("as it was when it was saved, whatever becomes of it meanwhile", async () => {
    let written: Promise<void> | undefined;
    const tree: { W?: Tensor; list: number[] } = { list: [1] };
    scope(() => {
      tree.W = tensor([1, 2], { backend });
      written = saveCheckpoint(path, tree);
    });
    tree.list.push(2);
    delete tree.W;
    await written;
    const found = await loadCheckpoint<{ W: Tensor; list: number[] }>(path, { backend });
    expect([found.W.toArray(), found.list]).toEqual([[1, 2], [1]]);
  });

  test("on the backend asked for, else on that of like", async () => {
    const other = createBackend({ kernels: referenceKernels });
    await saveCheckpoint(path, { W: tensor([1, 2], { backend }) });
    const like = { W: zeros([2], { backend: other }) };
    expect((await loadCheckpoint(path, { like })).W.backend).toBe(other);
    expect((await loadCheckpoint(path, { like, backend })).W.backend).toBe(backend);
  });
});

test("plain values may be long, up to what a file has room for", async () => {
  const list = Array.from({ length: 300_000 }, (_, i) => ({ loss: i / 7, quoted: '"\\' }));
  expect(isDeepStrictEqual(await roundTrip({ list }), { list })).toBe(true);
  expect(await failure(saveCheckpoint(path, "x".repeat(1e8)))).toMatchInlineSnapshot(
    `"saveCheckpoint: the plain values take 100000006 letters, and a file holds 100000000 at most; make tensors of long lists of numbers"`,
  );
  expect(isDeepStrictEqual(await loadCheckpoint(path), { list })).toBe(true);
});

test("trees may be deep, but not bottomless", async () => {
  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
  expect(await roundTrip(nested(500))).toEqual(nested(500));
  expect(await failure(saveCheckpoint(path, nested(501)))).toMatch(
    /^saveCheckpoint: the value at "0[.0]+" is below 500 others; write a list$/,
  );
});

test("the file is a safetensors file to others", async () => {
  await saveCheckpoint(path, { layers: [{ W: tensor([[1, 2]], { backend }) }], epoch: 3 });
  const { tensors, metadata } = await readSafetensors(path);
  expect(Object.keys(tensors)).toEqual(["layers.0.W"]);
  const { "chronograd.sha256": sum, ...others } = metadata;
  expect(sum).toMatch(/^[0-9a-f]{64}$/);
  expect(others).toMatchInlineSnapshot(`
    {
      "chronograd.checkpoint": "1",
      "chronograd.tree": "{"layers":[{"W":{"$tensor":"layers.0.W"}}],"epoch":3}",
    }
  `);
});

test("what would not come back as it is is refused, with its path", async () => {
  const cycle: { self?: unknown } = {};
  cycle.self = [cycle];
  const gone: Tensor[] = [];
  scope(() => gone.push(tensor([1], { backend })));
  const watched = new Tape().watch({ W: tensor([1], { backend }) });
  const x = tensor([1], { backend });
  const trees: readonly unknown[] = [
    { f: () => 1 },
    { a: [1, undefined] },
    { a: Array(2) },
    { a: Symbol("s") },
    { a: 1n },
    { when: new Date(0) },
    { a: { b: new Map() } },
    { a: new Set() },
    { a: Promise.resolve(1) },
    { a: Object.create({}) },
    { a: new (class Own {})() },
    { a: new (class Own extends Array {})() },
    { a: new Float32Array(2) },
    { a: new ArrayBuffer(2) },
    { a: Object.assign([1], { index: 2 }) },
    { a: { [Symbol("s")]: 1 } },
    cycle,
    gone,
    watched,
    undefined,
    x,
    { "": x },
    { __metadata__: x },
    { "\ud800": x },
    { "a.b": x, a: { b: x } },
  ];
  const said: string[] = [];
  for (const tree of trees) said.push(await failure(saveCheckpoint(path, tree)));
  expect(said).toMatchInlineSnapshot(`
    [
      "saveCheckpoint: the value at "f" is a function; leave it out, and make it again",
      "saveCheckpoint: the value at "a.1" is undefined; leave its key out, or write null",
      "saveCheckpoint: the value at "a.0" is undefined; leave its key out, or write null",
      "saveCheckpoint: the value at "a" is a symbol; leave it out, and make it again",
      "saveCheckpoint: the value at "a" is a bigint; write it as a string",
      "saveCheckpoint: the value at "when" is an instance of Date; write what it holds, as plain objects and arrays",
      "saveCheckpoint: the value at "a.b" is an instance of Map; write what it holds, as plain objects and arrays",
      "saveCheckpoint: the value at "a" is an instance of Set; write what it holds, as plain objects and arrays",
      "saveCheckpoint: the value at "a" is an instance of Promise; write what it holds, as plain objects and arrays",
      "saveCheckpoint: the value at "a" is an instance of Object; write what it holds, as plain objects and arrays",
      "saveCheckpoint: the value at "a" is an instance of Own; write what it holds, as plain objects and arrays",
      "saveCheckpoint: the value at "a" is an instance of Own; write what it holds, as plain objects and arrays",
      "saveCheckpoint: the value at "a" is a Float32Array; write tensor(x), or Array.from(x)",
      "saveCheckpoint: the value at "a" is an instance of ArrayBuffer; write what it holds, as plain objects and arrays",
      "saveCheckpoint: the value at "a" is an array with the key "index"; write an object",
      "saveCheckpoint: the value at "a" has a symbol as a key; name it by a string",
      "saveCheckpoint: the value at "self.0" holds itself; write each value once",
      "saveCheckpoint: the tensor at "0" is gone: the scope it was made in has ended; return it from the scope to keep it",
      "saveCheckpoint: the value at "W" is tracked by a tape; save what the tape watched, or x.detach()",
      "saveCheckpoint: the tree is undefined; leave its key out, or write null",
      "saveCheckpoint: the tree is a tensor without a name; put it into an object, as { W: tensor }",
      "saveCheckpoint: the value at "" is a tensor without a name; put it into an object, as { W: tensor }",
      "saveCheckpoint: the value at "__metadata__" has a name that files keep for themselves; rename it",
      "saveCheckpoint: the value at "\\ud800" has half a character, a lone surrogate, in its path; rename it",
      "saveCheckpoint: the value at "a.b" has the path of another tensor; rename a key that holds a "."",
    ]
  `);
  await expect(readFile(path)).rejects.toThrow("ENOENT");
});

test("options and paths are checked", async () => {
  expect([
    await failure(saveCheckpoint(path, {}, { modle: 1 } as never)),
    await failure(loadCheckpoint(path, { like_: 1 } as never)),
    await failure(saveCheckpoint("", {})),
    await failure(saveCheckpoint({} as never, {})),
    await failure(loadCheckpoint(undefined as never)),
    await failure(saveCheckpoint(path, {}, { model: { W: tensor(1, { backend }) } })),
    await failure(saveCheckpoint(path, {}, { model: { size: () => 1 } })),
  ]).toMatchInlineSnapshot(`
    [
      "saveCheckpoint: there is no option "modle", did you mean "model"? It takes model",
      "loadCheckpoint: there is no option "like_", did you mean "like"? It takes like, model, backend",
      "saveCheckpoint: path must be the name of a file, got """,
      "saveCheckpoint: path must be the name of a file, got [object Object]",
      "loadCheckpoint: path must be the name of a file, got undefined",
      "saveCheckpoint: model has a tensor at "W"; describe the model by names and sizes",
      "saveCheckpoint: model: the value at "size" is a function; leave it out, and make it again",
    ]
  `);
});

describe("a file of another kind is refused with the first difference", () => {
  const like = {
    params: { W: zeros([2, 3], { backend }), b: zeros([3], { backend }) },
    schedule: { step: 0, name: "warm", best: null },
    list: [1, 2],
  };

  test("in structure, dtype, shape or kind", async () => {
    const { params, schedule } = like;
    const trees: readonly unknown[] = [
      { ...like, params: { ...params, W: zeros([2, 4], { backend }) } },
      { ...like, params: { ...params, W: zeros([2, 3], { backend, dtype: "float64" }) } },
      { ...like, params: { W: params.W } },
      { ...like, params: { ...params, "V.0": params.b } },
      { ...like, params: [params] },
      { ...like, params: 3 },
      { ...like, schedule: { ...schedule, step: "0" } },
      { ...like, schedule: { ...schedule, best: 1 } },
      { ...like, list: [1] },
      { ...like, list: [1, 2, 3] },
      { schedule, list: [1, 2] },
      [like],
      7,
    ];
    const said: string[] = [];
    for (const tree of trees) {
      await saveCheckpoint(path, tree);
      said.push(await failure(loadCheckpoint(path, { like })));
    }
    expect(said).toMatchInlineSnapshot(`
      [
        "loadCheckpoint: "FOLDER/a" is not like the tree given: "params.W" is float32 [2,4] in the file and float32 [2,3] is expected; load it into the structure that was saved, or leave that part out of like",
        "loadCheckpoint: "FOLDER/a" is not like the tree given: "params.W" is float64 [2,3] in the file and float32 [2,3] is expected; load it into the structure that was saved, or leave that part out of like",
        "loadCheckpoint: "FOLDER/a" is not like the tree given: "params.b" is nothing in the file and float32 [3] is expected; load it into the structure that was saved, or leave that part out of like",
        "loadCheckpoint: "FOLDER/a" is not like the tree given: "params.V.0" is float32 [3] in the file and nothing is expected; load it into the structure that was saved, or leave that part out of like",
        "loadCheckpoint: "FOLDER/a" is not like the tree given: "params" is an array of length 1 in the file and an object is expected; load it into the structure that was saved, or leave that part out of like",
        "loadCheckpoint: "FOLDER/a" is not like the tree given: "params" is a number in the file and an object is expected; load it into the structure that was saved, or leave that part out of like",
        "loadCheckpoint: "FOLDER/a" is not like the tree given: "schedule.step" is a string in the file and a number is expected; load it into the structure that was saved, or leave that part out of like",
        "loadCheckpoint: "FOLDER/a" is not like the tree given: "schedule.best" is a number in the file and null is expected; load it into the structure that was saved, or leave that part out of like",
        "loadCheckpoint: "FOLDER/a" is not like the tree given: "list.1" is nothing in the file and a number is expected; load it into the structure that was saved, or leave that part out of like",
        "loadCheckpoint: "FOLDER/a" is not like the tree given: "list.2" is a number in the file and nothing is expected; load it into the structure that was saved, or leave that part out of like",
        "loadCheckpoint: "FOLDER/a" is not like the tree given: "params" is nothing in the file and an object is expected; load it into the structure that was saved, or leave that part out of like",
        "loadCheckpoint: "FOLDER/a" is not like the tree given: the tree is an array of length 1 in the file and an object is expected; load it into the structure that was saved, or leave that part out of like",
        "loadCheckpoint: "FOLDER/a" is not like the tree given: the tree is a number in the file and an object is expected; load it into the structure that was saved, or leave that part out of like",
      ]
    `);
  });

  test("but other values, and more at the root, are no difference", async () => {
    const saved = { ...like, list: [Number.NaN, 4], live: { h: zeros([1], { backend }) } };
    await saveCheckpoint(path, saved);
    const found = (await loadCheckpoint(path, { like })) as unknown as typeof saved;
    expect(found.list).toEqual([Number.NaN, 4]);
    expect(found.live.h.shape).toEqual([1]);
    await loadCheckpoint(path, { like: { params: like.params } });
  });

  test("of another model", async () => {
    const said: string[] = [];
    const models: readonly unknown[] = [
      "gru",
      { cell: "lstm", sizes: { hidden: 3 } },
      { cell: "lstm" },
      { cell: "lstm", sizes: { hidden: 4, input: 1 } },
      { sizes: { hidden: 4 }, cell: "lstm" },
    ];
    await saveCheckpoint(path, {}, { model: { cell: "lstm", sizes: { hidden: 4 } } });
    for (const model of models) said.push(await failure(loadCheckpoint(path, { model })));
    await saveCheckpoint(path, {}, { model: "lstm" });
    said.push(await failure(loadCheckpoint(path, { model: "gru" })));
    said.push(await failure(loadCheckpoint(path)));
    await saveCheckpoint(path, {});
    said.push(await failure(loadCheckpoint(path, { model: "gru" })));
    expect(said).toMatchInlineSnapshot(`
      [
        "loadCheckpoint: "FOLDER/a" is of another model: the model is an object in the file and "gru" is expected; load it with the model that it was saved with",
        "loadCheckpoint: "FOLDER/a" is of another model: "sizes.hidden" is 4 in the file and 3 is expected; load it with the model that it was saved with",
        "loadCheckpoint: "FOLDER/a" is of another model: "sizes" is an object in the file and nothing is expected; load it with the model that it was saved with",
        "loadCheckpoint: "FOLDER/a" is of another model: "sizes.input" is nothing in the file and 1 is expected; load it with the model that it was saved with",
        "no error",
        "loadCheckpoint: "FOLDER/a" is of another model: the model is "lstm" in the file and "gru" is expected; load it with the model that it was saved with",
        "no error",
        "loadCheckpoint: "FOLDER/a" is of another model: the model is undefined in the file and "gru" is expected; load it with the model that it was saved with",
      ]
    `);
  });
});

test("what is no checkpoint is refused, and so is one of another version", async () => {
  const said: string[] = [];
  const attempt = async (bytes: Uint8Array | string) => {
    await writeFile(path, bytes);
    said.push(await failure(loadCheckpoint(path)));
  };
  await saveCheckpoint(path, { W: zeros([2], { backend }) });
  const whole = await readFile(path);
  await attempt("");
  await attempt("text");
  await attempt("This is not a model at all.");
  await attempt(whole.subarray(0, 20));
  await attempt(whole.subarray(0, -1));
  await attempt(Buffer.concat([whole, Buffer.from("\n")]));
  said.push(await failure(loadCheckpoint(join(folder, "missing"))));
  said.push(await failure(loadCheckpoint(folder)));
  expect(said).toMatchInlineSnapshot(`
    [
      "loadCheckpoint: "FOLDER/a" is empty; copy it again, or begin a new run",
      "loadCheckpoint: "FOLDER/a" is no checkpoint: decodeSafetensors: the file has 4 bytes and needs 8 for the length of its header; it was cut off or is no safetensors file; pass a file that saveCheckpoint wrote",
      "loadCheckpoint: "FOLDER/a" is no checkpoint: decodeSafetensors: the header would take 2338328219631577172 bytes and the format allows 100000000; this is no safetensors file; pass a file that saveCheckpoint wrote",
      "loadCheckpoint: "FOLDER/a" is damaged: its sha256 is not that of its contents, so it was cut off or changed; copy it again, or begin a new run",
      "loadCheckpoint: "FOLDER/a" is damaged: its sha256 is not that of its contents, so it was cut off or changed; copy it again, or begin a new run",
      "loadCheckpoint: "FOLDER/a" is damaged: its sha256 is not that of its contents, so it was cut off or changed; copy it again, or begin a new run",
      "loadCheckpoint: could not read "FOLDER/missing": ENOENT, there is no such file; save one first, or correct the name",
      "loadCheckpoint: could not read "FOLDER": EISDIR, it is a folder; name a file in it",
    ]
  `);
});
