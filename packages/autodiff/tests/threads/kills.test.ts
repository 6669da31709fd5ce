import { Worker } from "node:worker_threads";
import { createBackend } from "@chronograd/autodiff";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { ThreadPool } from "../../src/threads/pool.ts";
import { Counting } from "./handmade.ts";
import { given, model, planned, run } from "./sharded.ts";

const threads = new Set<Worker>();
const note = (thread: Worker): void => {
  threads.add(thread);
  thread.once("exit", () => threads.delete(thread));
};
beforeAll(() => {
  process.on("worker", note);
});
afterAll(() => {
  process.off("worker", note);
});
afterEach(() => {
  vi.restoreAllMocks();
});

test("threads that are ended at random moments change no bit, and leave nothing behind", async () => {
  const random = fc.sample(fc.nat({ max: 999 }), { numRuns: 1000, seed: 15 }).values();
  const draw = (n: number) => random.next().value! % n;
  let kills = 0;
  for (let backends = 0; backends < 7; backends++) {
    const backend = createBackend({ kernels: "simd" });
    const parts = [0, 1, 2, 3].map((i) => given(6, 16, 10 * i, backend));
    const expected = run(planned(model, parts[0]!, { count: 4, threads: 1, isFixed: true }), parts);
    const plan = planned(model, parts[0]!, { count: 4, threads: 4, isFixed: true });
    const pool = ThreadPool.of(backend) as ThreadPool;
    // Some are ended before they have started.
    const isEarly = backends % 2 === 0;
    while (!isEarly && !pool.isUp(4)) {
      expect(run(plan, parts).equals(expected)).toBe(true);
      await new Promise((done) => setTimeout(done, 1));
    }
    run(plan, parts);
    // The process tells of a thread in the next turn.
    await new Promise((done) => setImmediate(done));
    for (let ended = 0; ended < 3; ended++) {
      for (let i = draw(4); i > 0; i--) expect(run(plan, parts).equals(expected)).toBe(true);
      if (draw(2) === 0) await new Promise((done) => setTimeout(done, draw(4)));
      const alive = [...threads];
      void alive[draw(alive.length)]!.terminate();
      kills++;
      // Its end comes while the next runs go on.
      for (let i = 0; i < 3; i++) expect(run(plan, parts).equals(expected)).toBe(true);
    }
    expect(plan.explain()).toContain(
      "for each of 4 shards, on 4 threads, of which some are missing, because one was ended from outside",
    );
    // As the end of all tests would: those that are left go.
    await Promise.all([...threads].map((thread) => thread.terminate()));
  }
  expect(kills).toBe(21);
  expect(threads.size).toBe(0);
});

test("a thread takes no task from the moment when its end is asked for", async () => {
  // It comes as late as can be.
  vi.spyOn(Worker.prototype, "terminate").mockResolvedValue(1);
  const counting = await new Counting(2).up(2);
  const idle = new Int32Array(new SharedArrayBuffer(4));
  const slow = () => void Atomics.wait(idle, 0, 0, 10);
  counting.run(2, 2, 0, slow);
  expect(counting.pool.done).toBeGreaterThan(0);
  const { done } = counting.pool;
  await Promise.all([...threads].map((thread) => thread.terminate()));
  for (let i = 0; i < 5; i++) counting.run(2, 2, 0, slow);
  expect(counting.pool.done).toBe(done);
  await new Promise((over) => setTimeout(over, 10));
  expect(threads.size).toBe(0);
});

test("a thread that does not come back is told in a sentence, from then on", async () => {
  const counting = await new Counting(2).up(2);
  const idle = new Int32Array(new SharedArrayBuffer(4));
  const wait = Atomics.wait;
  const slow = () => void wait(idle, 0, 0, 20);
  vi.spyOn(Atomics, "wait").mockReturnValue("timed-out");
  const before = performance.now();
  // Three seconds, and fifty times what the slow task took here.
  expect(() => counting.run(2, 2, 2, slow)).toThrow(
    /^threads: a thread gave no answer for \d+ s, so it seems to be gone; start the program anew$/,
  );
  expect(performance.now() - before).toBeLessThan(1000);
  vi.restoreAllMocks();
  expect(() => counting.run(2, 2)).toThrow("a thread gave no answer");
  await Promise.all([...threads].map((thread) => thread.terminate()));
  expect(threads.size).toBe(0);
});
