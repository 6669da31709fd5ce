import { describe, expect, test } from "vitest";
import {
  createBackend,
  grad,
  scope,
  Tape,
  type Tensor,
  tensor,
  vjp,
  zeros,
} from "../../src/index.ts";
import { consume } from "../../src/internal.ts";

/** A value whose scope has ended. */
function gone(backend = createBackend()): Tensor {
  let escaped: Tensor | undefined;
  scope(() => {
    escaped = tensor([1, 2, 3], { backend });
  });
  return escaped!;
}

describe("a value that is gone is never brought back", () => {
  test.each<[string, (dead: Tensor) => unknown]>([
    ["returned from a scope", (dead) => scope(() => dead)],
    ["watched", (dead) => new Tape().watch(dead)],
    ["detached", (dead) => scope(() => dead.detach().add(1))],
    ["read", (dead) => dead.toArray()],
    ["sliced", (dead) => dead.slice([[0, 1]])],
    [
      "taken for a cotangent",
      (dead) => {
        const tape = new Tape();
        const x = tape.watch(zeros([3], { backend: dead.backend }));
        return tape.gradient(x.neg(), x, { cotangent: dead });
      },
    ],
  ])("%s", (_how, use) => {
    const backend = createBackend();
    const dead = gone(backend);
    expect(() => use(dead)).toThrow(/is gone: the scope it was made in has ended/);
    const [p, q] = [tensor([5, 5, 5], { backend }), tensor([9, 9, 9], { backend })];
    expect(p.pointer).not.toBe(q.pointer);
    expect(p.toArray()).toEqual([5, 5, 5]);
  });

  test("a consumed value in a returned tree", () => {
    const old = tensor([1, 2]);
    const next = old.neg();
    consume(old, next, "update");
    expect(() => scope(() => ({ old, next }))).toThrow(/update consumed it/);
  });

  test("detached from a forgotten part of a tape", () => {
    const tape = new Tape();
    const h = tape.watch(tensor([1, 2])).exp();
    tape.forget(tape.mark());
    expect(() => scope(() => h.detach())).toThrow(/tape.forget dropped/);
  });
});

describe("a tape keeps what it watches", () => {
  test("after the handle that was watched is gone", () => {
    const tape = new Tape();
    const x = scope(() => tape.watch(tensor([1, 2, 3])));
    expect(tape.gradient(x.square().sum(), x).toArray()).toEqual([2, 4, 6]);
  });

  test("until it ends, and not a byte longer", () => {
    const backend = createBackend();
    const idle = backend.memory.bytesInUse;
    scope(() => {
      const tape = new Tape();
      const first = tape.watch({ w: tensor([1, 2], { backend }) });
      const second = tape.watch({ w: tensor([3, 4], { backend }) }, { as: first });
      second.w.mul(2);
    });
    expect(backend.memory.bytesInUse).toBe(idle);
  });

  test("and vjp's value does not depend on its pullback", () => {
    const [y] = scope(() => {
      const [value, pullback] = vjp((x: Tensor) => x.square(), tensor([3]));
      return [value, pullback(tensor([1]))];
    });
    expect(y!.toArray()).toEqual([9]);
  });
});

test("an op that throws leaves nothing behind", () => {
  const backend = createBackend();
  const x = zeros([2, 3], { backend });
  const before = backend.memory.bytesInUse;
  for (let i = 0; i < 20; i++) {
    expect(() => x.gather([5])).toThrow();
    expect(() => x.maximum(zeros([7], { backend }).add(0.123 + i))).toThrow();
    expect(() => x.pow(0.456 + i).matmul(x)).toThrow();
  }
  // What the test itself made outside of scopes: indices, zeros and powers.
  expect(scope(() => backend.memory.bytesInUse - before)).toBeLessThan(20 * 6 * 64 + 20 * 256);
});

test("a size beyond the address space is refused, and nothing is overwritten", () => {
  const backend = createBackend();
  const kept = tensor([1, 2, 3], { backend });
  expect(() => zeros([2 ** 30 + 16], { backend })).toThrow(/MiB more cannot be had/);
  expect(kept.toArray()).toEqual([1, 2, 3]);
});

describe("gradients that cannot be right throw", () => {
  const tape = () => new Tape();
  test.each<[string, () => unknown]>([
    [
      "of a target that is not on the tape",
      () => {
        const t = tape();
        const w = tensor(2);
        return t.gradient(w.square(), t.watch({ w }));
      },
    ],
    [
      "by an instance of a class",
      () =>
        grad((p: { w: Tensor }) => p.w.square())(
          new (class Params {
            w = tensor(3);
          })(),
        ),
    ],
    ["of a number", () => tape().watch(3 as unknown as Tensor)],
    [
      "with a cotangent of another dtype",
      () => {
        const t = tape();
        const x = t.watch(tensor([1, 2]));
        return t.gradient(x.neg(), x, { cotangent: tensor([1, 1], { dtype: "float64" }) });
      },
    ],
    [
      "with a cotangent that is an array",
      () => {
        const t = tape();
        const x = t.watch(tensor([1, 2]));
        return t.gradient([x.neg()], x, { cotangent: [[1, 1]] as unknown as Tensor[] });
      },
    ],
    [
      "of two leaves with one path",
      () => {
        const t = tape();
        const p = t.watch({ "a.b": tensor(3), a: { b: tensor(5) } });
        return t.gradient(p["a.b"], p);
      },
    ],
    [
      "on a tape that has ended",
      () => {
        const [t, x] = scope(() => {
          const inner = tape();
          return [inner, inner.watch(tensor(1))] as const;
        });
        return t.gradient(x, x);
      },
    ],
    [
      "by an outer tape that was opened later",
      () => {
        const [inner, outer] = [tape(), tape()];
        const xo = outer.watch(tensor(2));
        const xi = inner.watch(xo);
        return outer.gradient(inner.gradient(xi.pow(3), xi), xo);
      },
    ],
  ])("%s", (_what, act) => {
    expect(act).toThrowErrorMatchingSnapshot();
  });
});

test("the gradient by a carried value, for what came after forget", () => {
  scope(() => {
    const tape = new Tape();
    const w = tape.watch(tensor(3));
    const h = w.mul(2);
    tape.forget(tape.mark(h));
    expect(tape.gradient(w.mul(h), [h, w]).map((g) => g.item())).toEqual([3, 6]);
  });
});
