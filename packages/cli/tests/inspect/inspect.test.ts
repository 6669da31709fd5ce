import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { tensor } from "@chronograd/autodiff";
import { encodeSafetensors } from "@chronograd/nn/safetensors";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inspect } from "../../src/commands/inspect.ts";
import { numbersOf } from "../../src/inspect/describe.ts";
import { createRun } from "../../src/run.ts";
import { folder } from "../files.ts";
import { run } from "../run.ts";

const home = folder();
const file = (name: string, bytes: Uint8Array | string): string => {
  const path = join(home, name);
  writeFileSync(path, bytes);
  return path;
};
const model = {
  W: tensor([
    [3, -4],
    [0, 0],
  ]),
  deep: { b: tensor([NaN, 1, Infinity, NaN, -Infinity], { dtype: "float64" }) },
  steps: tensor([7], { dtype: "int32" }),
  none: tensor(new Float32Array(0)),
};
const good = file(
  "good.safetensors",
  encodeSafetensors(model, { note: "a".repeat(300), by: "a test" }),
);

/** A file with one tensor of a type. */
function stored(type: string, bytes: Uint8Array, shape: readonly number[]): Uint8Array {
  const header = new TextEncoder().encode(
    JSON.stringify({ x: { dtype: type, shape, data_offsets: [0, bytes.length] } }),
  );
  const length = new Uint8Array(new BigUint64Array([BigInt(header.length)]).buffer);
  return Uint8Array.from([...length, ...header, ...bytes]);
}

test("numbers are those of the definitions, whatever their size", () => {
  const numbers = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), {
    minLength: 1,
    maxLength: 20,
  });
  fc.assert(
    fc.property(numbers, (values) => {
      const found = numbersOf({ data: Float64Array.from(values), shape: [values.length] });
      const exact = Math.hypot(...values);
      expect([found.min, found.max]).toEqual([Math.min(...values), Math.max(...values)]);
      if (exact < 1e308)
        expect(Math.abs(found.norm - exact)).toBeLessThanOrEqual(1e-14 * exact + 1e-320);
      expect(found.nonFinite).toBe(0);
    }),
  );
  expect(numbersOf({ data: Float64Array.of(3e200, 4e200), shape: [2] }).norm).toBeCloseTo(
    5e200,
    -190,
  );
});

test("tensors with shapes, types, norms, extremes, and what is not finite, with its place", async () => {
  const { code, out } = await run(inspect, good, "--json");
  expect(code).toBe(0);
  const { tensors, metadata, bytes } = JSON.parse(out);
  expect(bytes).toBe(encodeSafetensors(model, { note: "a".repeat(300), by: "a test" }).length);
  expect(metadata.by).toBe("a test");
  const byName = Object.fromEntries(tensors.map((each: { name: string }) => [each.name, each]));
  expect(byName.W).toEqual({
    name: "W",
    type: "F32",
    shape: [2, 2],
    bytes: 16,
    norm: 5,
    min: -4,
    max: 3,
    nonFinite: 0,
    odd: [],
  });
  expect(byName["deep.b"]).toMatchObject({
    type: "F64",
    ...{ norm: 1, min: 1, max: 1, nonFinite: 4 },
    odd: [
      { value: "NaN", count: 2, first: [0] },
      { value: "Infinity", count: 1, first: [2] },
      { value: "-Infinity", count: 1, first: [4] },
    ],
  });
  expect(byName.none).toMatchObject({ norm: 0, min: null, max: null });
  expect((await run(inspect, good, "--match", "W")).out).toMatch(/: 1 tensor, 4 numbers/);
});

