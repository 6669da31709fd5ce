import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { apply, type OpDeclaration } from "../../src/extend.ts";
import {
  createBackend,
  div,
  type Mark,
  scope,
  Tape,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { consume } from "../../src/internal.ts";
import { liveView } from "../../src/ndarray.ts";

const f64 = (x: number | number[]) => tensor(x, { dtype: "float64" });

describe("watch", () => {
  test("leaves int32 tensors as they are, with another tree's slots or without", () => {
    scope(() => {
      const tape = new Tape();
      const n = tensor(Int32Array.of(1, 2));
      const first = tape.watch({ w: f64(2), n });
      expect(first.n).toBe(n);
      const second = tape.watch({ w: f64(3), n }, { as: first });
      expect(second.n).toBe(n);
      expect(tape.slots).toBe(1);
      expect(tape.gradient(second.w.square(), second).n.toArray()).toEqual([0, 0]);
    });
  });

  test("gives every leaf a slot, and those of another tree no new ones", () => {
    scope(() => {
      const tape = new Tape();
      const tree = () => ({ a: f64(1), b: [f64(2), f64(3)] });
      const first = tape.watch(tree());
      const other = tape.watch(tree());
      const second = tape.watch(tree(), { as: first });
      expect(tape.slots).toBe(6);
      const y = second.b[1]!.mul(5).add(other.b[1]!.mul(7)).add(first.b[1]!.mul(11));
      expect(tape.gradient(y, first).b[1]!.item()).toBe(16);
      expect(tape.gradient(y, second).b[1]!.item()).toBe(16);
      expect(tape.gradient(y, other).b[1]!.item()).toBe(7);
    });
  });

  test("as something that is no leaf of this tape throws, naming the path", () => {
    scope(() => {
      const tape = new Tape();
      const w = f64(1);
      const message = `watch: option "as" has no leaf watched by this tape at "w"`;
      const entry = tape.watch(f64(2)).exp();
      expect(() => tape.watch({ w }, { as: { w: entry } })).toThrow(message);
      expect(() => tape.watch({ w }, { as: { w: f64(2) } })).toThrow(message);
      expect(() => tape.watch({ w }, { as: new Tape().watch({ w: f64(2) }) })).toThrow(message);
    });
  });

  test("on a value that is gone, or a tape that has ended, throws", () => {
    const backend = createBackend();
    let gone: Tensor | undefined;
    const tape = scope(() => {
      gone = tensor([1], { backend });
      return { tape: new Tape() };
    }).tape;
    expect(() => new Tape().watch(gone)).toThrow("watch: Tensor float32 [1] is gone: the scope");
    expect(() => tape.watch(f64(1))).toThrow("watch: the tape has ended: the scope");
    expect(() => tape.mark()).toThrow("mark: the tape has ended: the scope");
  });

  test("in place of an earlier value lets that one go", () => {
    const backend = createBackend();
    scope(() => {
      const tape = new Tape();
      const values = () => tensor(new Float64Array(100), { backend });
      // Nobody but the tape holds what was made in a scope that has ended.
      const first = scope(() => tape.watch(values()));
      const before = backend.memory.bytesInUse;
      for (let i = 0; i < 10; i++) scope(() => tape.watch(values(), { as: first }));
      expect(backend.memory.bytesInUse).toBe(before);
      expect(() => first.exp()).toThrow(/is gone: the tape watches a later value in its place/);
    });
  });

  test("keeps a value that is consumed after it", () => {
    scope(() => {
      const tape = new Tape();
      const raw = f64([1, 2]);
      const x = tape.watch(raw);
      const y = x.square().sum();
      consume(raw, f64([3, 4]), "an update");
      expect(tape.gradient(y, x).toArray()).toEqual([2, 4]);
      expect(x.mul(2).toArray()).toEqual([2, 4]);
    });
  });

  test("beneath a tape that was opened later leaves that one's tracking in place", () => {
    scope(() => {
      const [outer, inner] = [new Tape(), new Tape()];
      const x = inner.watch(f64(3));
      const both = outer.watch(x);
      // d/dx x^3 by the inner, then by the outer tape.
      const first = inner.gradient(both.pow(3), x);
      expect(first.item()).toBe(27);
      expect(outer.gradient(first, both).item()).toBe(18);
      expect(() => outer.watch(both)).toThrow("is tracked by this tape already");
    });
  });
});

describe("nested tapes", () => {
  test("strip takes away one tape's tracking and no other's", () => {
    scope(() => {
      const [a, b, c] = [new Tape(), new Tape(), new Tape()];
      const plain = f64(3);
      const all = c.watch(b.watch(a.watch(plain)));
      const tapesOf = (x: Tensor): unknown[] => {
        const tapes: unknown[] = [];
        for (let value: Tensor | null = x; value !== null; value = value.primal) {
          if (value.tape !== null) tapes.push(value.tape);
        }
        return tapes;
      };
      expect(tapesOf(all)).toEqual([c, b, a]);
      expect(tapesOf(a.strip(all))).toEqual([c, b]);
      expect(tapesOf(b.strip(all))).toEqual([c, a]);
      expect(tapesOf(c.strip(all))).toEqual([b, a]);
      // What it does not track is returned as it is.
      const outermost = a.watch(f64(1));
      const innermost = c.watch(f64(1));
      expect(b.strip(plain)).toBe(plain);
      expect(b.strip(outermost)).toBe(outermost);
      expect(b.strip(innermost)).toBe(innermost);
    });
  });

  test("own and tracks look beneath the tapes that were opened later", () => {
    scope(() => {
      const [a, b] = [new Tape(), new Tape()];
      const x = a.watch(f64(2));
      const y = b.watch(x.exp());
      expect(a.own(y)).toBe(y.primal);
      expect([a.tracks(y), b.tracks(y), b.tracks(x), a.tracks(f64(1))]).toEqual([
        true,
        true,
        false,
        false,
      ]);
    });
  });
});

describe("what forget leaves is what the mark carries", () => {
  /** Chains of entries, a mark that carries some of those so far, and then forgetting up to it. */
  const rounds = fc.array(
    fc.record({ entries: fc.nat(4), carried: fc.array(fc.nat(20), { maxLength: 3 }) }),
    { minLength: 1, maxLength: 6 },
  );

  test("whatever was recorded and forgotten before", () => {
    const backend = createBackend();
    const plus = scope(() => tensor([1, 1], { backend }));
    fc.assert(
      fc.property(rounds, (plan) => {
        const before = backend.memory.bytesInUse;
        scope(() => {
          const tape = new Tape();
          const x = tape.watch(tensor([1, 2], { backend }));
          let usable: Tensor[] = [];
          let lost: Tensor[] = [];
          for (const { entries, carried } of plan) {
            for (let i = 0; i < entries; i++) usable.push((usable.at(-1) ?? x).sin());
            const kept = new Set(
              usable.length === 0 ? [] : carried.map((i) => usable[i % usable.length]!),
            );
            // A state may hold what is no entry of the tape as well.
            const mark = tape.mark({ kept: [...kept], x, constant: tensor(1, { backend }) });
            const { recorded } = tape.stats();
            tape.forget(mark);
            expect(tape.stats()).toMatchObject({ entries: 0, recorded });
            expect([tape.base, tape.position, mark.position]).toEqual([
              recorded,
              recorded,
              recorded,
            ]);
            lost = [...lost, ...usable.filter((y) => !kept.has(y))];
            usable = usable.filter((y) => kept.has(y));
            for (const y of usable) expect(y.add(plus).size).toBe(2);
            for (const y of lost) expect(() => y.add(plus)).toThrow(/tape.forget dropped/);
            // The additions above are entries too; a mark here drops them, and carries the same.
            tape.forget(tape.mark(usable));
          }
        });
        expect(backend.memory.bytesInUse).toBe(before);
      }),
      { numRuns: 50 },
    );
  });

  test("a mark is of use once: one that lies further back changes nothing", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64(2));
      const early = tape.mark();
      const h = x.exp();
      const late = tape.mark(h);
      tape.forget(late);
      tape.forget(early);
      tape.forget(late);
      expect(tape.gradient(x.mul(h), x).item()).toBe(Math.exp(2));
      // One at the same place that carries less lets go.
      tape.forget(tape.mark());
      const again = x.exp();
      expect(() => again.mul(h)).toThrow(/is gone: tape.forget dropped/);
    });
  });

  test("a view of what was forgotten is not carried with it", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64([1, 2]));
      const y = x.exp();
      const flat = y.reshape([2, 1]);
      tape.forget(tape.mark(y));
      expect(() => flat.exp()).toThrowErrorMatchingInlineSnapshot(
        `[Error: exp: Tensor float64 [2,1] was made by entry 1, which was forgotten (the tape now starts at entry 2); carry it over with mark(state) before forget(mark), or detach(...).clone() it before]`,
      );
    });
  });

  test("what is no mark is refused", () => {
    const tape = new Tape();
    expect(() => tape.forget(5 as unknown as Mark)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: forget: expected what mark() returned, got 5]`,
    );
    expect(() => tape.forget(new Tape().mark())).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: forget: the mark belongs to another tape; use one that this tape's mark() returned]`,
    );
  });
});

