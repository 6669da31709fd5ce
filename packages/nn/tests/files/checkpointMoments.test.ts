import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { loadCheckpoint, saveCheckpoint } from "../../src/node.ts";

/** Calls of the file system until the process is no more; none after that happens. */
const life = vi.hoisted(() => ({ left: Number.POSITIVE_INFINITY }));

vi.mock("node:fs/promises", async (original) => {
  const fs = await original<typeof import("node:fs/promises")>();
  const forever = new Promise<never>(() => {});
  const isOver = () => life.left-- <= 0;
  const mortal =
    <Args extends unknown[], T>(call: (...args: Args) => Promise<T>) =>
    (...args: Args) =>
      isOver() ? forever : call(...args);
  return {
    ...fs,
    link: mortal(fs.link),
    rename: mortal(fs.rename),
    rm: mortal(fs.rm),
    async open(path: string, flags: string) {
      if (isOver()) return forever;
      const file = await fs.open(path, flags);
      const write = file.writeFile.bind(file);
      file.writeFile = async (data) => {
        if (!isOver()) return write(data);
        // Some of it reached the disk.
        const bytes = data as Uint8Array;
        await write(bytes.subarray(0, bytes.length / 2));
        return forever;
      };
      file.sync = mortal(file.sync.bind(file));
      return file;
    },
  };
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "chronograd-"));
});
afterEach(async () => {
  life.left = Number.POSITIVE_INFINITY;
  await rm(folder, { recursive: true });
});

const save = (path: string, window: number) => saveCheckpoint(path, { window });
const load = (path: string) =>
  loadCheckpoint<{ window: number }>(path).then(
    ({ window }) => window,
    () => "none",
  );

/** What stands there first, and what the two files hold after one kill or the other. */
const cases: readonly [string, (path: string) => Promise<void>, readonly string[]][] = [
  ["no file", async () => {}, ["none, previous none", "3, previous none"]],
  ["one file", (path) => save(path, 1), ["1, previous none", "1, previous 1", "3, previous 1"]],
  [
    "two files",
    async (path) => {
      await save(path, 1);
      await save(path, 2);
    },
    ["2, previous 1", "2, previous 2", "3, previous 2"],
  ],
  [
    "a damaged file, and a whole one before it",
    async (path) => {
      await save(path, 1);
      await save(path, 2);
      await writeFile(path, (await readFile(path)).subarray(0, -1));
    },
    ["none, previous 1", "3, previous 1"],
  ],
];

test.each(cases)(
  "killed at any moment, one of two files is whole: %s",
  async (_what, prepare, expected) => {
    const found: string[] = [];
    for (let moment = 0, isOver = false; !isOver; moment++) {
      const path = join(folder, String(moment), "a");
      await mkdir(dirname(path));
      await prepare(path);
      life.left = moment;
      const saved = save(path, 3).then(() => true);
      const killed = vi.waitUntil(() => life.left < 0, { interval: 1 }).then(() => false);
      isOver = await Promise.race([saved, killed]);
      life.left = Number.POSITIVE_INFINITY;
      const both = `${await load(path)}, previous ${await load(`${path}.previous`)}`;
      if (both !== found.at(-1)) found.push(both);
    }
    expect(found).toEqual(expected);
  },
);
