import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmodSync, linkSync, mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { createBackend, type Tensor, tensor } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import { afterEach, beforeEach, expect, test } from "vitest";
import { rng } from "../../src/index.ts";
import { loadCheckpoint, saveCheckpoint, writeFileAtomic } from "../../src/node.ts";
import { encodeSafetensors } from "../../src/safetensors.ts";
import { bits } from "./trees.ts";

const seed = Number(process.env.CHRONOGRAD_SEED ?? 1);
const backend = createBackend({ kernels: referenceKernels });
const saver = fileURLToPath(new URL("./saver.ts", import.meta.url));
const isRoot = process.getuid?.() === 0;
let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "chronograd-"));
  path = join(folder, "a");
});
afterEach(() => rm(folder, { recursive: true }));

const failure = (attempt: Promise<unknown>) =>
  attempt.then(
    () => "no error",
    (error: Error) => error.message.replaceAll(folder, "FOLDER"),
  );
const load = (from = path) => loadCheckpoint<{ n: number; W: Tensor }>(from, { backend });
const node = (...args: readonly string[]) => ["--conditions=@chronograd/source", saver, ...args];

test("a flipped bit anywhere is refused, or the tree is bitwise right", async () => {
  const tree = { W: tensor([1.5, -0, Number.NaN], { backend }), list: [1, "two", { three: true }] };
  await saveCheckpoint(path, tree, { model: "m" });
  const whole = await readFile(path);
  const header = 8 + Number(whole.readBigUInt64LE());
  const end = whole.lastIndexOf("}", header) + 1;
  const at = (text: string) => whole.indexOf(text);
  const regions = [
    [0, 8],
    [8, at('sha256":"') + 9],
    [at('sha256":"') + 9, at('sha256":"') + 73],
    [at('sha256":"') + 73, at('"W":')],
    [at('"W":'), end],
    [end, header],
    [header, whole.length],
  ] as const;
  expect(regions.map(([start, stop]) => stop > start)).toEqual(Array(7).fill(true));
  const random = rng(seed, "flips");
  for (let i = 0; i < 1000; i++) {
    const [start, stop] = regions[i % regions.length]!;
    const flipped = Buffer.from(whole);
    const [byte, bit] = [random.integer(start, stop), random.integer(0, 8)];
    flipped[byte]! ^= 1 << bit;
    await writeFile(path, flipped);
    const outcome = await loadCheckpoint(path, { backend }).catch((error: Error) => error.message);
    if (typeof outcome === "string") expect(outcome).toMatch(/^loadCheckpoint: "[^"]*" is .+; /s);
    else expect(isDeepStrictEqual(bits(outcome), bits(tree)), `byte ${byte}, ${bit}`).toBe(true);
  }
});

test("a file that was cut off anywhere is refused", async () => {
  await saveCheckpoint(path, { n: 1, W: tensor([1, 2], { backend }) });
  const whole = await readFile(path);
  for (let length = 0; length < whole.length; length++) {
    await writeFile(path, whole.subarray(0, length));
    expect(await failure(load())).toMatch(/is empty|is damaged|is no checkpoint/);
  }
});