describe("a recorded sweep", () => {
  test("records nothing that depends on nothing", () => {
    scope(() => {
      const tape = new Tape();
      const x = tape.watch(f64([1, 2]));
      const h = x.exp();
      tape.forget(tape.mark(h));
      const y = x.mul(h).mul(f64([3, 4]));
      const before = tape.stats().recorded;
      const g = tape.gradient(y, x, { record: true, cotangent: f64([1, 1]) });
      // The gradient is 3 h and 4 h, of which h is constant now.
      expect(tape.stats().recorded).toBe(before);
      expect(tape.tracks(g)).toBe(false);
      const z = x.square();
      const first = tape.gradient(z, x, { record: true, cotangent: f64([1, 1]) });
      expect(tape.gradient(first.sum(), x).toArray()).toEqual([2, 2]);
    });
  });
});

describe("the end of a tape", () => {
  test("comes once, and everything goes with it", () => {
    const backend = createBackend();
    const tape = new Tape();
    const raw = tensor([1, 2], { backend });
    const before = backend.memory.bytesInUse;
    const x = tape.watch(raw);
    const h = x.exp();
    tape.forget(tape.mark(h));
    const y = h.mul(x);
    tape.end("the first reason");
    tape.end("the second");
    expect(backend.memory.bytesInUse).toBe(before);
    expect(() => y.add(1)).toThrow(/is gone: the first reason/);
    expect(() => h.add(1)).toThrow(/is gone: the first reason/);
    expect(() => x.mul(x)).toThrow("mul: the tape has ended: the first reason; make the tape");
    expect(raw.toArray()).toEqual([1, 2]);
  });
});

