// Bundles the project in the current folder for browsers, in production mode: node bundle.mjs
// <bundler> <output folder>.
import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

const [bundler, output] = process.argv.slice(2);
const entries = ["main.js", "only.js"];
const [root, out] = [process.cwd(), resolve(output)];

const bundlers = {
  async vite() {
    const { build } = await import("vite");
    await build({
      root,
      logLevel: "warn",
      build: {
        outDir: out,
        target: "es2022",
        rolldownOptions: {
          input: ["index.html", ...entries],
          output: { entryFileNames: "[name].js" },
        },
      },
      worker: { format: "es" },
    });
  },
  async rollup() {
    const { rollup } = await import("rollup");
    const { nodeResolve } = await import("@rollup/plugin-node-resolve");
    const { default: commonjs } = await import("@rollup/plugin-commonjs");
    const plugins = [nodeResolve({ browser: true }), commonjs()];
    const bundle = await rollup({ input: entries, plugins });
    await bundle.write({ dir: out });
  },
  async webpack() {
    const { default: webpack } = await import("webpack");
    const compiler = webpack({
      mode: "production",
      context: root,
      entry: { main: "./main.js", only: "./only.js" },
      target: ["web", "es2022"],
      experiments: { outputModule: true },
      output: { path: out, filename: "[name].js", module: true, library: { type: "module" } },
      performance: false,
    });
    await new Promise((done, fail) => {
      compiler.run((error, stats) => {
        if (error || stats.hasErrors()) fail(error ?? new Error(stats.toString("errors-only")));
        else done();
      });
    });
  },
  async esbuild() {
    const { build } = await import("esbuild");
    await build({ entryPoints: entries, bundle: true, minify: true, format: "esm", outdir: out });
  },
  async parcel() {
    const parcel = fileURLToPath(new URL("node_modules/parcel/lib/bin.js", import.meta.url));
    execFileSync(process.execPath, [parcel, "build", ...entries, "--dist-dir", out, "--no-cache"], {
      stdio: "inherit",
    });
  },
};
await bundlers[bundler]();