test("the sum is the sha256 of all other bytes, and the version counts", async () => {
  const file = (metadata: Record<string, string>) => {
    const bytes = encodeSafetensors({}, { "chronograd.sha256": "#".repeat(64), ...metadata });
    const text = Buffer.from(bytes).toString("latin1");
    const sum = createHash("sha256").update(text.replace(/#+/, ""), "latin1").digest("hex");
    return Buffer.from(text.replace(/#+/, sum), "latin1");
  };
  await writeFile(path, file({ "chronograd.checkpoint": "1", "chronograd.tree": "[1]" }));
  expect(await load()).toEqual([1]);
  await writeFile(path, file({ "chronograd.checkpoint": "2", "chronograd.tree": "[1]" }));
  expect(await failure(load())).toMatchInlineSnapshot(
    `"loadCheckpoint: "FOLDER/a" is a checkpoint of format version 2, not 1; read it with the release of @chronograd/nn that wrote it"`,
  );
  await writeFile(path, file({ other: "1" }));
  expect(await failure(load())).toMatchInlineSnapshot(
    `"loadCheckpoint: "FOLDER/a" is a checkpoint of format version undefined, not 1; read it with the release of @chronograd/nn that wrote it"`,
  );
  await writeFile(path, encodeSafetensors({ W: tensor([1], { backend }) }));
  expect(await failure(load())).toMatchInlineSnapshot(
    `"loadCheckpoint: "FOLDER/a" is no checkpoint: it is another safetensors file, which readSafetensors reads; pass a file that saveCheckpoint wrote"`,
  );
});

test("the last good checkpoint is kept, and named when the new one is damaged", async () => {
  for (const n of [1, 2, 3]) await saveCheckpoint(path, { n });
  expect((await readdir(folder)).sort()).toEqual(["a", "a.previous"]);
  expect([(await load()).n, (await load(`${path}.previous`)).n]).toEqual([3, 2]);
  const whole = await readFile(path);
  await writeFile(path, whole.subarray(0, -2));
  expect(await failure(load())).toMatchInlineSnapshot(
    `"loadCheckpoint: "FOLDER/a" is damaged: its sha256 is not that of its contents, so it was cut off or changed; copy it again, or begin a new run; the checkpoint before it is whole: load "FOLDER/a.previous""`,
  );
  // A damaged file does not take the place of the good one before it.
  await saveCheckpoint(path, { n: 4 });
  expect([(await load()).n, (await load(`${path}.previous`)).n]).toEqual([4, 2]);
  await rm(path);
  expect(await failure(load())).toMatchInlineSnapshot(
    `"loadCheckpoint: could not read "FOLDER/a": ENOENT, there is no such file; save one first, or correct the name; the checkpoint before it is whole: load "FOLDER/a.previous""`,
  );
  await writeFile(`${path}.previous`, "");
  expect(await failure(load())).toMatchInlineSnapshot(
    `"loadCheckpoint: could not read "FOLDER/a": ENOENT, there is no such file; save one first, or correct the name"`,
  );
  expect(await failure(load(`${path}.previous`))).toMatchInlineSnapshot(
    `"loadCheckpoint: "FOLDER/a.previous" is empty; copy it again, or begin a new run"`,
  );
});

test("one before that is of another model is no way out", async () => {
  for (const model of ["old", "new"]) await saveCheckpoint(path, {}, { model });
  await writeFile(path, "");
  const said = [];
  for (const model of ["old", "new"]) said.push(await failure(loadCheckpoint(path, { model })));
  expect(said).toMatchInlineSnapshot(`
    [
      "loadCheckpoint: "FOLDER/a" is empty; copy it again, or begin a new run; the checkpoint before it is whole: load "FOLDER/a.previous"",
      "loadCheckpoint: "FOLDER/a" is empty; copy it again, or begin a new run",
    ]
  `);
});

test("saves to one path at once wait for each other", async () => {
  const saves = Array.from({ length: 20 }, (_, n) =>
    saveCheckpoint(path, n === 7 ? { n: () => n } : { n }),
  );
  const results = await Promise.allSettled(saves);
  expect(results.flatMap(({ status }, n) => (status === "rejected" ? [n] : []))).toEqual([7]);
  expect([(await load()).n, (await load(`${path}.previous`)).n]).toEqual([19, 18]);
  expect((await readdir(folder)).sort()).toEqual(["a", "a.previous"]);
});

test("what cannot be written is a sentence, and everything stays as it was", async () => {
  await saveCheckpoint(path, { n: 1 });
  await writeFile(join(folder, "text"), "text that somebody wrote");
  await saveCheckpoint(join(folder, "b"), { n: 1 });
  mkdirSync(join(folder, "b.previous"));
  const before = await readdir(folder);
  const said = [];
  for (const name of ["no/a", "a/b", "", "text", "b"]) {
    said.push(await failure(saveCheckpoint(join(folder, name), { n: 2 })));
  }
  expect(said).toMatchInlineSnapshot(`
    [
      "saveCheckpoint: could not write "FOLDER/no/a": ENOENT, its folder does not exist; make it first, with mkdir",
      "saveCheckpoint: could not write "FOLDER/a/b": ENOTDIR, its folder is a file; choose another one",
      "saveCheckpoint: could not write "FOLDER": EISDIR, it is a folder; choose another name",
      "saveCheckpoint: could not write "FOLDER/text": it holds something else than a checkpoint; choose another name",
      "saveCheckpoint: could not write "FOLDER/b": an earlier one could not be kept: could not write "FOLDER/b.previous": EISDIR, it is a folder; choose another name",
    ]
  `);
  expect(await readdir(folder)).toEqual(before);
  expect((await load(join(folder, "b"))).n).toBe(1);
  expect(await readFile(join(folder, "text"), "utf8")).toBe("text that somebody wrote");
});

test("a folder that may not be written, and a file that may not be read", async () => {
  await saveCheckpoint(path, { n: 1 });
  chmodSync(folder, 0o555);
  // Root may write everywhere, so that another user must try.
  const user = isRoot ? { uid: 65534, gid: 65534 } : {};
  const child = spawnSync(process.execPath, node(path, "1", "1"), { ...user, encoding: "utf8" });
  const [, said] = child.stdout.split("\n");
  expect(said!.replaceAll(folder, "FOLDER") + child.stderr).toMatchInlineSnapshot(
    `"saveCheckpoint: could not write "FOLDER/a": EACCES, this process may not; change the permissions, or choose another folder"`,
  );
  expect([await readdir(folder), (await load()).n]).toEqual([["a"], 1]);
  chmodSync(folder, 0o755);
});

const tmpfs = (at: string, size: string) => {
  mkdirSync(at);
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", at], { stdio: "ignore" });
  return () => {
    execFileSync("umount", [at]);
  };
};

test("a full disk is a sentence, and everything stays as it was", async ({ skip }) => {
  const disk = join(folder, "disk");
  let unmount = () => {};
  try {
    unmount = tmpfs(disk, "250k");
  } catch {
    skip("this process may not mount a small disk");
  }
  try {
    const on = join(disk, "a");
    const save = (n: number, elements: number) =>
      saveCheckpoint(on, { n, W: tensor(new Float32Array(elements), { backend }) });
    for (const n of [1, 2]) await save(n, 25_000);
    expect(await failure(save(3, 25_000))).toMatchInlineSnapshot(
      `"saveCheckpoint: could not write "FOLDER/disk/a": ENOSPC, the disk, a quota or a limit is full; free some space, and save again"`,
    );
    expect(await failure(save(3, 100_000))).toMatch(/ENOSPC/);
    expect((await readdir(disk)).sort()).toEqual(["a", "a.previous"]);
    expect([(await load(on)).n, (await load(`${on}.previous`)).n]).toEqual([2, 1]);
    await save(3, 10_000);
    expect([(await load(on)).n, (await load(`${on}.previous`)).n]).toEqual([3, 2]);
  } finally {
    unmount();
  }
});

test("a process may be killed at any moment, and what it left behind goes", async () => {
  const random = rng(seed, "kills");
  let abandoned = 0;
  for (let kill = 0; kill < 12; kill++) {
    const child = spawn(process.execPath, node(path, "500000"), {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    await new Promise((resolve) => setTimeout(resolve, 20 + random.integer(0, 100)));
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
    const names = await readdir(folder);
    abandoned += names.filter((name) => name.endsWith(".tmp")).length;
    for (const name of names.filter((each) => !each.endsWith(".tmp"))) {
      const { n, W } = await load(join(folder, name));
      expect(W.toArray<number[]>().every((x) => x === n)).toBe(true);
    }
    expect(names.includes("a") || !names.includes("a.previous")).toBe(true);
  }
  expect(abandoned).toBeGreaterThan(0);
  await saveCheckpoint(path, { n: 0 });
  expect((await readdir(folder)).sort()).toEqual(["a", "a.previous"]);
}, 30_000);

test("only what dead processes left beside this path is removed", async () => {
  const id = "00000000-0000-0000-0000-000000000000.tmp";
  const { pid: dead } = spawnSync(process.execPath, ["--version"]);
  const [ours, parent] = [process.pid, process.ppid];
  const sum = (name: string) => createHash("sha256").update(name).digest("hex").slice(0, 16);
  const a = sum("a");
  const stay = [
    `.${a}.${ours}.${id}`,
    `.${a}.${parent}.${id}`,
    `.a.${dead}.${id}`,
    `.${sum("b")}.${dead}.${id}`,
    `.${a}.b.${dead}.${id}`,
    `.${a}.1.${dead}.${id}`,
    `.${a}.${dead}.tmp`,
    `.${a}.${dead}.${id}.old`,
  ];
  for (const name of [...stay, `.${a}.${dead}.${id}`]) writeFileSync(join(folder, name), "");
  await writeFileAtomic(path, "text");
  expect((await readdir(folder)).sort()).toEqual([...stay, "a"].sort());
});

test("names of one file on the disk are told apart", async () => {
  for (const n of [1, 2]) await saveCheckpoint(path, { n });
  await rm(`${path}.previous`);
  linkSync(path, `${path}.previous`);
  await saveCheckpoint(path, { n: 3 });
  expect([(await load()).n, (await load(`${path}.previous`)).n]).toEqual([3, 2]);
  expect((await readdir(folder)).sort()).toEqual(["a", "a.previous"]);
});