describe("a value that a rule reads must be as it was recorded", () => {
  // By the derivatives: of exp and tanh the rule reads the output, of sin and square the input, of
  // mul both inputs.
  test.each<[string, (a: Tensor, b: Tensor) => Tensor, reads: string]>([
    ["exp", (a) => a.exp(), "y"],
    ["sin", (a) => a.sin(), "a"],
    ["neg", (a) => a.neg(), ""],
    ["mul", (a, b) => a.mul(b), "ab"],
    ["sub", (a, b) => a.sub(b), ""],
    ["div", (a, b) => a.div(b), "by"],
  ])("%s", (name, f, reads) => {
    for (const changed of ["a", "b", "y"] as const) {
      scope(() => {
        const tape = new Tape();
        const raw = { a: f64([1, 2]), b: f64([3, 4]) };
        const watched = tape.watch(raw);
        const y = f(watched.a, watched.b);
        const value = changed === "y" ? tape.strip(y) : raw[changed];
        liveView(value);
        liveView(value);
        const sweep = () => tape.gradient(y, watched, { cotangent: f64([1, 1]) });
        if (reads.includes(changed)) {
          expect(sweep).toThrow(
            `gradient: ${name} (entry 0) needs its ${changed === "y" ? "output" : `input ${name === "mul" || name === "div" ? changed : "x"}`}, Tensor float64 [2], as it was recorded, but it was changed through a live view since; change a clone(...) instead, or record again`,
          );
        } else sweep();
      });
    }
  });

  test("changes of several values do not cancel, and the one that changed most is named", () => {
    const both: OpDeclaration = { ...(div.declaration as OpDeclaration), name: "both" };
    for (const residuals of [both.residuals, { inputs: "all", output: true } as const]) {
      scope(() => {
        const tape = new Tape();
        const raw = tape.watch([f64([1, 2]), f64([3, 4])] as const);
        const [a, b] = raw.map((x) => tape.strip(x)) as [Tensor, Tensor];
        const y = apply({ ...both, residuals }, raw, undefined);
        const sweep = () => tape.gradient(y, raw, { cotangent: f64([1, 1]) });
        sweep();
        liveView(tape.strip(y));
        liveView(b);
        expect(sweep).toThrow("both (entry 0) needs its input b, Tensor");
        liveView(tape.strip(y));
        expect(sweep).toThrow("both (entry 0) needs its output, Tensor");
        // The rules of a division do not read a; those that read everything do.
        for (let i = 0; i < 3; i++) liveView(a);
        const most = residuals.inputs === "all" ? "input a" : "output";
        expect(sweep).toThrow(`both (entry 0) needs its ${most}, Tensor`);
      });
    }
  });

  test("before it was recorded it may change as it likes", () => {
    scope(() => {
      const tape = new Tape();
      const raw = f64([1, 2]);
      const x = tape.watch(raw);
      x.square();
      liveView(raw).set(0, 5);
      expect(tape.gradient(x.square(), x, { cotangent: f64([1, 1]) }).toArray()).toEqual([10, 4]);
    });
  });
});
