import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { lstatSync, mkdirSync, readlinkSync, symlinkSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createBackend, tensor } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  loadCheckpoint,
  readSafetensors,
  saveCheckpoint,
  writeFileAtomic,
} from "../../src/node.ts";
import { decodeSafetensors, encodeSafetensors, tensorsOf } from "../../src/safetensors.ts";

const backend = createBackend({ kernels: referenceKernels });
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
const names = async () => (await readdir(folder)).sort();
const loaded = async (from: string) => (await loadCheckpoint<{ n: number }>(from)).n;

/** What every function says to `at`, which is left alone. */
async function said(at: string): Promise<string[]> {
  const { ino, mode } = lstatSync(at);
  const all = [
    await failure(saveCheckpoint(at, { n: 1 })),
    await failure(loadCheckpoint(at)),
    await failure(readSafetensors(at)),
    await failure(writeFileAtomic(at, "text")),
    await failure(writeFileAtomic(at, "text", { overwrite: true })),
  ];
  expect(lstatSync(at)).toMatchObject({ ino, mode });
  return all;
}

test("a named pipe, and a link to it, are refused and stay", async () => {
  execFileSync("mkfifo", [path]);
  symlinkSync("a", join(folder, "link"));
  expect(await said(path)).toMatchInlineSnapshot(`
    [
      "saveCheckpoint: could not write "FOLDER/a": it is a named pipe, no regular file; choose another name",
      "loadCheckpoint: could not read "FOLDER/a": it is a named pipe, no regular file; choose another name",
      "readSafetensors: could not read "FOLDER/a": it is a named pipe, no regular file; choose another name",
      "writeFileAtomic: could not write "FOLDER/a": it is a named pipe, no regular file; choose another name",
      "writeFileAtomic: could not write "FOLDER/a": it is a named pipe, no regular file; choose another name",
    ]
  `);
  expect(new Set(await said(join(folder, "link")))).toHaveLength(5);
  expect(await said(join(folder, "link"))).toEqual(
    (await said(path)).map((each, i) => (i > 0 && i < 4 ? each.replace("/a", "/link") : each)),
  );
  expect(await names()).toEqual(["a", "link"]);
});

test("a socket and a device are refused and stay", async ({ skip }) => {
  const server = createServer().listen(path);
  await once(server, "listening");
  for (const each of await said(path)) expect(each).toMatch("it is a socket, no regular file;");
  server.close();
  const node = join(folder, "node");
  // The numbers of the device that takes everything and gives nothing.
  if (spawnSync("mknod", [node, "c", "1", "3"]).status !== 0) skip("only root makes devices");
  for (const each of await said(node)) expect(each).toMatch("it is a device, no regular file;");
});

test("a symbolic link stays, and its target is replaced", async () => {
  mkdirSync(join(folder, "far"));
  mkdirSync(join(folder, "near"));
  symlinkSync("near", join(folder, "nearby"));
  const link = join(folder, "nearby", "link");
  symlinkSync("../far/middle", link);
  // The target is still to be made, and the way to it has another link.
  symlinkSync(join(folder, "far", "b"), join(folder, "far", "middle"));
  for (const n of [1, 2]) await saveCheckpoint(link, { n });
  expect(readlinkSync(link)).toBe("../far/middle");
  expect((await readdir(join(folder, "far"))).sort()).toEqual(["b", "b.previous", "middle"]);
  expect(await readdir(join(folder, "near"))).toEqual(["link"]);
  expect([await loaded(link), await loaded(join(folder, "far", "b.previous"))]).toEqual([2, 1]);
  // The one before it stands beside the target.
  await writeFile(link, "");
  expect(await failure(loadCheckpoint(link))).toMatchInlineSnapshot(
    `"loadCheckpoint: "FOLDER/nearby/link" is empty; copy it again, or begin a new run; the checkpoint before it is whole: load "FOLDER/far/b.previous""`,
  );
  await writeFileAtomic(link, "text", { overwrite: true });
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
  expect(await readFile(join(folder, "far", "b"), "utf8")).toBe("text");
});

test("a link to nothing exists, and links in a circle lead nowhere", async () => {
  symlinkSync("b", path);
  expect(await failure(writeFileAtomic(path, "text"))).toMatch("exists already");
  expect(await names()).toEqual(["a"]);
  await writeFileAtomic(path, "text", { overwrite: true });
  expect([readlinkSync(path), await readFile(join(folder, "b"), "utf8")]).toEqual(["b", "text"]);
  symlinkSync("d", join(folder, "c"));
  symlinkSync("c", join(folder, "d"));
  expect(await said(join(folder, "c"))).toMatchInlineSnapshot(`
    [
      "saveCheckpoint: could not write "FOLDER/c": ELOOP, symbolic links lead to each other; remove one, or choose another name",
      "loadCheckpoint: could not read "FOLDER/c": ELOOP, symbolic links lead to each other; remove one, or correct the name",
      "readSafetensors: could not read "FOLDER/c": ELOOP, symbolic links lead to each other; remove one, or correct the name",
      "writeFileAtomic: could not write "FOLDER/c": ELOOP, symbolic links lead to each other; remove one, or choose another name",
      "writeFileAtomic: could not write "FOLDER/c": ELOOP, symbolic links lead to each other; remove one, or choose another name",
    ]
  `);
  expect(await names()).toEqual(["a", "b", "c", "d"]);
});

