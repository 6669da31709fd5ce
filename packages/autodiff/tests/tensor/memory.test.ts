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
import { Memory } from "../../src/kernels/memory.ts";

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

test("the allocator never hands out overlapping blocks, and reuses what came back", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ bytes: fc.integer({ min: 0, max: 5000 }), release: fc.boolean() }), {
        maxLength: 60,
      }),
      (requests) => {
        const memory = new Memory();
        const live: { pointer: number; bytes: number }[] = [];
        for (const { bytes, release } of requests) {
          const pointer = memory.allocate(bytes);
          expect(pointer % 16).toBe(0);
          for (const other of live) {
            const apart =
              pointer + bytes <= other.pointer || other.pointer + other.bytes <= pointer;
            expect(apart || bytes === 0 || other.bytes === 0).toBe(true);
          }
          expect(pointer + bytes).toBeLessThanOrEqual(memory.wasm.buffer.byteLength);
          live.push({ pointer, bytes });
          if (release) {
            const { pointer: p, bytes: b } = live.shift()!;
            memory.release(p, b);
          }
        }
        for (const { pointer, bytes } of live) memory.release(pointer, bytes);
        expect(memory.bytesInUse).toBe(0);
      },
    ),
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

test("memory is there for every block, whatever is asked for, until it is full", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 2 ** 20, max: 2 ** 29 }), { minLength: 1, maxLength: 9 }),
      (sizes) => {
        const memory = new Memory();
        const fill = (bytes: number): void => {
          const { bytesInUse } = memory;
          let pointer: number;
          try {
            pointer = memory.allocate(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
            expect(memory.bytesInUse).toBe(bytesInUse);
            return;
          }
          // Pages that nobody touches cost nothing.
          const end = pointer + bytes;
          memory.views.uint8[end - 1] = 1;
          expect(memory.views.uint8[end - 1]).toBe(1);
          // In 32 bits, an end at 2^32 would come before every address.
          expect(end).toBeLessThan(2 ** 32);
        };
        for (let i = 0; i < 32; i++) fill(sizes[i % sizes.length]!);
        for (let bytes = 2 ** 31; bytes >= 2 ** 14; bytes /= 2) fill(bytes);
        expect(() => memory.allocate(2 ** 16)).toThrow(RangeError);
      },
    ),
    { numRuns: 5 },
  );
});

test("a refusal says how much is free in blocks of other sizes", () => {
  const memory = new Memory();
  const [block] = [memory.allocate(2 ** 20), memory.allocate(2 ** 21)];
  memory.release(block!, 2 ** 20);
  expect(() => memory.allocate(2 ** 32)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: memory: 2 MiB are in use, 1 MiB are free in blocks of other sizes, and 4096 MiB more cannot be had; wrap loop bodies in scope(() => ...) so that intermediate values are returned, or forget older parts of the tape]`,
  );
  expect(memory.allocate(2 ** 20)).toBe(block);
});

test("the peak of a call is the most in use during it, in nested calls too", () => {
  const memory = new Memory();
  const block = 64;
  const stack: number[] = [];
  const use = (change: number) => {
    for (; change > 0; change--) stack.push(memory.allocate(block));
    for (; change < 0 && stack.length > 0; change++) memory.release(stack.pop()!, block);
  };
  type Step = number | { call: Step[]; throws: boolean };
  const step = fc.letrec<{ step: Step; call: Step }>((tie) => ({
    step: fc.oneof({ depthSize: "small" }, fc.integer({ min: -6, max: 6 }), tie("call")),
    call: fc.record({ call: fc.array(tie("step"), { maxLength: 6 }), throws: fc.boolean() }),
  })).step;
  /** Runs the steps and tells the most blocks that were in use, counted after each. */
  const run = (steps: readonly Step[]): number => {
    let most = stack.length;
    for (const what of steps) {
      if (typeof what === "number") use(what);
      else {
        let inside = 0;
        const body = () => {
          inside = run(what.call);
          if (what.throws) throw new Error("stop");
        };
        if (what.throws) expect(() => memory.peakDuring(body)).toThrow("stop");
        else expect(memory.peakDuring(body)).toBe(block * inside);
        most = Math.max(most, inside);
      }
      most = Math.max(most, stack.length);
    }
    return most;
  };
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      memory.peakBytes = memory.bytesInUse;
      const most = run(steps);
      expect(memory.peakBytes).toBe(block * most);
    }),
  );
});

test("the peak of an asynchronous call is refused", () => {
  expect(() => new Memory().peakDuring(async () => 1)).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: peakDuring: the body returned a promise, and the measurement ends when the body returns; measure inside the asynchronous code instead]`,
  );
});

test("sizeOf tells what an allocation takes", () => {
  const memory = new Memory();
  const powers = fc.integer({ min: 0, max: 27 }).map((power) => 2 ** power);
  const bytes = fc.oneof(
    fc.tuple(powers, fc.integer({ min: -1, max: 1 })).map(([power, more]) => power + more),
    fc.integer({ min: 0, max: 2 ** 28 }),
  );
  fc.assert(
    fc.property(bytes, (n) => {
      const before = memory.bytesInUse;
      const pointer = memory.allocate(n);
      expect(memory.bytesInUse - before).toBe(Memory.sizeOf(n));
      expect(Memory.sizeOf(n)).toBeGreaterThanOrEqual(n);
      expect(Memory.sizeOf(n)).toBeLessThan(Math.max(65, 1.25 * n + 1));
      memory.release(pointer, n);
    }),
  );
  // Above the address space too, where a budget is compared with what is needed.
  for (const n of [2 ** 32, 2 ** 40 - 1, 2 ** 40, 2 ** 40 + 1]) {
    expect(Memory.sizeOf(n) / n).toBeGreaterThanOrEqual(1);
    expect(Memory.sizeOf(n) / n).toBeLessThan(1.25 + 1e-9);
  }
});
