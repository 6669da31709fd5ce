import fc from "fast-check";
import ndarray from "ndarray";
import { expect, test } from "vitest";
import { scope, type Tensor, tensor, zeros } from "../../src/index.ts";
import { type LiveNdArray, liveView, toNdarray } from "../../src/ndarray.ts";

test("an ndarray of any strides and offset comes in row-major", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 0, maxLength: 4 }),
      fc.infiniteStream(fc.integer({ min: 0, max: 99 })),
      (shape, picks) => {
        let view = ndarray(
          Float64Array.from({ length: shape.reduce((p, n) => p * (n + 2), 1) }, (_, i) => i),
          shape.map((n) => n + 2),
        );
        const next = () => picks.next().value as number;
        if (shape.length > 0) {
          view = view.lo(...shape.map(() => next() % 3)).hi(...shape);
          view = view.step(...shape.map(() => (next() % 2 === 0 ? 1 : -1)));
          const order = shape.map((_, i) => i).sort(() => (next() % 2) - 0.5);
          view = view.transpose(...order);
        }
        const x = tensor(view);
        expect(x.dtype).toBe("float64");
        expect(x.shape).toEqual(view.shape);
        const out = toNdarray(x);
        const index = new Array<number>(shape.length).fill(0);
        const visit = (axis: number): void => {
          if (axis === shape.length) expect(out.get(...index)).toBe(view.get(...index));
          else
            for (index[axis] = 0; index[axis]! < view.shape[axis]!; index[axis]!++) visit(axis + 1);
        };
        visit(0);
      },
    ),
  );
});

test.each([
  [new Float32Array([1, 2]), "float32"],
  [new Float64Array([1, 2]), "float64"],
  [new Int32Array([1, 2]), "int32"],
  [new Uint8Array([1, 2]), "float32"],
  [[1, 2], "float32"],
  [ndarray(new Int32Array([1, 2])), "int32"],
  [ndarray([1, 2]), "float32"],
] as const)("%o is %s", (source, dtype) => {
  const x = tensor(source);
  expect(x.dtype).toBe(dtype);
  expect(x.toArray()).toEqual([1, 2]);
});

test("nested numbers go in and come out", () => {
  expect(tensor(3).toArray()).toBe(3);
  expect(
    tensor([
      [[1], [2]],
      [[3], [4]],
    ]).toArray(),
  ).toEqual([
    [[1], [2]],
    [[3], [4]],
  ]);
  expect(tensor([]).shape).toEqual([0]);
  expect(zeros([2, 0]).toArray()).toEqual([[], []]);
  expect(tensor(tensor([1, 2]), { dtype: "float64" }).dtype).toBe("float64");
});

test("a live view reads and writes in place, also after memory has grown", () => {
  const x = tensor([1, 2, 3]);
  const view = liveView(x);
  zeros([1 << 20]);
  view.set(1, 9);
  expect(view.get(1)).toBe(9);
  expect(x.toArray()).toEqual([1, 9, 3]);
});

test("copies are copies", () => {
  const data = new Float32Array([1, 2]);
  const x = tensor(data);
  data[0] = 7;
  x.toTypedArray()[1] = 7;
  toNdarray(x).set(1, 7);
  expect(x.toArray()).toEqual([1, 2]);
});

test("what is no tensor, what is gone and what int32 does not hold are refused in words", () => {
  for (const convert of [toNdarray, liveView]) {
    expect(() => convert([1] as never)).toThrow(
      `${convert.name}: expected a tensor, got object; make one with tensor(...)`,
    );
    expect(() => convert(null as never)).toThrow(`${convert.name}: expected a tensor, got null`);
  }
  let gone: Tensor | undefined;
  let view: LiveNdArray | undefined;
  scope(() => {
    gone = tensor([1, 2]).exp();
    view = liveView(gone);
  });
  expect(() => toNdarray(gone!)).toThrow(/^toNdarray: .* is gone: the scope/);
  expect(() => liveView(gone!)).toThrow(/^liveView: .* is gone: the scope/);
  expect(() => view!.get(0)).toThrow(/^liveView: .* is gone: the scope/);
  expect(() => view!.set(0, 1)).toThrow(/^liveView: .* is gone: the scope/);
  const whole = tensor([1], { dtype: "int32" });
  expect(() => liveView(whole).set(0, 0.5)).toThrow(/^liveView: /);
  expect(whole.toArray()).toEqual([1]);
});
