import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { compile, createBackend, Tape, type Tensor, tensor } from "../../src/index.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

test("a tape outside of scopes ends with the garbage collector", async () => {
  const backend = createBackend();
  const raw = tensor([1, 2, 3], { backend });
  const before = backend.memory.bytesInUse;
  const make = (): Tensor => {
    const tape = new Tape();
    const x = tape.watch(raw);
    return tape.strip(x.exp());
  };
  const value = make();
  expect(value.size).toBe(3);
  expect(backend.memory.bytesInUse).toBeGreaterThan(before);
  for (let i = 0; i < 50 && backend.memory.bytesInUse > before; i++) {
    collect();
    await setTimeout(1);
  }
  expect(backend.memory.bytesInUse).toBe(before);
  expect(() => value.add(1)).toThrow(/is gone: its tape was garbage-collected/);
});

test("a plan does not keep the values of the call that recorded it", async () => {
  const backend = createBackend();
  const f = compile((x: Tensor) => x.sum());
  const call = (n: number) => new WeakRef(f(tensor(new Float32Array(n), { backend })));
  for (const n of [1000, 2000, 3000]) for (let i = 0; i < 3; i++) call(n);
  const large = () => backend.memory.bytesInUse;
  const first = large();
  for (let i = 0; i < 50 && large() > first - 40_000; i++) {
    collect();
    await setTimeout(1);
  }
  expect(first - large()).toBeGreaterThan(40_000);
  expect(f.explain()).toContain("[3000]");
});
