import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type CpuTimes,
  cpuTimes,
  loadBetween,
  type ProcessTimes,
  readProcess,
  readStat,
  secondsOf,
} from "../load.ts";

describe("load", () => {
  it("reads the first line of /proc/stat: idle times are not busy, guests are in user", () => {
    const stat = "cpu  100 20 30 9000 800 4 6 50 70 8\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
    expect(readStat(stat)).toEqual({ busy: 1.6, stolen: 0.5 });
  });

  it("reads a process whose name has spaces and parentheses", () => {
    const fields = "S 41 7 7 0 -1 4194304 900 0 0 0 150 50 30 20 20 0 1 0 5000";
    expect(readProcess(`42 (a) S (b 1) ${fields}`)).toEqual({ pid: 42, parent: 41, seconds: 2.5 });
  });

  it("counts the same before and after a process ended, which its parent then has", () => {
    const times = fc.array(fc.nat(1000), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(times, fc.nat(), fc.infiniteStream(fc.nat()), (spent, chosen, parents) => {
        // A tree: process i + 1 has a parent among those before it.
        const all = spent.map(
          (seconds, i): ProcessTimes => ({
            pid: i + 10,
            parent: i === 0 ? 1 : 10 + (parents.next().value! % i),
            seconds,
          }),
        );
        const strangers = [
          { pid: 1, parent: 0, seconds: 77 },
          { pid: 2, parent: 1, seconds: 5 },
        ];
        const total = spent.reduce((sum, seconds) => sum + seconds, 0);
        expect(secondsOf(10, [...all, ...strangers])).toBe(total);
        const leaves = all.slice(1).filter(({ pid }) => all.every(({ parent }) => parent !== pid));
        const ended = leaves[chosen % leaves.length]!;
        const left = all
          .filter((one) => one !== ended)
          .map((one) =>
            one.pid === ended.parent ? { ...one, seconds: one.seconds + ended.seconds } : one,
          );
        expect(secondsOf(10, [...strangers, ...left.reverse()])).toBe(total);
      }),
      { seed: 15, numRuns: 100 },
    );
  });

  it("is the share of all cores that was not the benchmark's", () => {
    const from: CpuTimes = { at: 10, busy: 100, stolen: 5, own: 40 };
    const to: CpuTimes = { at: 20, busy: 112, stolen: 6, own: 47 };
    // 12 s of CPU, of which 7 are its own, and 1 stolen, in 10 s of two cores.
    expect(loadBetween(from, to, 2)).toEqual({ others: 0.25, stolen: 0.05 });
    // The kernel rounds times to ticks: no share is below 0.
    expect(loadBetween(from, { ...to, own: 60 }, 2)?.others).toBe(0);
    expect(loadBetween(from, from, 2)).toEqual({ others: 0, stolen: 0 });
    expect(loadBetween(undefined, to, 2)).toBeUndefined();
  });

  it.runIf(process.platform === "linux")("counts this process's own work as its own", () => {
    const from = cpuTimes()!;
    const until = performance.now() + 150;
    let x = 0;
    while (performance.now() < until) x = Math.sin(x + 1);
    const to = cpuTimes()!;
    expect(to.own - from.own).toBeGreaterThan(0.01);
    expect(to.busy).toBeGreaterThanOrEqual(from.busy);
  });
});
