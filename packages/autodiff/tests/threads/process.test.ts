import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const program = fileURLToPath(new URL("./process.ts", import.meta.url));
const isLinux = process.platform === "linux";

/** What a process says, its exit code, and how many ms it took. */
function outcome(name: string) {
  const flags = ["--conditions=@chronograd/source", "--no-warnings", "--expose-gc"];
  const start = performance.now();
  const options = { encoding: "utf8", timeout: 10_000 } as const;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...flags, program, name],
    options,
  );
  const took = performance.now() - start;
  const said = stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as unknown);
  return { said, status, stderr, took };
}

test.skipIf(!isLinux)(
  "threads without work take no time, and do not keep the process alive",
  () => {
    const { said, status, stderr, took } = outcome("idle");
    const [count, ticks, milliseconds] = said[0] as [number, number[], number];
    expect([stderr, status, count, ticks]).toEqual(["", 0, 2, [0, 0]]);
    expect(milliseconds).toBeLessThan(50);
    // It has ended by itself.
    expect(took - (said[1] as number)).toBeLessThan(1000);
  },
);

test("a process with a pool exits at once when it says so", () => {
  const { said, status, stderr, took } = outcome("exitsWhileAsleep");
  expect([stderr, status]).toEqual(["", 7]);
  expect(took - (said[0] as number)).toBeLessThan(1000);
});

test("a process exits while a thread computes", () => {
  const { said, status, stderr, took } = outcome("exitsWhileComputing");
  expect([stderr, status]).toEqual(["", 7]);
  expect(said[0]).toContain("threads: a thread gave no answer");
  expect(took).toBeLessThan(5000);
});

test.skipIf(!isLinux)("threads end with their backend, and with the worker that has it", () => {
  expect(outcome("dropped")).toMatchObject({ said: [2, 0], status: 0, stderr: "" });
  expect(outcome("inAWorker")).toMatchObject({ said: [true, 0], status: 0, stderr: "" });
});