test("as a table", async () => {
  const { out } = await run(inspect, good);
  expect(out.replaceAll(`${home}/`, "")).toMatchInlineSnapshot(`
    "good.safetensors: 4 tensors, 10 numbers, 644 B

      tensor  type  shape  size  norm  min  max  not finite
      deep.b  F64   [5]    40 B     1    1    1           4
      W       F32   [2,2]  16 B     5   -4    3
      none    F32   [0]     0 B     0
      steps   I32   [1]     4 B     7    7    7

    not finite
      deep.b: 2 NaN, the first at [0]
      deep.b: 1 Infinity, the first at [2]
      deep.b: 1 -Infinity, the first at [4]

    metadata
      note: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ...
      by: a test
    "
  `);
  expect((await run(inspect, good, "--strict")).code).toBe(1);
});

test("types that are not read are told, and the others shown", async () => {
  const path = file("odd.safetensors", stored("F8_E4M3", Uint8Array.of(1, 2), [2]));
  const { code, out } = await run(inspect, path);
  expect(code).toBe(0);
  expect(out.replaceAll(`${home}/`, "")).toMatchInlineSnapshot(`
    "odd.safetensors: 1 tensor, 2 numbers, 68 B

      tensor  type     shape  size  norm  min  max  not finite
      x       F8_E4M3  [2]     2 B

    not readable
      tensor "x" of F8_E4M3 [2] is of a type that is not read; save it as F32
    "
  `);
  const half = file("half.safetensors", stored("F16", Uint8Array.of(0x00, 0x3c), [1]));
  expect(JSON.parse((await run(inspect, half, "--json")).out).tensors[0]).toMatchObject({
    type: "F16",
    bytes: 2,
    max: 1,
  });
});

describe("a run folder", () => {
  test("gives its checkpoint", async () => {
    const folder = await createRun({ kind: "train", options: {}, parent: join(home, "runs") });
    expect(await run(inspect, folder.path)).toMatchObject({ code: 2 });
    await folder.save({ params: { W: tensor([1, 2]) }, live: [tensor([3])] });
    folder.close();
    const table = (await run(inspect, folder.path)).out;
    expect(table).toContain("params.W");
    expect(table).not.toMatch(/^ {2}live/m);
    expect(table).toContain("and 1 more, of live: --match shows them");
    expect((await run(inspect, folder.path, "--match", "live")).out).toMatch(/^ {2}live\.0/m);
    const { code, out } = await run(inspect, folder.path, "--json");
    expect({ code, tensors: JSON.parse(out).tensors.length > 0 }).toEqual({
      code: 0,
      tensors: true,
    });
  });
});

test("what is no such file is told in a sentence", async () => {
  const said = async (path: string, ...flags: string[]) => {
    const { code, err } = await run(inspect, path, ...flags);
    return `${code} ${err.trim().replaceAll(`${home}/`, "").replaceAll(home, "FOLDER")}`;
  };
  const bytes = encodeSafetensors(model);
  expect(await said(join(home, "absent"))).toMatchInlineSnapshot(
    `"2 inspect: could not read "absent": ENOENT, there is no such file; save one first, or correct the name"`,
  );
  expect(await said(home)).toMatchInlineSnapshot(
    `"2 inspect: FOLDER is not the folder of a run: there is no run.json; \`chronograd runs\` lists the runs"`,
  );
  expect(await said(file("short", bytes.subarray(0, bytes.length - 3)))).toMatchInlineSnapshot(
    `"2 inspect: could not read "short": the tensors take 60 bytes of data and the file has 57; the file was cut off"`,
  );
  expect(await said(file("text", "some text that is longer"))).toMatchInlineSnapshot(
    `"2 inspect: could not read "text": the header would take 8675467939688574835 bytes and the format allows 100000000; this is no safetensors file"`,
  );
  expect(await said(file("empty", ""))).toMatchInlineSnapshot(
    `"2 inspect: could not read "empty": the file has 0 bytes and needs 8 for the length of its header; it was cut off or is no safetensors file"`,
  );
  expect(await said(good, "--match", "U")).toMatchInlineSnapshot(
    `"2 inspect: --match: no tensor of good.safetensors has "U" in its name; there are deep.b, W, none, steps"`,
  );
});
