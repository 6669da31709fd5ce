import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createBackend, detach, grad, scope, Tape, type Tensor, tensor } from "../../src/index.ts";
import { liveView } from "../../src/ndarray.ts";

const f64 = (x: number | number[]) => tensor(x, { dtype: "float64" });

describe("gradient", () => {
  test("of a chain is the product of the derivatives", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64([0.5, -1.5]));
      const y = x.sin().exp().sum();
      const expected = [0.5, -1.5].map((v) => Math.exp(Math.sin(v)) * Math.cos(v));
      const found = tape.gradient(y, x).toArray() as number[];
      for (const [i, value] of found.entries()) expect(value).toBeCloseTo(expected[i]!, 14);
    });
  });

  test("adds up over every use of a value", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64([2, 3]));
      const y = x.mul(x).add(x).add(x).sum();
      expect(tape.gradient(y, x).toArray()).toEqual([6, 8]);
    });
  });

  test("is zero where nothing leads, and absent there when asked by path", () => {
    scope(() => {
      const tape = new Tape();
      const tree = tape.watch({ used: f64([1]), unused: f64([1, 2]) });
      const y = tree.used.mul(0).sum();
      expect(tape.gradient(y, tree).unused.toArray()).toEqual([0, 0]);
      expect([...tape.gradientIfReached(y, tree).keys()]).toEqual(["used"]);
    });
  });

  test("by an intermediate value", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64([3]));
      const h = x.square();
      const y = h.mul(x).sum();
      const [gh, gx] = tape.gradient(y, [h, x]);
      expect([gh!.item(), gx!.item()]).toEqual([3, 27]);
    });
  });

  test("of several scalars is the gradient of their sum", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64([1, 2]));
      const parts = [x.sum(), x.square().sum()];
      expect(tape.gradient(parts, x).toArray()).toEqual([3, 5]);
    });
  });

  test("may be taken again and again from one tape", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64([1, 2]));
      const y = x.exp().sum();
      expect(tape.gradient(y, x).toArray()).toEqual(tape.gradient(y, x).toArray());
    });
  });

  test("computes nothing that nobody asked for", () => {
    scope(() => {
      const tape = new Tape();
      const wanted = tape.watch(f64([1]));
      const other = tape.watch(f64([1]));
      const y = wanted.mul(other.exp()).sum();
      const before = tape.stats().entries;
      const gradient = tape.gradient(y, wanted, { record: true });
      // One product for g * exp(other), none for the exponential's own chain.
      expect(
        tape
          .print()
          .split("\n")
          .slice(before)
          .filter((line) => /exp|mul/.test(line)).length,
      ).toBe(1);
      expect(gradient.item()).toBeCloseTo(Math.E, 14);
    });
  });

  test("stops at detach and at integer outputs", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64([3, 1]));
      expect(tape.gradient(detach(x).mul(x).sum(), x).toArray()).toEqual([3, 1]);
      const picked = x.gather(x.argmax().reshape([1]));
      expect(tape.gradient(picked.sum(), x).toArray()).toEqual([1, 0]);
    });
  });
});

