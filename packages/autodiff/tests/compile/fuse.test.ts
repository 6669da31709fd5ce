import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Call } from "../../src/compile/call.ts";
import { emit, nameOfRun } from "../../src/compile/emit.ts";
import { fused } from "../../src/compile/fuse.ts";
import { layoutOf } from "../../src/compile/layout.ts";
import type { Buffer, Program } from "../../src/compile/program.ts";
import { type Family, signatures } from "../../src/kernels/contract.ts";
import { linkedOn } from "../../src/kernels/link.ts";
import { Memory } from "../../src/kernels/memory.ts";
import { isPointer, signatureOf } from "../../src/kernels/signature.ts";
import { simdKernels } from "../../src/kernels/simd/index.ts";

type Dtype = "float32" | "float64";

/** Elements of every buffer: rows of eight blocks, however wide a block is. */
const rows = 3;
const blocks = 8;

const unary = [
  "neg abs sign exp log sqrt rsqrt square reciprocal tanh sigmoid softplus logSigmoid relu gelu silu",
  "erf floor ceil round expm1 log1p sin",
]
  .join(" ")
  .split(" ");
const scaled = ["scale", "offset", "leakyRelu", "elu"];
const binary =
  "add sub mul div maximum minimum less lessEqual greater greaterEqual equal notEqual pow".split(
    " ",
  );

/** Where a call reads or writes, as a buffer and the block of columns at which it begins. */
interface Where {
  readonly buffer: number;
  readonly block: number;
}

/** One drawn call on `wide` blocks of columns of all rows, or on the whole buffer as one row. */
interface Drawn {
  readonly kind: "unary" | "scaled" | "binary" | "copy" | "addTo" | "fill" | "select";
  readonly name: string;
  readonly wide: 1 | 2 | 8;
  readonly from: readonly [Where, Where, Where];
  readonly to: Where;
  readonly shares: "none" | "row" | "number" | "column";
  readonly alpha: number;
}

/** The first buffers are the caller's; the others are private. */
const [callers, all] = [4, 7];
const where = fc.record({
  buffer: fc.nat({ max: all - 1 }),
  block: fc.nat({ max: blocks - 1 }),
});
const drawn: fc.Arbitrary<Drawn> = fc
  .constantFrom("unary", "scaled", "binary", "binary", "copy", "copy", "addTo", "fill", "select")
  .chain((kind) =>
    fc.record({
      kind: fc.constant(kind as Drawn["kind"]),
      name: fc.constantFrom(...(kind === "unary" ? unary : kind === "scaled" ? scaled : binary)),
      wide: fc.constantFrom(1, 1, 1, 2, 8),
      from: fc.tuple(where, where, where),
      to: where,
      shares: fc.constantFrom("none", "none", "row", "number", "column"),
      alpha: fc.constantFrom(0.5, -1, 0, -0, Infinity, -Infinity, Number.NaN),
    }),
  );

/** The call; contiguous kernels work on whole buffers. */
function callOf(one: Drawn, width: number, dtype: Dtype): Call {
  const size = dtype === "float32" ? 4 : 8;
  const stride = blocks * width;
  const n = rows * stride;
  const cols = one.wide * width;
  const offset = ({ block }: Where) => Math.min(block, blocks - one.wide) * width * size;
  const read = (at: Where, i: number): number[] => {
    if (i > 0 && one.shares === "row") return [offset(at), 0, 1];
    if (i > 0 && one.shares === "number") return [offset(at), 0, 0];
    if (i > 0 && one.shares === "column") return [offset(at), stride, 0];
    return [offset(at), stride, 1];
  };
  const [a, b, c] = one.from;
  const make = (family: Family, name: string, args: number[], at: number[]): Call => {
    let next = 0;
    const signature = signatureOf((signatures[family] as Record<string, string>)[name]!);
    const buffers = signature.kinds.map((kind) => (isPointer(kind) ? at[next++]! : -1));
    return { family, name, signature, args, buffers, phase: 0 };
  };
  switch (one.kind) {
    case "unary":
      return make(dtype, one.name, [n, 0, 0], [a.buffer, one.to.buffer]);
    case "scaled":
      return make(dtype, one.name, [n, 0, 0, one.alpha], [a.buffer, one.to.buffer]);
    case "fill":
      return make(dtype, "fill", [n, one.alpha, 0], [one.to.buffer]);
    case "binary":
    case "select": {
      // The output is contiguous: the grid is the whole buffer.
      const whole = { ...one, wide: 8 as const };
      const [x, y, z] = [a, b, c].map((at, i) =>
        i === 0 ? [0, stride, 1] : [0, ...read(at, i).slice(1)],
      );
      const count = whole.kind === "binary" ? 2 : 3;
      const operands = [x!, y!, z!].slice(0, count).flat();
      const name = one.kind === "binary" ? one.name : "select";
      return make(
        dtype,
        name,
        [rows, stride, ...operands, 0],
        [...[a, b, c].slice(0, count).map(({ buffer }) => buffer), one.to.buffer],
      );
    }
    case "copy":
    case "addTo": {
      const args = [rows, cols, ...read(b, 1), offset(one.to), stride, 1];
      const at = [b.buffer, one.to.buffer];
      return one.kind === "copy"
        ? make(`move${(8 * size) as 32 | 64}`, "copy", args, at)
        : make(dtype, "addTo", args, at);
    }
  }
}

