import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createBackend, scope, tensor } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readSafetensors, writeFileAtomic, writeSafetensors } from "../../src/node.ts";

const backend = createBackend({ kernels: referenceKernels });
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "chronograd-"));
});
afterEach(() => rm(folder, { recursive: true }));

const sentence = (error: Error) => error.message.replaceAll(folder, "FOLDER");
const failure = (attempt: Promise<unknown>) => attempt.then(() => "no error", sentence);

test("a tree is written and read back, with its metadata", async () => {
  const path = join(folder, "model.safetensors");
  await writeSafetensors(path, { W: tensor([[1, 2]], { backend }) }, { epoch: "3" });
  const { tensors, metadata } = await readSafetensors(path);
  expect([...tensors.W!.data]).toEqual([1, 2]);
  expect(metadata).toEqual({ epoch: "3" });
  expect(await readdir(folder)).toEqual(["model.safetensors"]);
});

test("a scope may end while the file is being written", async () => {
  const path = join(folder, "model.safetensors");
  let written: Promise<void> | undefined;
  scope(() => {
    written = writeSafetensors(path, { W: tensor([1, 2], { backend }) });
  });
  await written;
  expect([...(await readSafetensors(path)).tensors.W!.data]).toEqual([1, 2]);
});

test("a file that exists is kept, unless it may be replaced", async () => {
  const path = join(folder, "a");
  await writeFileAtomic(path, "old");
  expect(await failure(writeFileAtomic(path, "new"))).toMatchInlineSnapshot(
    `"writeFileAtomic: "FOLDER/a" exists already; choose another name, or pass { overwrite: true }"`,
  );
  expect(await readFile(path, "utf8")).toBe("old");
  expect(await readdir(folder)).toEqual(["a"]);
  await writeFileAtomic(path, "new", { overwrite: true });
  expect(await readFile(path, "utf8")).toBe("new");
  expect(await readdir(folder)).toEqual(["a"]);
});

test("of many writers at once exactly one wins", async () => {
  const path = join(folder, "a");
  const attempts = Array.from({ length: 20 }, (_, i) => writeFileAtomic(path, `writer ${i}`));
  const results = await Promise.allSettled(attempts);
  const winners = results.flatMap(({ status }, i) => (status === "fulfilled" ? [i] : []));
  expect(winners).toHaveLength(1);
  expect(await readFile(path, "utf8")).toBe(`writer ${winners[0]}`);
  expect(await readdir(folder)).toEqual(["a"]);
});

test("failures are sentences", async () => {
  expect(await failure(writeFileAtomic(join(folder, "no", "a"), "x"))).toMatch(
    /^writeFileAtomic: could not write "FOLDER\/no\/a": ENOENT/,
  );
  expect(await failure(readSafetensors(join(folder, "missing")))).toMatch(
    /^readSafetensors: could not read "FOLDER\/missing": ENOENT/,
  );
  await writeFile(join(folder, "text"), "This is not a model at all.");
  expect(await failure(readSafetensors(join(folder, "text")))).toMatchInlineSnapshot(
    `"readSafetensors: could not read "FOLDER/text": decodeSafetensors: the header would take 2338328219631577172 bytes and the format allows 100000000; this is no safetensors file"`,
  );
  expect(
    await failure(writeSafetensors(join(folder, "b"), tensor(1, { backend }))),
  ).toMatchInlineSnapshot(
    `"encodeSafetensors: a lone tensor has no name; put it into an object, for example { W: tensor }"`,
  );
  expect(await readdir(folder)).toEqual(["text"]);
});