test("saves through a link and to its target wait for each other", async () => {
  symlinkSync("b", path);
  const target = join(folder, "b");
  await Promise.all(
    Array.from({ length: 20 }, (_, n) => saveCheckpoint(n % 3 === 1 ? path : target, { n })),
  );
  expect([await loaded(target), await loaded(`${target}.previous`)]).toEqual([19, 18]);
  expect(await names()).toEqual(["a", "b", "b.previous"]);
});

test("what is called PATH.previous and is no checkpoint is kept", async () => {
  const previous = `${path}.previous`;
  const attempts = async () => [
    await failure(saveCheckpoint(path, { n: 1 })),
    (await names()).join(),
  ];
  await writeFile(previous, "text that somebody wrote");
  expect(await attempts()).toMatchInlineSnapshot(`
    [
      "saveCheckpoint: could not write "FOLDER/a": an earlier one could not be kept: could not write "FOLDER/a.previous": it holds something else than a checkpoint; choose another name",
      "a.previous",
    ]
  `);
  expect(await readFile(previous, "utf8")).toBe("text that somebody wrote");
  await rm(previous);
  execFileSync("mkfifo", [previous]);
  expect(await attempts()).toMatchInlineSnapshot(`
    [
      "saveCheckpoint: could not write "FOLDER/a": an earlier one could not be kept: could not write "FOLDER/a.previous": it is a named pipe, no regular file; choose another name",
      "a.previous",
    ]
  `);
  await rm(previous);
  symlinkSync("a", previous);
  expect(await attempts()).toMatchInlineSnapshot(`
    [
      "saveCheckpoint: could not write "FOLDER/a": an earlier one could not be kept: could not write "FOLDER/a.previous": it is a symbolic link, no regular file; choose another name",
      "a.previous",
    ]
  `);
  await rm(previous);
  // One that was cut off is worth nothing.
  await saveCheckpoint(previous, { n: 0 });
  await writeFile(previous, (await readFile(previous)).subarray(0, 100));
  for (const n of [1, 2]) await saveCheckpoint(path, { n });
  expect([await loaded(path), await loaded(previous)]).toEqual([2, 1]);
});

test.each(["x", "é", "語"])(
  "names of %s may be as long as the file system allows",
  async (letter) => {
    const of = (bytes: number) => {
      const long = letter.repeat(Math.floor(bytes / Buffer.byteLength(letter)));
      return join(folder, long.padEnd(long.length + bytes - Buffer.byteLength(long), "x"));
    };
    for (const bytes of [215, 216, 246]) {
      for (const n of [1, 2]) await saveCheckpoint(of(bytes), { n });
      expect([await loaded(of(bytes)), await loaded(`${of(bytes)}.previous`)]).toEqual([2, 1]);
    }
    const before = await names();
    expect(before).toHaveLength(6);
    const short = (text: string) => text.replaceAll(/FOLDER\/[^"]+/g, "FOLDER/LONG");
    expect(short(await failure(saveCheckpoint(of(247), { n: 1 })))).toBe(
      'saveCheckpoint: could not write "FOLDER/LONG": an earlier one could not be kept: could not write "FOLDER/LONG": ENAMETOOLONG, its name is too long; choose a shorter one',
    );
    for (const write of [saveCheckpoint, writeFileAtomic]) {
      expect(short(await failure(write(of(256), "x")))).toBe(
        `${write.name}: could not write "FOLDER/LONG": ENAMETOOLONG, its name is too long; choose a shorter one`,
      );
    }
    expect(short(await failure(loadCheckpoint(of(256))))).toBe(
      'loadCheckpoint: could not read "FOLDER/LONG": ENAMETOOLONG, its name is too long; correct it',
    );
    expect(await names()).toEqual(before);
    await writeFileAtomic(of(255), "text");
    await writeFileAtomic(of(255), "new", { overwrite: true });
    expect(await readFile(of(255), "utf8")).toBe("new");
    expect(await names()).toHaveLength(7);
  },
);

test("what stands for a path or a backend is one", async () => {
  for (const other of [undefined, 3, ""]) {
    expect(await failure(writeFileAtomic(other as string, "x"))).toMatch(
      /^writeFileAtomic: path must be the name of a file, got/,
    );
  }
  await saveCheckpoint(path, { W: tensor([1], { backend }) });
  const refused = [];
  for (const other of [{}, "x", null, 0, backend.memory])
    refused.push(await failure(loadCheckpoint(path, { backend: other as never })));
  expect(refused).toMatchInlineSnapshot(`
    [
      "loadCheckpoint: backend must be one that createBackend made, got [object Object]; leave it out for the default one",
      "loadCheckpoint: backend must be one that createBackend made, got "x"; leave it out for the default one",
      "loadCheckpoint: backend must be one that createBackend made, got null; leave it out for the default one",
      "loadCheckpoint: backend must be one that createBackend made, got 0; leave it out for the default one",
      "loadCheckpoint: backend must be one that createBackend made, got [object Object]; leave it out for the default one",
    ]
  `);
  expect(() =>
    tensorsOf(decodeSafetensors(encodeSafetensors({})), { backend: {} as never }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: tensorsOf: backend must be one that createBackend made, got [object Object]; leave it out for the default one]`,
  );
  expect(await failure(loadCheckpoint(path, { backend: undefined as never }))).toBe("no error");
});
