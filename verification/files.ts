import { scope, tensor } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { type Rng, rng } from "@chronograd/nn";
import { decodeSafetensors, encodeSafetensors } from "@chronograd/nn/safetensors";
import * as checkpoints from "../packages/nn/tests/files/checkpointLaws.ts";
import { lawOver } from "./lawOver.ts";
import type { Subject } from "./subject.ts";
import { Tally } from "./tally.ts";

/** The bits of an element, and how JavaScript reads one. */
const types: Readonly<
  Record<string, [bits: number, read?: (view: DataView, at: number) => number]>
> = {
  F64: [64, (view, at) => view.getFloat64(at, true)],
  F32: [32, (view, at) => view.getFloat32(at, true)],
  // The upper half of a float32.
  BF16: [16, (view, at) => upper(view.getUint16(at, true))],
  I64: [64, (view, at) => Number(view.getBigInt64(at, true))],
  U64: [64, (view, at) => Number(view.getBigUint64(at, true))],
  I32: [32, (view, at) => view.getInt32(at, true)],
  U32: [32, (view, at) => view.getUint32(at, true)],
  I16: [16, (view, at) => view.getInt16(at, true)],
  U16: [16, (view, at) => view.getUint16(at, true)],
  I8: [8, (view, at) => view.getInt8(at)],
  U8: [8, (view, at) => view.getUint8(at)],
  BOOL: [8, (view, at) => (view.getUint8(at) === 0 ? 0 : 1)],
  F8_E4M3: [8],
  F8_E5M2: [8],
  C64: [64],
  F4: [4],
};

function upper(half: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, half * 2 ** 16);
  return view.getFloat32(0);
}

/** A file with a header of these fields, as text, and this data. */
function file(fields: readonly string[], data: Uint8Array): Uint8Array {
  const header = new TextEncoder().encode(`{${fields.join(",")}}`);
  const bytes = new Uint8Array(8 + header.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  bytes.set(data, 8 + header.length);
  return bytes;
}

const entry = (name: string, dtype: string, count: number, begin: number, end: number, more = "") =>
  `"${name}":{"dtype":"${dtype}","shape":[${count}],"data_offsets":[${begin},${end}]${more}}`;

/** Eight elements, small in half of the cases. */
function elements(random: Rng, bits: number): Uint8Array {
  const bytes = Uint8Array.from({ length: bits }, () => random.integer(0, 256));
  if (random.uniform() < 0.5) {
    // Only the first two bytes of each element, so that whole numbers fit.
    for (let i = 0; i < bits; i++) if (i % (bits / 8) > 1) bytes[i] = 0;
  }
  return bytes;
}

const everyType: Law = {
  name: "types",
  statement:
    "elements of each type are what the language itself reads; what int32 does not hold, and types without a reader, refuse themselves alone",
  bound: 0,
  measure: (seed) => {
    const tally = new Tally();
    const random = rng(seed, "files");
    for (const [type, [bits, read]] of Object.entries(types)) {
      const data = elements(random, bits);
      const both = new Uint8Array([...data, 7]);
      const fields = [entry("x", type, 8, 0, bits), entry("after", "U8", 1, bits, bits + 1)];
      const { x, after } = decodeSafetensors(file(fields, both)).tensors;
      tally.list(Array.from(after!.data), [7], `beside ${type}`);
      const view = new DataView(data.buffer);
      const expected = Array.from(
        { length: 8 },
        (_, i) => read?.(view, (i * bits) / 8) ?? Infinity,
      );
      const isWhole = /^([IU]\d|BOOL)/.test(type);
      if (read === undefined || (isWhole && expected.some((value) => (value | 0) !== value))) {
        tally.throws(
          () => x!.data,
          new RegExp(`"x" of ${type} \\[8\\] (is of a type|holds)`),
          type,
        );
      } else {
        const isNan = (values: ArrayLike<number>) =>
          Array.from(values, (v) => (Number.isNaN(v) ? "NaN" : v));
        tally.check(
          isNan(x!.data).join() === isNan(expected).join(),
          () => `${type}: ${x!.data}, expected ${expected}`,
        );
        const dtype = isWhole ? "int32" : type === "F64" ? "float64" : "float32";
        tally.check(x!.dtype === dtype, () => `${type}: read as ${x!.dtype}`);
      }
    }
    return tally;
  },
};

const headers: Law = {
  name: "headers",
  statement:
    "names stand as in the header, null metadata and unknown fields are taken, and half a character is neither written nor read",
  bound: 0,
  measure: (seed) =>
    scope(() => {
      const tally = new Tally();
      const random = rng(seed, "headers");
      const names = ["10", "b", "2", "a"].slice(random.integer(0, 3));
      const places = names.map((_, i) => i).sort(() => random.uniform() - 0.5);
      const fields = names.map((name, i) =>
        entry(
          name,
          "U8",
          1,
          places[i]!,
          places[i]! + 1,
          random.uniform() < 0.5 ? ',"more":[1]' : "",
        ),
      );
      const data = Uint8Array.from(names, (_, i) => i + 1);
      const decoded = decodeSafetensors(file(['"__metadata__":null', ...fields], data));
      tally.check(decoded.names.join() === names.join(), () => `names: ${decoded.names}`);
      const found = names.map((name) => decoded.tensors[name]!.data[0]!);
      tally.list(
        found,
        places.map((place) => place + 1),
        "elements by name",
      );
      const half = `a${String.fromCharCode(0xd800 + random.integer(0, 0x800))}b`;
      const x = tensor([1]);
      const words = /half a character/;
      tally.throws(() => encodeSafetensors({ [half]: x }), words, "a name");
      tally.throws(() => encodeSafetensors({ x }, { a: half }), words, "metadata");
      tally.throws(() => encodeSafetensors({ x }, { [half]: "a" }), words, "a key of metadata");
      const written = JSON.stringify(half).slice(1, -1);
      tally.throws(
        () => decodeSafetensors(file([entry(written, "U8", 1, 0, 1)], data.slice(0, 1))),
        words,
        "read",
      );
      return tally;
    }),
};

const law = (name: string, statement: string, check: (seed: number) => string | undefined): Law =>
  lawOver(10, name, statement, 0, (seed, tally) => {
    const wrong = check(seed);
    tally.check(wrong === undefined, () => `seed ${seed}: ${wrong}`);
  });

const checkpointLaws: readonly Law[] = [
  law(
    "round trip",
    "a tree of tensors and plain values comes back from a checkpoint bit for bit",
    checkpoints.roundTrip,
  ),
  law(
    "damage",
    "a checkpoint with one flipped bit, or cut off, is refused or bitwise right",
    checkpoints.damage,
  ),
  law(
    "differences",
    "the first difference between two trees is where one was changed",
    checkpoints.differences,
  ),
  law(
    "gather",
    "every worker gathers every worker's tree bit for bit, whatever its structure",
    checkpoints.gathering,
  ),
];

/** Files of tensors. */
export function fileSubjects(): Subject[] {
  return [
    { name: "files", group: "files", laws: [everyType, headers] },
    { name: "checkpoints", group: "files", laws: checkpointLaws },
  ];
}