/** What the contract allows: an output is an input only where both are read and written alike. */
function isAllowed({ signature: { kinds, writes, reads }, args, buffers, name }: Call): boolean {
  const [output] = writes as [number];
  const isMove = name === "copy" || name === "addTo";
  return reads.every((i) => {
    if (i === output || buffers[i] !== buffers[output]) return true;
    if (isMove) return false;
    const isStrided = kinds[i + 1] === "int" && kinds[1] === "int";
    return !isStrided || (args[i + 1] === args[1] && args[i + 2] === 1);
  });
}

describe.each(["float32", "float64"] as const)("fused %s calls", (dtype) => {
  const size = dtype === "float32" ? 4 : 8;

  /** The caller's buffers after the calls, one by one or as a fused program. */
  function run(calls: readonly Call[], width: number, isFused: boolean): Uint8Array[] {
    const memory = new Memory();
    const kernels = simdKernels(memory);
    const bytes = rows * blocks * width * size;
    const buffers: Buffer[] = Array.from({ length: all }, (_, i) => ({
      bytes,
      slot: i < callers ? i : -1,
    }));
    const pointers = buffers.map(() => memory.allocate(bytes));
    const table = memory.allocate(4 * (callers + 1));
    const arena = memory.allocate(bytes * all + 64 * all);
    for (const [i, pointer] of pointers.entries()) {
      const view = memory.views[dtype];
      for (let j = 0; j < bytes / size; j++) {
        // Some are so large that exponentials overflow and sigmoids are subnormal.
        const scale = j % 7 === 3 ? 120 : 3;
        const value = j % 5 === 0 ? (i % 2 === 0 ? -0 : 0) : Math.sin(1 + i * 100 + j) * scale;
        view[pointer / size + j] = i < callers ? value : 0;
      }
      if (i < callers) memory.views.int32[table / 4 + i] = pointer;
    }
    if (isFused) {
      const program: Program = fused({ buffers, calls, checks: [] }, kernels);
      const layout = layoutOf(program);
      const unlinked = emit(program, layout, callers, kernels, 1);
      linkedOn(unlinked, memory, kernels, arena)[nameOfRun(0)]!(table);
    } else {
      for (const { family, name, signature, args, buffers: at } of calls) {
        const given = args.map((value, i) =>
          isPointer(signature.kinds[i]!) ? value + pointers[at[i]!]! : value,
        );
        const run = kernels[family as "float32"][name as "add"];
        (run as (...args: number[]) => void)(...given);
      }
    }
    return pointers
      .slice(0, callers)
      .map((pointer) => memory.views.uint8.slice(pointer, pointer + bytes));
  }

  test("give every bit that the calls give one by one", () => {
    const zeros = Array.from({ length: all - callers }, (_, i): Drawn => {
      const at = { buffer: callers + i, block: 0 };
      const from = [at, at, at] as const;
      return { kind: "fill", name: "add", wide: 8, from, to: at, shares: "none", alpha: 0 };
    });
    let loops = 0;
    fc.assert(
      fc.property(
        fc.array(drawn, { minLength: 2, maxLength: 24 }),
        // At 350 columns a part of a loop is larger than a page of memory.
        fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 1, max: 11 }) }, fc.constant(350)),
        (list, width) => {
          const calls = [...zeros, ...list]
            .map((one) => callOf(one, width, dtype))
            .filter(isAllowed);
          const kernels = simdKernels(new Memory());
          const buffers = Array.from({ length: all }, (_, i) => ({
            bytes: 0,
            slot: i < callers ? i : -1,
          }));
          loops += fused({ buffers, calls, checks: [] }, kernels).loops!.length;
          expect(run(calls, width, true)).toEqual(run(calls, width, false));
        },
      ),
      { numRuns: 150, seed: Number(process.env.CHRONOGRAD_SEED ?? 1) },
    );
    expect(loops).toBeGreaterThan(150);
  });

  test.each([
    { columns: 4, loops: [6] },
    { columns: 350, loops: [2, 2, 2] },
  ])("of $columns columns with nothing in common are $loops", ({ columns, loops }) => {
    const at = (buffer: number, block = 0): Where => ({ buffer, block });
    const make = (kind: "unary" | "copy", from: Where, to: Where): Drawn => {
      const operands = [from, from, from] as const;
      return { kind, name: "neg", wide: 2, from: operands, to, shares: "none", alpha: 0 };
    };
    // Three times: the columns of a private buffer and, negated, those that they go to.
    const list = [0, 1, 2].flatMap((i) => [
      make("unary", at(i), at(callers + i)),
      make("copy", at(callers + i), at(3, 2 * i)),
    ]);
    const calls = list.map((one) => callOf(one, columns, dtype));
    const bytes = rows * blocks * columns * size;
    const buffers = Array.from({ length: all }, (_, i) => ({ bytes, slot: i < callers ? i : -1 }));
    const program = fused({ buffers, calls, checks: [] }, simdKernels(new Memory()));
    expect(
      program.loops!.flatMap(({ calls: count }, i) =>
        program.calls.filter(({ name }) => name === String(i)).map(() => count),
      ),
    ).toEqual(loops);
  });
});
