import { readFileSync, symlinkSync } from "node:fs";
import { Tape, Tensor, tree } from "@chronograd/autodiff";
import { expect, test } from "vitest";
import { loadModule } from "../../src/modules/loadModule.ts";
import { ownPackages } from "../../src/modules/ownPackages.ts";
import { folder, write } from "../files.ts";

const home = folder();
const at = write(home, {
  "shared.ts": `import { Tape, Tensor, tensor } from "@chronograd/autodiff";
import { twice } from "./twice";
import type { Nothing } from "no-such-package";
enum Kind { one = 1 }
export const x: Tensor = tensor([1, 2, 3], { dtype: "float64" });
export const accepts = (value: unknown): boolean => value instanceof Tensor && Kind.one === 1;
export const square = (value: Tensor): Tensor => value.mul(value).mul(twice(1));
export const own = (tape: unknown): boolean => tape instanceof Tape;
`,
  "twice.ts": "export const twice = (n: number): number => 2 * n;\n",
  "plain.mjs": 'import { Tensor } from "@chronograd/autodiff";\nexport default Tensor;\n',
  "common.cjs":
    'const { Tensor } = require("@chronograd/autodiff");\nmodule.exports = { Tensor };\n',
  "function.cjs": "module.exports = () => 3;\n",
  "late.mts": "export const value = await Promise.resolve(4);\n",
  "node_modules/cells/package.json": '{ "name": "cells", "type": "module", "main": "index.js" }',
  "node_modules/cells/index.js": 'export { Tensor } from "@chronograd/autodiff";\n',
  "other.ts": 'export { Tensor } from "cells";\n',
  "syntax.ts": "export const x = 1;\n\nexport const y = = 2;\n",
  "imports-syntax.ts": 'import "./syntax.ts";\n',
  "gone.ts": 'import { z } from "./nowhere.ts";\nexport default z;\n',
  "package.ts": 'import { z } from "no-such-package";\nexport default z;\n',
  "throws.ts": "const a: any = undefined;\n\nexport default a.b;\n",
  "name.ts": 'import { defineCel } from "@chronograd/rnn";\n\nexport default defineCel({});\n',
  "text.ts": 'throw "some text";\n',
  "notes.txt": "some text",
});

/** What loading a file says, with the folder left out. */
async function said(name: string): Promise<string> {
  const error: unknown = await loadModule(at(name)).catch((thrown: unknown) => thrown);
  expect((error as Error).name).toBe("UsageError");
  return (error as Error).message.replaceAll(`${home}/`, "").replaceAll(home, "FOLDER");
}

test("classes of a loaded module are those of this process, and its functions record on our tapes", async () => {
  const { x, accepts, square, own } = (await loadModule(at("shared.ts"))) as {
    x: Tensor;
    accepts: (value: unknown) => boolean;
    square: (value: Tensor) => Tensor;
    own: (tape: unknown) => boolean;
  };
  expect(x).toBeInstanceOf(Tensor);
  expect(accepts(x.add(1))).toBe(true);
  expect(tree.leaves({ x })).toEqual([x]);
  const tape = new Tape();
  expect(own(tape)).toBe(true);
  const watched = tape.watch(x);
  // d/dx 2 x^2 = 4 x
  expect(tape.gradient(square(watched).sum(), watched).toArray()).toEqual([4, 8, 12]);
});

test("JavaScript, CommonJS, awaits at the top, and packages share the same classes", async () => {
  expect((await loadModule(at("plain.mjs"))).default).toBe(Tensor);
  expect((await loadModule(at("common.cjs"))).Tensor).toBe(Tensor);
  expect(await loadModule(at("late.mts"))).toEqual({ value: 4 });
  expect((await loadModule(at("other.ts"))).Tensor).toBe(Tensor);
  const { default: three } = await loadModule(at("function.cjs"));
  expect((three as () => number)()).toBe(3);
});

test("every entry point that a user may import is shared", async () => {
  const names = ["autodiff", "nn", "rnn", "cli"].flatMap((folder) => {
    const path = new URL(`../../../${folder}/package.json`, import.meta.url);
    const { name, exports } = JSON.parse(readFileSync(path, "utf8"));
    return Object.keys(exports).map((entry) => `${name}${entry.slice(1)}`);
  });
  // Internal ones are not for users, and those for test runners need theirs.
  const others = /\/(internal|package\.json|testing\/vitest|testing\/fast-check)$/;
  const expected = names.filter((name) => !others.test(name)).sort();
  expect(Object.keys(await ownPackages()).sort()).toEqual(expected);
});

test("a file that changed is loaded anew", async () => {
  const path = write(home, { "changing.ts": "export const n: number = 1;\n" })("changing.ts");
  expect(await loadModule(path)).toEqual({ n: 1 });
  write(home, { "changing.ts": "export const n: number = 2;\n" });
  expect(await loadModule(path)).toEqual({ n: 2 });
});

test("what cannot be loaded is told in a sentence", async () => {
  expect(await said("absent.ts")).toMatchInlineSnapshot(
    `"cannot load absent.ts: there is no such file"`,
  );
  expect(await said("")).toMatchInlineSnapshot(
    `"cannot load FOLDER: it is a folder; name the file with the cell"`,
  );
  symlinkSync(at("loop.ts"), at("loop.ts"));
  expect(await said("loop.ts")).toBe("cannot load loop.ts: there is no such file");
  expect(await said("notes.txt")).toMatchInlineSnapshot(
    `"cannot load notes.txt: expected a .ts, .mts, .js or .mjs file"`,
  );
  expect(await said("syntax.ts")).toMatchInlineSnapshot(
    `"cannot load syntax.ts: syntax.ts:3:18: Unexpected token"`,
  );
  expect(await said("imports-syntax.ts")).toMatchInlineSnapshot(
    `"cannot load imports-syntax.ts: syntax.ts:3:18: Unexpected token"`,
  );
  expect(await said("gone.ts")).toMatchInlineSnapshot(
    `"cannot load gone.ts: ./nowhere.ts, which gone.ts imports, is not found"`,
  );
  expect(await said("package.ts")).toMatchInlineSnapshot(
    `"cannot load package.ts: no-such-package, which package.ts imports, is not found; is it installed, as by npm install no-such-package?"`,
  );
  expect(await said("throws.ts")).toMatchInlineSnapshot(
    `"cannot load throws.ts: throws.ts:3: TypeError: Cannot read properties of undefined (reading 'b')"`,
  );
  expect(await said("name.ts")).toMatchInlineSnapshot(
    `"cannot load name.ts: name.ts:3: TypeError: @chronograd/rnn exports no defineCel, did you mean "defineCell"?"`,
  );
  expect(await said("text.ts")).toMatchInlineSnapshot(
    `"cannot load text.ts: it threw "some text""`,
  );
});
