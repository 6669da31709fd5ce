// Compiles the AssemblyScript kernels twice, with plain and with relaxed SIMD, and embeds each module
// as base64 text: the packages then need no file access and no bundler plug-in, in Node and browsers alike.
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const root = fileURLToPath(new URL("../packages/autodiff/", import.meta.url));

/** Where `variant`'s module is written. */
const target = (variant) => `${root}src/kernels/simd/module.${variant}.ts`;

async function build(variant) {
  const wasm = `${root}dist/kernels.${variant}.wasm`;
  const flags = [
    "simd/index.ts",
    "--baseDir",
    root,
    "--outFile",
    wasm,
    "-O3",
    "--noAssert",
    "--runtime",
    "stub",
    "--importMemory",
    "--initialMemory",
    "2",
    "--memoryBase",
    "1024",
    "--enable",
    "simd",
  ];
  if (variant === "relaxed") flags.push("--enable", "relaxed-simd");
  const { error, stderr } = await asc.main(flags);
  if (error) throw new Error(`build-kernels: ${variant} failed\n${stderr.toString()}`);
  const text = (await readFile(wasm)).toString("base64");
  const source = `/** The ${variant}-SIMD kernel module, compiled from \`simd/\`; made by \`scripts/build-kernels.mjs\`. */\nexport const wasm: string =\n  "${text}";\n`;
  await writeFile(`${target(variant)}.part`, source);
  await rename(`${target(variant)}.part`, target(variant));
  return text.length;
}

await mkdir(`${root}dist`, { recursive: true });
await mkdir(`${root}src/kernels/simd`, { recursive: true });
for (const variant of ["plain", "relaxed"]) {
  const size = await build(variant);
  console.log(`kernels: ${variant} SIMD, ${((size * 3) / 4 / 1024).toFixed(0)} KiB`);
}
