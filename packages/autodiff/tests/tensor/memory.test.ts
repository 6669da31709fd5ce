import fc from "fast-check";
import { expect, test } from "vitest";
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
import { consume, giveOwner, Region, within } from "../../src/internal.ts";

/** A backend, and the bytes that its values hold: without what its kernels keep for themselves. */
function measured() {
  const backend = createBackend();
  const idle = backend.memory.bytesInUse;
  return { backend, held: () => backend.memory.bytesInUse - idle };
}

test("a scope returns all but its result", () => {
  const backend = createBackend();
  const x = tensor([1, 2, 3], { backend });
  const before = backend.memory.bytesInUse;
  const y = scope(() => {
    const a = x.exp();
    const b = a.mul(a).sub(x);
    return { part: b.sum(), name: "kept" };
  });
  expect(backend.memory.bytesInUse - before).toBe(64);
  expect(y.part.item()).toBeGreaterThan(0);
  expect(y.name).toBe("kept");
});

test("what a scope made inside another returns lives as long as the outer one", () => {
  const { backend, held } = measured();
  let escaped: Tensor | undefined;
  scope(() => {
    const x = tensor([1, 2, 3], { backend });
    const y = scope(() => x.exp().neg());
    expect(y.toArray()).toHaveLength(3);
    escaped = y;
  });
  expect(held()).toBe(0);
  expect(() => escaped!.add(1)).toThrowErrorMatchingInlineSnapshot(
    `[Error: add: argument x: Tensor float32 [3] is gone: the scope it was made in has ended; return it from the scope to keep it]`,
  );
});

test("a scope ends when its body throws", () => {
  const { backend, held } = measured();
  expect(() =>
    scope(() => {
      zeros([1000], { backend }).exp();
      throw new Error("stop");
    }),
  ).toThrow("stop");
  expect(held()).toBe(0);
});

