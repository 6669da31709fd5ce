import { describe, expect, test } from "vitest";
import { Pattern } from "../../src/compile/pattern.ts";
import { compile, tensor } from "../../src/index.ts";
import { supersede } from "../../src/tensor/successors.ts";

const [x, y, z] = [tensor([1, 2]), tensor([3, 4]), tensor([5])];

describe("a pattern", () => {
  const pattern = new Pattern({ a: x, list: [y, 7, "text", null, undefined], nested: { b: x } });

  test("gives the tensors of a tree like it", () => {
    const [p, q] = [tensor([0, 1]), tensor([2, 3])];
    const like = { a: q, list: [p, 7, "text", null, undefined], nested: { b: q } };
    expect(pattern.tensorsOf(like)).toEqual([q, p, q]);
  });

  test.each<[string, unknown]>([
    ["another shape", { a: z, list: [y, 7, "text", null, undefined], nested: { b: x } }],
    [
      "another dtype",
      { a: x.cast("float64"), list: [y, 7, "text", null, undefined], nested: { b: x } },
    ],
    [
      "a number of another sign",
      { a: x, list: [y, -7, "text", null, undefined], nested: { b: x } },
    ],
    ["a key more", { a: x, c: 1, list: [y, 7, "text", null, undefined], nested: { b: x } }],
    ["a key less", { list: [y, 7, "text", null, undefined], nested: { b: x } }],
    ["another order", { list: [y, 7, "text", null, undefined], a: x, nested: { b: x } }],
    ["another key", { b: x, list: [y, 7, "text", null, undefined], nested: { b: x } }],
    ["a longer list", { a: x, list: [y, 7, "text", null, undefined, 0], nested: { b: x } }],
    ["an object for the list", { a: x, list: { 0: y }, nested: { b: x } }],
    [
      "an instance",
      {
        a: x,
        list: [y, 7, "text", null, undefined],
        nested: new (class B {
          b = x;
        })(),
      },
    ],
    ["nothing", undefined],
  ])("tells %s", (_what, value) => {
    expect(pattern.tensorsOf(value)).toBeUndefined();
  });

  test("tells which tensors are one", () => {
    expect(pattern.isExact([x, y, x])).toBe(true);
    expect(pattern.isExact([x, y, tensor([1, 2])])).toBe(false);
    expect(pattern.isExact([x, x, x])).toBe(false);
    const many = Array.from({ length: 200 }, () => tensor([1]));
    const long = new Pattern(many);
    expect(long.isExact(many)).toBe(true);
    expect(long.isExact([...many.slice(1), many[1]!])).toBe(false);
  });
});

test("a compiled function takes its arguments by name, whatever their order", () => {
  const f = compile(({ a, b }: { a: typeof x; b: typeof x }) => a.sub(b));
  for (let i = 0; i < 3; i++) {
    expect(f({ a: x, b: y }).toArray()).toEqual([-2, -2]);
    expect(f({ b: y, a: x }).toArray()).toEqual([-2, -2]);
    expect(f({ b: x, a: y }).toArray()).toEqual([2, 2]);
  }
});

test("a value that is no part of a tree is compared without a look into its tensors", () => {
  class Batch {
    readonly target: typeof x;
    constructor(target: typeof x) {
      this.target = target;
    }
  }
  const [first, last] = [tensor([1]), tensor([2])];
  supersede(first, last);
  const like = new Pattern({ batch: new Batch(last) });
  expect(like.tensorsOf({ batch: new Batch(last) })).toEqual([]);
  expect(like.tensorsOf({ batch: new Batch(tensor([2])) })).toBeUndefined();
});