describe("time", () => {
  test("since a mark everything before is constant, but leaves vary", () => {
    scope(() => {
      const tape = new Tape();
      const w = tape.watch(f64(0.5));
      const h1 = w.mul(2);
      const cut = tape.mark();
      const h2 = w.mul(h1);
      expect(tape.gradient(h2, w).item()).toBe(2);
      expect(tape.gradient(h2, w, { since: cut }).item()).toBe(1);
    });
  });

  test("the gradient by the state at a cut", () => {
    scope(() => {
      const tape = new Tape();
      const w = tape.watch(f64(0.5));
      const h1 = w.mul(2);
      const cut = tape.mark(h1);
      const h2 = w.mul(h1).mul(3);
      const [byState] = tape.gradient(h2, [h1, w], { since: cut });
      expect(byState!.item()).toBe(1.5);
    });
  });

  test("forget drops entries, keeps what is carried, and frees the rest at once", () => {
    const backend = createBackend();
    const idle = backend.memory.bytesInUse;
    scope(() => {
      const tape = new Tape();
      const w = tape.watch(tensor(0.5, { dtype: "float64", backend }));
      let h: Tensor = tensor(0.9, { dtype: "float64", backend });
      let x: Tensor = h;
      const use: number[] = [];
      const made: Tensor[] = [];
      for (let t = 0; t < 50; t++) {
        x = w.mul(h);
        made.push(x);
        h = x.tanh();
        const cut = tape.mark(h);
        tape.forget(cut);
        use.push(backend.memory.bytesInUse);
        expect(tape.stats().entries).toBe(0);
      }
      expect(new Set(use.slice(5)).size).toBe(1);
      expect(h.item()).toBeGreaterThan(0);
      expect(() => made[10]!.exp()).toThrowErrorMatchingInlineSnapshot(
        `[Error: exp: argument x: Tensor float64 [] is gone: tape.forget dropped the part of the tape that made it; carry it over with mark(state), or clone() it before]`,
      );
      const next = w.mul(h);
      expect(tape.gradient(next, w).item()).toBe(h.item());
    });
    expect(backend.memory.bytesInUse).toBe(idle);
  });

  test("a value from before forget that the mark does not carry throws, naming its entry", () => {
    scope(() => {
      const tape = new Tape();
      const w = tape.watch(f64(2));
      const a = w.mul(3);
      const b = a.mul(w);
      const cut = tape.mark(b);
      a.mul(b);
      tape.forget(cut);
      expect(() => a.exp()).toThrowErrorMatchingInlineSnapshot(
        `[Error: exp: Tensor float64 [] was made by entry 0, which was forgotten (the tape now starts at entry 2); carry it over with mark(state) before forget(mark), or detach(...).clone() it before]`,
      );
    });
  });

  test("leaves watched as others share their gradient", () => {
    scope(() => {
      const tape = new Tape();
      const first = tape.watch({ w: f64(2) });
      const y = first.w.mul(10);
      const second = tape.watch({ w: f64(3) }, { as: first });
      const z = y.add(second.w.square());
      expect(tape.gradient(z, second).w.item()).toBe(16);
      expect(tape.gradient(z, first).w.item()).toBe(16);
    });
  });

  test("any cut of a chain gives the derivative of the part after it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.nat(11), (length, cutAt) => {
        scope(() => {
          const at = Math.min(cutAt, length - 1);
          const w = 0.8;
          const tape = new Tape();
          const leaf = tape.watch(f64(w));
          let x: Tensor = f64(0.9);
          let cut = tape.mark(x);
          for (let t = 0; t < length; t++) {
            if (t === at) cut = tape.mark(x);
            x = leaf.mul(x);
          }
          // x_T = w^T x_0, with x at the cut constant: d/dw w^n c = n w^(n-1) c.
          const n = length - at;
          const expected = n * w ** (n - 1) * 0.9 * w ** at;
          expect(tape.gradient(x, leaf, { since: cut }).item()).toBeCloseTo(expected, 12);
        });
      }),
    );
  });
});

test("stats count entries and bytes, each block once, in all and between marks", () => {
  scope(() => {
    const tape = new Tape();
    const x = tape.watch(f64(Array.from({ length: 100 }, () => 1)));
    const before = tape.mark();
    const y = x.exp();
    const between = tape.mark();
    y.mul(x).reshape([10, 10]);
    const { entries, recorded, bytes, ops, segments } = tape.stats([between, before]);
    expect([entries, recorded, bytes]).toEqual([3, 3, 2400]);
    expect(ops).toEqual({ exp: 1, mul: 1, reshape: 1 });
    expect(segments).toEqual([
      { entries: 0, bytes: 0 },
      { entries: 1, bytes: 1600 },
      { entries: 2, bytes: 800 },
    ]);
    tape.forget(between);
    expect(tape.stats([between])).toMatchObject({
      entries: 2,
      recorded: 3,
      segments: [{ entries: 0 }, { entries: 2 }],
    });
    expect(() => tape.stats([new Tape().mark()])).toThrow(
      /stats: the mark belongs to another tape/,
    );
  });
});

