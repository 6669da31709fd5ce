import { compile, createBackend, scope, type Tensor, tensor } from "@chronograd/autodiff";
import { consume, donate, isTracing, refuseTracing } from "@chronograd/autodiff/internal";
import { describe, expect, test } from "vitest";

/** Doubles in place, as an optimizer does its moments. */
function doubled(x: Tensor): Tensor {
  const { backend } = x;
  const next = donate(x, "doubled");
  backend.kernels.float32.scale(next.size, next.pointer, next.pointer, 2);
  return next;
}
/** Refuses what is not finite, as a law of the caller's. */
function guarded(x: Tensor): void {
  if (!x.backend.isFinite(x.cast("float64"))) throw new RangeError("guarded: not finite");
}

describe("a function that consumes its arguments", () => {
  test("consumes the real ones, with the results as successors, once it succeeded", () => {
    const f = compile((x: Tensor, y: Tensor) => {
      const sum = x.add(y);
      consume(x, sum, "f");
      return sum;
    });
    const [x, y] = [tensor([1]), tensor([2])];
    const sum = f(x, y);
    expect(x.successor).toBe(sum);
    expect(() => x.item()).toThrowErrorMatchingInlineSnapshot(
      `[Error: item: Tensor float32 [1] is gone: f consumed it; use what that call returned, or pass clone(...) to keep the old value]`,
    );
    expect(f(sum, y).item()).toBe(5);
    expect(f.explain()).not.toContain("not compiled");
  });

  test("writes in place where nobody else has the bytes, and into a copy where somebody does", () => {
    const f = compile((x: Tensor) => doubled(x));
    let x = tensor([1, 2]);
    const { pointer } = x;
    x = f(x);
    expect([x.toArray(), x.pointer]).toEqual([[2, 4], pointer]);
    const view = x.slice([[1, 2]]);
    const next = f(x);
    expect([next.toArray(), view.toArray()]).toEqual([[4, 8], [4]]);
    expect(() => x.toArray()).toThrow(/doubled consumed it/);
    // One value in two places is one value in the function too, compiled or not.
    const both = compile((a: Tensor, b: Tensor) => [doubled(a), b.add(1)] as const);
    expect(() => both(next, next)).toThrow(/doubled consumed it/);
    const [c, d] = both(next, next.clone());
    expect([c.toArray(), d.toArray()]).toEqual([
      [8, 16],
      [5, 9],
    ]);
  });

  test("keeps memory where it is, run after run, in scopes and outside", () => {
    const backend = createBackend();
    const f = compile((x: Tensor) => {
      guarded(x.sum());
      return doubled(x);
    });
    let x = tensor(new Float32Array(100), { backend });
    const marks: number[] = [];
    for (let i = 0; i < 300; i++) {
      x = i % 2 === 0 ? f(x) : scope(() => f(x));
      if (i === 10 || i === 299) marks.push(backend.memory.bytesInUse);
    }
    expect(marks[1]).toBe(marks[0]);
  });

  test("changes nothing when a guard fails, wherever in the function it stands", () => {
    const orders = {
      before: (x: Tensor, y: Tensor) => {
        guarded(y);
        return doubled(x);
      },
      after: (x: Tensor, y: Tensor) => {
        const next = doubled(x);
        guarded(next.sum().mul(y));
        return next;
      },
    };
    for (const f of Object.values(orders)) {
      const compiled = compile(f);
      const x = tensor([1, 2]);
      const next = compiled(x, tensor(1));
      expect(next.toArray()).toEqual([2, 4]);
      const kept = next.slice([[0, 2]]).clone();
      try {
        compiled(next, tensor(Number.NaN));
        expect.unreachable();
      } catch (error) {
        expect((error as Error).message).toBe("guarded: not finite");
      }
      // The function itself ran, and doubled before it looked: its own doing, as without compile.
      if (f === orders.before) expect(next.toArray()).toEqual(kept.toArray());
    }
  });
});

test("a value from outside that was consumed since is refused", () => {
  let w = tensor([2]);
  const f = compile((x: Tensor) => x.mul(w));
  expect(f(tensor([3])).item()).toBe(6);
  const next = tensor([5]);
  consume(w, next, "applyUpdates");
  w = next;
  expect(() => f(tensor([3]))).toThrowErrorMatchingInlineSnapshot(
    `[Error: compile: a value that the function takes from outside was consumed by applyUpdates since the function was recorded; make it an argument, or pass a clone(...) to applyUpdates]`,
  );
});

test("what looks outside while it is compiled runs as it is, and says why", () => {
  let draws = 0;
  const draw = () => {
    refuseTracing("draw: it draws");
    return ++draws;
  };
  const f = compile((x: Tensor) => x.mul(draw()));
  expect([f(tensor(1)).item(), f(tensor(1)).item()]).toEqual([1, 2]);
  expect(f.explain()).toContain("not compiled, because draw: it draws");
  expect(isTracing()).toBe(false);
});

test("a slice that is consumed keeps its own elements, wherever it begins", () => {
  const f = compile((x: Tensor) => doubled(x));
  for (let call = 0; call < 3; call++) {
    const matrix = tensor([
      [1, 2],
      [30, 40],
      [500, 600],
    ]);
    expect(f(matrix.slice([1])).toArray()).toEqual([60, 80]);
    expect(f(matrix.slice([2])).toArray()).toEqual([1000, 1200]);
    expect(matrix.slice([1]).toArray()).toEqual([30, 40]);
    const rows = compile((x: Tensor) => ({ a: x.slice([0]), b: x.slice([1]) }))(matrix);
    expect(f(rows.b).toArray()).toEqual([60, 80]);
  }
});

test("what comes from another backend has a plan of its own, and does not mix", () => {
  const other = createBackend();
  const f = compile((a: Tensor, b: Tensor) => a.mul(b));
  for (let call = 0; call < 2; call++) {
    expect(f(tensor([2, 3]), tensor([10, 10])).toArray()).toEqual([20, 30]);
    const [c, d] = [tensor([1, 2], { backend: other }), tensor([5, 7], { backend: other })];
    expect(f(c, d).toArray()).toEqual([5, 14]);
    expect(() => f(c, tensor([5, 7]))).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: mul: arguments a and b belong to different backends; make both on one, for example tensor(x, { backend })]`,
    );
  }
});

test("a result that is no tree is refused", () => {
  const later = compile(async (x: Tensor) => x.mul(2));
  expect(() => later(tensor([1]))).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: compile: a result is an instance of Promise, expected tensors in plain objects and arrays; what is compiled ends when it returns, so it cannot be asynchronous]`,
  );
  const named = compile((x: Tensor) => ({ all: new Map([["x", x.mul(2)]]) }) as never);
  expect(() => named(tensor([1]))).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: compile: a result is an instance of Map, expected tensors in plain objects and arrays]`,
  );
});
