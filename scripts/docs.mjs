// Builds the reference site: TypeDoc reads the packages and writes Markdown, VitePress makes the
// site, and every link on it is followed. `--serve` shows it.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const docs = `${root}docs`;
const site = `${docs}/.vitepress/dist`;
const typedoc = "node_modules/typedoc/bin/typedoc";
const vitepress = "node_modules/vitepress/bin/vitepress.js";

/** Runs a tool in `docs`; shows what it printed, and stops, when it failed. */
function must(what, args) {
  console.log(`${what} ...`);
  const { status, stdout, stderr, error } = spawnSync(process.execPath, args, {
    cwd: docs,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
    maxBuffer: 1 << 28,
  });
  if (status === 0) return;
  console.error(`${what} failed.\n${stdout ?? ""}${stderr ?? ""}${error?.message ?? ""}`);
  process.exit(1);
}

/** The source files behind the entry points for users. */
function entryPoints() {
  return ["autodiff", "nn", "rnn", "cli"].flatMap((name) => {
    const folder = `${root}packages/${name}`;
    const { exports } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
    return Object.entries(exports)
      .filter(([name, target]) => target["@chronograd/source"] && name !== "./internal")
      .map(([, target]) => join(folder, target["@chronograd/source"]));
  });
}

/**
 * The address of a page, its ids, its links within the site, and the formulas that KaTeX refused.
 */
function read(page) {
  const html = readFileSync(`${site}/${page}`, "utf8");
  const address = `/${page.replace(/(^|\/)index\.html$/, "$1").replace(/\.html$/, "")}`;
  const matches = (pattern) => [...new Set([...html.matchAll(pattern)].map(([, found]) => found))];
  const links = matches(/ (?:href|src)="([^"]+)"/g)
    .map((link) => new URL(link.replaceAll("&amp;", "&"), `site:${address}`))
    .filter(({ protocol }) => protocol === "site:")
    .map(({ pathname, hash }) => ({
      path: decodeURI(pathname),
      hash: decodeURIComponent(hash).slice(1),
    }));
  return {
    address,
    ids: new Set(matches(/ id="([^"]+)"/g)),
    links,
    broken: matches(/class="katex-error" title="([^"]+)"/g),
  };
}

/** What is wrong with the built site, one sentence each. */
function faultsOf(pages) {
  const at = new Map(pages.map((page) => [page.address, page]));
  const faults = [];
  const linked = new Set();
  for (const { address, links, broken } of pages) {
    for (const error of broken) faults.push(`${address}: a formula does not parse: ${error}`);
    for (const { path, hash } of links) {
      if (path !== address) linked.add(path);
      const isThere = at.has(path)
        ? hash === "" || at.get(path).ids.has(hash)
        : existsSync(site + path);
      if (!isThere)
        faults.push(`${address}: links to ${path}${hash && `#${hash}`}, which does not exist`);
    }
  }
  for (const { address } of pages) {
    if (!linked.has(address))
      faults.push(`${address}: no other page links to it; name it in the sidebar`);
  }
  return faults;
}

const started = performance.now();
rmSync(`${docs}/reference`, { recursive: true, force: true });
must("Reading the packages with TypeDoc", [
  typedoc,
  ...["--options", "typedoc.json"],
  ...entryPoints().flatMap((path) => ["--entryPoints", path]),
]);
must("Building the site with VitePress", [vitepress, "build"]);
const pages = readdirSync(site, { recursive: true })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".html") && path !== "404.html")
  .map(read);
const faults = faultsOf(pages);
if (faults.length > 0) {
  console.error(`The site is built, but something is wrong with it:\n${faults.join("\n")}`);
  process.exit(1);
}
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(`${pages.length} pages in docs/.vitepress/dist (${seconds} s).`);
if (process.argv.includes("--serve")) {
  spawn(process.execPath, [vitepress, "preview"], { cwd: docs, stdio: "inherit" });
} else {
  console.log("See them with: npm run docs -- --serve");
}