test("an asynchronous body is refused", () => {
  expect(() => scope(async () => 1)).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: scope: the body returned a promise, and a scope ends when its body returns; open the scope inside the asynchronous code instead]`,
  );
});

test("gradients of a loop leave memory where they found it", () => {
  const backend = createBackend();
  const x = tensor([0.1, 0.2, 0.3], { backend });
  const f = (z: Tensor) => z.tanh().matmul(z).exp().mul(z).sum();
  const step = () => scope(() => void grad((z: Tensor) => grad(f)(z).square().sum())(x));
  step();
  const use = backend.memory.bytesInUse;
  const { byteLength } = backend.memory.wasm.buffer;
  for (let i = 0; i < 200; i++) step();
  expect(backend.memory.bytesInUse).toBe(use);
  expect(backend.memory.wasm.buffer.byteLength).toBe(byteLength);
});

test("a sweep's peak is far below the sum of its cotangents", () => {
  const backend = createBackend();
  scope(() => {
    const tape = new Tape();
    const x = tape.watch(zeros([1000], { backend }));
    let y: Tensor = x;
    for (let i = 0; i < 100; i++) y = y.sin();
    const target = y.sum();
    const before = backend.memory.bytesInUse;
    backend.memory.peakBytes = before;
    tape.gradient(target, x);
    expect(backend.memory.peakBytes - before).toBeLessThan(6 * 4096);
  });
});

test("a pullback may be called again while its scope lasts", () => {
  scope(() => {
    const [, pullback] = vjp((x: Tensor) => x.square(), tensor([1, 2]));
    expect(pullback(tensor([1, 0])).toArray()).toEqual([2, 0]);
    expect(pullback(tensor([0, 1])).toArray()).toEqual([0, 4]);
  });
});

test("a consumed value throws with the remedy, and its bytes go back unless a tape needs them", () => {
  const { backend, held } = measured();
  scope(() => {
    const old = tensor([1, 2], { backend });
    const tape = new Tape();
    const watched = tape.watch(old);
    const y = watched.square().sum();
    const next = old.mul(0.5);
    consume(old, next, "optimizer.update");
    expect(() => old.add(1)).toThrowErrorMatchingInlineSnapshot(
      `[Error: add: argument x: Tensor float32 [2] is gone: optimizer.update consumed it; use what that call returned, or pass clone(...) to keep the old value]`,
    );
    expect(tape.gradient(y, watched).toArray()).toEqual([2, 4]);
    const use = backend.memory.bytesInUse;
    tape.forget(tape.mark());
    expect(backend.memory.bytesInUse).toBeLessThan(use);
  });
  expect(held()).toBe(0);
});

test("values computed from a window's values live as long as the window", () => {
  const { backend, held } = measured();
  const region = new Region(true);
  const inside = within(region, () => tensor([1, 2], { backend }));
  const derived = inside.mul(3).add(1);
  const throughScope = scope(() => derived.neg().exp());
  const copy = derived.clone();
  region.end("the window is over");
  for (const value of [derived, throughScope]) {
    expect(() => value.exp()).toThrow("is gone: the window is over");
  }
  expect(copy.toArray()).toEqual([4, 7]);
  expect(held()).toBe(64);
});

test("place gives a value to the innermost region", () => {
  const { backend, held } = measured();
  const region = new Region();
  within(region, () => giveOwner(zeros([2], { backend })));
  region.end("done");
  expect(held()).toBe(0);
});

test("dropping blocks from a region in any order keeps the others", () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 0 }), (order) => {
      const { backend, held } = measured();
      const region = new Region();
      const values = within(region, () =>
        Array.from({ length: 8 }, (_, i) => tensor([i], { backend })),
      );
      const blocks = values.map(({ block }) => block);
      for (const i of order) region.drop(blocks[i]!, "dropped");
      for (const [i, value] of values.entries()) {
        if (order.includes(i)) expect(() => value.item()).toThrow("dropped");
        else expect(value.item()).toBe(i);
      }
      region.end("over");
      expect(held()).toBe(0);
    }),
    { numRuns: 50 },
  );
});

test("a loop inside a scope may consume what an inner scope returned", () => {
  const { backend, held } = measured();
  scope(() => {
    let x = tensor([1, 2], { backend });
    const use: number[] = [];
    for (let i = 0; i < 20; i++) {
      const before = x;
      x = scope(() => before.mul(0.5));
      consume(before, x, "update");
      use.push(held());
    }
    expect(new Set(use.slice(1)).size).toBe(1);
  });
  expect(held()).toBe(0);
});

test("a value from outside that passes through scopes is held once", () => {
  const { backend, held } = measured();
  const x = tensor([1, 2], { backend });
  scope(() => scope(() => x));
  scope(() => [x, x]);
  const next = x.neg();
  consume(x, next, "update");
  expect(held()).toBe(64);
});

test("the gradients of a batched product need no array larger than an operand", () => {
  const backend = createBackend();
  scope(() => {
    const tape = new Tape();
    const [a, w] = tape.watch([zeros([64, 16, 32], { backend }), zeros([32, 32], { backend })]);
    const [stretched, b] = tape.watch([
      zeros([1, 16, 32], { backend }),
      zeros([64, 32, 8], { backend }),
    ]);
    const cases: [Tensor, readonly Tensor[]][] = [
      [a!.matmul(w!), [a!, w!]],
      [stretched!.matmul(b!), [stretched!, b!]],
    ];
    for (const [y, operands] of cases) {
      const cotangent = zeros(y.shape, { backend });
      for (const x of operands) {
        const before = backend.memory.bytesInUse;
        backend.memory.peakBytes = before;
        tape.gradient(y, x, { cotangent });
        // The gradient itself, within the rounding of a size class.
        expect(backend.memory.peakBytes - before).toBeLessThanOrEqual(1.25 * 4 * x.size);
      }
    }
  });
});
