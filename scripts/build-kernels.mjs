// Compiles the AssemblyScript kernels with relaxed SIMD and embeds the module as text: the packages
// then need no file access and no bundler plug-in, in Node and browsers alike. Engines without
// relaxed SIMD rewrite it as they load it; the module compiled without it, `simd/build/plain.wasm`,
// is what tests hold the rewritten one to.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";
import { expectedExports } from "../packages/autodiff/src/kernels/simd/exports.ts";
import {
  decode,
  digits,
  firstByte,
  plainDigits,
} from "../packages/autodiff/src/kernels/simd/text.ts";
import { elementwiseExports } from "./elementwise.mjs";

const root = fileURLToPath(new URL("../packages/autodiff/", import.meta.url));
const folder = `${root}simd/build`;
const target = `${root}src/kernels/simd/module.ts`;

/** Compiles one variant; returns the module as bytes and as text. */
async function compile(variant) {
  const output = `${folder}/${variant}`;
  const flags = [
    "simd/index.ts",
    ...["--baseDir", root],
    ...["--outFile", `${output}.wasm`],
    ...["--textFile", `${output}.wat`],
    "-O3",
    "--noAssert",
    ...["--runtime", "stub"],
    "--importMemory",
    ...["--initialMemory", "2"],
    ...["--memoryBase", "1024"],
    ...["--enable", "simd"],
  ];
  if (variant === "relaxed") flags.push("--enable", "relaxed-simd");
  const { error, stderr } = await asc.main(flags);
  if (error) throw new Error(`build-kernels: ${variant} failed\n${stderr.toString()}`);
  return { wasm: readFileSync(`${output}.wasm`), wat: readFileSync(`${output}.wat`, "utf8") };
}

/** The inverse of `decode`. */
function encode(bytes) {
  let text = "";
  for (const byte of bytes) {
    const value = (byte - firstByte) & 255;
    const run = Math.floor(value / plainDigits);
    if (run > 0) text += digits[plainDigits - 1 + run];
    text += digits[value % plainDigits];
  }
  if (Buffer.compare(decode(text), bytes) === 0) return text;
  throw new Error("build-kernels: the text does not decode to the module");
}

/** Throws if other code has the bytes of a `relaxed_madd`: `plainModule` would replace them. */
function checkMadds({ wasm, wat }) {
  const looks = wasm.filter(
    (byte, i) =>
      byte === 0xfd && (wasm[i + 1] === 0x85 || wasm[i + 1] === 0x87) && wasm[i + 2] === 2,
  ).length;
  const are = wat.match(/relaxed_madd/g)?.length ?? 0;
  const others = wat.match(/relaxed_(?!madd)\w+/g) ?? [];
  if (looks === are && others.length === 0) return;
  throw new Error(
    `build-kernels: expected all of ${looks} patterns to be relaxed_madd, and nothing else relaxed, got ${are} and ${others.length}; write one constant in another way`,
  );
}

/** Throws where the module's exports are not those of the table of kernels. */
function checkExports({ wasm }) {
  const { needed, allowed } = expectedExports();
  const found = new Set(
    WebAssembly.Module.exports(new WebAssembly.Module(wasm)).map(({ name }) => name),
  );
  const missing = [...needed].filter((name) => !found.has(name));
  const others = [...found].filter((name) => !needed.has(name) && !allowed.has(name));
  if (missing.length + others.length === 0) return;
  throw new Error(
    `build-kernels: expected the exports of the table in src/kernels/contract.ts, got none for [${missing}] and besides [${others}]; add the functions to simd/, or the kernels to the table`,
  );
}

mkdirSync(folder, { recursive: true });
writeFileSync(`${folder}/elementwise.ts`, elementwiseExports());
checkExports(await compile("plain"));
const relaxed = await compile("relaxed");
checkMadds(relaxed);
const text = encode(relaxed.wasm);
const comment = "The kernel module, compiled from `simd/`; made by `scripts/build-kernels.mjs`.";
writeFileSync(`${target}.part`, `/** ${comment} */\nexport const module: string =\n  "${text}";\n`);
renameSync(`${target}.part`, target);
console.log(`kernels: ${(relaxed.wasm.length / 1024).toFixed(0)} KiB`);
