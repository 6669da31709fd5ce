// Bundles each package's main door for browsers, which fails on any import that only Node has, and prints the sizes.
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

for (const name of ["autodiff", "nn", "rnn"]) {
  const { outputFiles } = await build({
    entryPoints: [`packages/${name}/dist/index.js`],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    logLevel: "error",
  });
  const [{ contents, text }] = outputFiles;
  if (/\bfrom\s*"node:|require\("/.test(text)) throw new Error(`bundle: ${name} asks for Node`);
  const kib = (bytes) => `${(bytes / 1024).toFixed(0)} KiB`;
  console.log(`${name}: ${kib(contents.length)}, ${kib(gzipSync(contents).length)} compressed`);
}
