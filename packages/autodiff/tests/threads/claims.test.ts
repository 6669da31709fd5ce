import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { bytesFor, claimTask, mostTasks, postJob, word } from "../../src/threads/words.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** Runs `between` before each of these operations, as other threads may. */
function interleave(between: () => void): void {
  for (const name of ["load", "store", "compareExchange"] as const) {
    const original = Atomics[name] as (...args: unknown[]) => unknown;
    vi.spyOn(Atomics, name).mockImplementation(((...args: unknown[]) => {
      between();
      return original(...args);
    }) as never);
  }
}

test("each task of each job is claimed once, whoever comes late, between any two operations", () => {
  const draws = fc.infiniteStream(fc.nat({ max: 999 }));
  fc.assert(
    fc.property(draws, (random) => {
      const draw = (n: number) => (random.next().value as number) % n;
      const words = new Int32Array(bytesFor(4) / 4);
      /** By epoch: how often each task was claimed; the number of tasks that are done. */
      const jobs: { readonly claims: number[]; done: number }[] = [];
      let depth = 0;
      let isPosting = false;
      const post = (): void => {
        const job = jobs.at(-1);
        if (isPosting || (job !== undefined && job.done < job.claims.length)) return;
        const tasks = 1 + draw(5);
        isPosting = true;
        jobs.push({ claims: Array.from({ length: tasks }, () => 0), done: 0 });
        postJob(words, jobs.length, [1, 1, 0, tasks, 0, 0, 4, 0]);
        isPosting = false;
      };
      /** A thread that has read an epoch at some time, and then what the job is at some other. */
      const claim = (): void => {
        if (words[word.epoch] === 0) return;
        const epoch = Math.max(1, words[word.epoch]! - (draw(3) === 0 ? draw(4) : 0));
        const isCurrent = epoch === words[word.epoch];
        const tasks = isCurrent ? jobs[epoch - 1]!.claims.length : 1 + draw(mostTasks);
        const task = claimTask(words, epoch, tasks);
        if (task < 0) return;
        jobs[epoch - 1]!.claims[task]!++;
        others();
        jobs[epoch - 1]!.done++;
      };
      const others = (): void => {
        if (depth >= 6) return;
        depth++;
        if (draw(3) === 0) post();
        else if (draw(2) === 0) claim();
        depth--;
      };
      interleave(others);
      for (let i = 0; i < 60; i++) (draw(2) === 0 ? post : claim)();
      vi.restoreAllMocks();
      for (const [i, { claims }] of jobs.entries()) {
        const isLast = i === jobs.length - 1;
        expect(claims.every((n) => n === 1 || (isLast && n === 0))).toBe(true);
      }
    }),
    { numRuns: 300 },
  );
});