describe("guards", () => {
  test("a value changed through a live view after it was recorded", () => {
    scope(() => {
      const tape = new Tape();
      const raw = f64([1, 2]);
      const x = tape.watch(raw);
      const y = x.square().sum();
      liveView(raw).set(0, 5);
      expect(() => tape.gradient(y, x)).toThrowErrorMatchingInlineSnapshot(
        `[Error: gradient: square (entry 0) needs its input x, Tensor float64 [2], as it was recorded, but it was changed through a live view since; change a clone(...) instead, or record again]`,
      );
    });
  });

  test("a change that no rule reads is harmless", () => {
    scope(() => {
      const tape = new Tape();
      const raw = f64([1, 2]);
      const x = tape.watch(raw);
      const y = x.add(1).sum();
      liveView(raw).set(0, 5);
      expect(tape.gradient(y, x).toArray()).toEqual([1, 1]);
    });
  });

  test.each([
    ["a target that is no scalar", (tape: Tape, x: Tensor) => tape.gradient(x.exp(), x)],
    [
      "a tensor that is not on the tape",
      (tape: Tape, x: Tensor) => tape.gradient(x.sum(), { w: f64(1) }),
    ],
    [
      "a cotangent of another shape",
      (tape: Tape, x: Tensor) => tape.gradient(x.exp(), x, { cotangent: f64([1]) }),
    ],
    [
      "another tape's mark",
      (tape: Tape, x: Tensor) => tape.gradient(x.sum(), x, { since: new Tape().mark() }),
    ],
    ["watching twice", (tape: Tape, x: Tensor) => tape.watch(x)],
    [
      "a target that was forgotten",
      (tape: Tape, x: Tensor) => {
        const y = x.sum();
        tape.forget(tape.mark());
        tape.gradient(y, x);
      },
    ],
  ])("%s", (_name, act) => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64([1, 2]));
      expect(() => act(tape, x)).toThrowErrorMatchingSnapshot();
    });
  });

  test("recording after the tape's scope ended", () => {
    const kept = f64([1]);
    const x = scope(() => new Tape().watch(kept));
    expect(() => x.exp()).toThrowErrorMatchingInlineSnapshot(
      `[Error: exp: the tape has ended: the scope it was made in has ended; return it from the scope to keep it; make the tape in the scope that uses it, or detach(...) the value]`,
    );
  });
});

describe("two tapes", () => {
  test("do not know of each other", () => {
    scope(() => {
      const [one, two] = [new Tape(), new Tape()];
      const x = f64([3]);
      const [a, b] = [one.watch(x), two.watch(x)];
      const y = a.mul(b).sum();
      expect(one.gradient(y, a).item()).toBe(3);
      expect(two.gradient(y, b).item()).toBe(3);
    });
  });

  test("nest in either order of watching", () => {
    scope(() => {
      const [one, two] = [new Tape(), new Tape()];
      const inner = two.watch(f64([3]));
      const both = one.watch(inner);
      const y = both.square().sum();
      expect(one.gradient(y, both).item()).toBe(6);
      expect(two.gradient(y, inner).item()).toBe(6);
    });
  });

  test("derivatives of derivatives do not mix (perturbation confusion)", () => {
    // d/dx [x * d/dy (x + y)] at x = 1 is 1, not 2 (Siskind & Pearlmutter 2005).
    const f = grad((x: Tensor) => x.mul(grad((y: Tensor) => x.add(y))(f64(1))));
    expect(f(f64(1)).item()).toBe(1);
  });
});
