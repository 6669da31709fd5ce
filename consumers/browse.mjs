// Opens the project's page in Chromium and waits for what it reports:
// node browse.mjs build <folder>, from a server with a strict content security policy; node
// browse.mjs isolated <folder>, from one that isolates the page from other origins too; node
// browse.mjs dev, from Vite's.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";

const [mode, folder = "."] = process.argv.slice(2);
const chromium = process.env.CHRONOGRAD_CHROMIUM ?? "/usr/bin/chromium";
const policy = "script-src 'self' 'wasm-unsafe-eval'";
const isolation = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};
const types = { ".html": "text/html", ".js": "text/javascript" };

let report;
const reported = new Promise((resolve) => {
  report = resolve;
});

/** Takes the page's report; true when the request was one. */
function takeReport(request, response) {
  if (request.url !== "/report") return false;
  let body = "";
  request.on("data", (part) => {
    body += part;
  });
  request.on("end", () => {
    response.end();
    report(JSON.parse(body));
  });
  return true;
}

/** Serves a folder with a strict content security policy. */
async function serve() {
  const server = createServer(async (request, response) => {
    if (takeReport(request, response)) return;
    const path = request.url === "/" ? "/index.html" : request.url;
    try {
      const content = await readFile(join(folder, path));
      const type = types[extname(path)] ?? "application/octet-stream";
      response.writeHead(200, {
        "content-type": type,
        "content-security-policy": policy,
        ...(mode === "isolated" && isolation),
      });
      response.end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${server.address().port}/`;
}

/** Serves the project's sources as a developer would. */
async function develop() {
  const { createServer } = await import("vite");
  const takesReports = {
    name: "report",
    configureServer({ middlewares }) {
      middlewares.use((request, response, next) => takeReport(request, response) || next());
    },
  };
  const server = await createServer({
    logLevel: "warn",
    plugins: [takesReports],
    server: { host: "127.0.0.1" },
  });
  await server.listen();
  return server.resolvedUrls.local[0];
}

const url = await (mode === "dev" ? develop() : serve());
const profile = mkdtempSync(join(tmpdir(), "chronograd-chromium-"));
const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", `--user-data-dir=${profile}`];
const browser = spawn(chromium, [...flags, url], { detached: true, stdio: "ignore" });
let timer;
const late = new Promise((_, fail) => {
  timer = setTimeout(() => fail(new Error("browse: the page said nothing for a minute")), 60_000);
  browser.on("error", fail);
});
try {
  const { page, worker, threads } = await Promise.race([reported, late]);
  for (const [where, { said, error, evaluates }] of Object.entries({ page, worker })) {
    if (error) throw new Error(`browse: in the ${where}: ${error}`);
    if (evaluates !== (mode === "dev")) {
      throw new Error(
        `browse: in the ${where} text ${evaluates ? "becomes" : "does not become"} code`,
      );
    }
    console.log(`${where}: ${said}`);
  }
  const { said = "", error } = threads;
  const expected =
    mode === "isolated"
      ? /^on 2 threads$/
      : /^on one thread, because the page is not cross-origin isolated/;
  if (error || !expected.test(said)) throw new Error(`browse: threads: ${error ?? said}`);
  console.log(`threads: ${said}`);
} finally {
  clearTimeout(timer);
  if (browser.pid !== undefined) {
    const ended = new Promise((done) => browser.on("exit", done));
    process.kill(-browser.pid, "SIGKILL");
    await ended;
  }
  rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}
process.exit();
