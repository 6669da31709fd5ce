import { describe, expect, test } from "vitest";
import { scope, Tape, tensor } from "../../src/index.ts";
import { capture, linesOf } from "../../src/tape/origin.ts";

const own = new URL("../../src/ops/apply.ts", import.meta.url).href;
const withStack = (...lines: string[]): Error =>
  Object.assign(new Error(), { stack: lines.join("\n") });

describe("the lines of a stack", () => {
  test.each<[string, string, string]>([
    ["V8, a function", "    at step (file:///home/me/model.ts:12:5)", "/home/me/model.ts"],
    ["V8, no function", "    at file:///home/me/model.ts:12:5", "/home/me/model.ts"],
    ["V8, asynchronous", "    at async file:///home/me/model.ts:12:5", "/home/me/model.ts"],
    ["V8, a path", "    at Cell.step (/home/me/model.ts:12:5)", "/home/me/model.ts"],
    ["V8, a path of Windows", "    at step (C:\\me\\model.ts:12:5)", "C:\\me\\model.ts"],
    ["Firefox and Safari", "step@https://me.net/model.js:12:5", "https://me.net/model.js"],
    [
      "V8, a scope",
      "    at f (file:///me/node_modules/@me/a.js:12:5)",
      "/me/node_modules/@me/a.js",
    ],
    ["V8, a name in words", "    at Cell.f [as step] (/home/me/a.ts:12:5)", "/home/me/a.ts"],
    ["V8, a folder in brackets", "    at f (/home/me (1)/@a/b.ts:12:5)", "/home/me (1)/@a/b.ts"],
    ["Firefox, a scope", "f@https://me.net/@me/a.js:12:5", "https://me.net/@me/a.js"],
    ["Safari, no function", "https://me.net/@me/a.js:12:5", "https://me.net/@me/a.js"],
    ["with a query", "    at step (file:///me/model.ts?v=1:12:5)", "/me/model.ts"],
    ["with a space", "    at step (file:///my%20model/a.ts:12:5)", "/my model/a.ts"],
  ])("%s", (_what, line, file) => {
    expect(linesOf(withStack("Error", line, "    at file:///other.ts:1:1"))).toEqual([
      { file, line: 12, column: 5 },
      { file: "/other.ts", line: 1, column: 1 },
    ]);
  });

  test("are those that are neither of this package nor of Node, from the inside out", () => {
    const stack = withStack(
      "Error: at mine",
      `    at apply (${own}:3:4)`,
      "    at node:internal/process/task_queues:95:5",
      "    at Array.map (<anonymous>)",
      "    at eval (eval at f (/me/model.ts:1:2), <anonymous>:1:1)",
      `    at apply (${own.replace("/src/", "/dist/")}:3:4)`,
      "    at step (file:///me/model.ts:7:8)",
      "    at train (file:///me/train.ts:9:10)",
    );
    expect(linesOf(stack)).toEqual([
      { file: "/me/model.ts", line: 7, column: 8 },
      { file: "/me/train.ts", line: 9, column: 10 },
    ]);
  });

  test("may be none", () => {
    expect(linesOf(withStack("Error", `    at apply (${own}:3:4)`))).toEqual([]);
    expect(linesOf(withStack())).toEqual([]);
    expect(linesOf(Object.assign(new Error(), { stack: undefined }) as unknown as Error)).toEqual(
      [],
    );
  });
});

describe("a captured stack", () => {
  test("is deep enough for ops, and leaves the limit as it was", () => {
    const before = Error.stackTraceLimit;
    const deep = (n: number): Error => (n === 0 ? capture() : deep(n - 1));
    Error.stackTraceLimit = 3;
    try {
      const frames = deep(40)
        .stack!.split("\n")
        .filter((line) => line.includes(" at "));
      expect(frames.length).toBeGreaterThanOrEqual(20);
      expect(Error.stackTraceLimit).toBe(3);
    } finally {
      Error.stackTraceLimit = before;
    }
  });

  test("is kept where it is asked for, and leads here", () => {
    scope(() => {
      const line = (tape: Tape) => {
        tape.watch(tensor([1, 2])).sin();
        const { stack } = tape.entries.at(0);
        return stack === undefined ? undefined : linesOf(stack)[0]?.file;
      };
      expect(line(new Tape({ trace: true }))).toMatch(/origin\.test\.ts$/);
      expect(line(new Tape({ trace: false }))).toBeUndefined();
      expect(line(new Tape({}))).toBeUndefined();
      expect(line(new Tape())).toBeUndefined();
    });
  });
});
