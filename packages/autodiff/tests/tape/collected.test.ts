import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { createBackend, Tape, type Tensor, tensor } from "../../src/index.ts";

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
