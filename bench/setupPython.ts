import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Found, run } from "./command.ts";

/** What runs programs that import PyTorch, and those that import JAX. */
export interface Python {
  readonly torch: Found;
  readonly jax: Found;
}

/**
 * An index with PyTorch for CPUs only. From the default index Linux also gets gigabytes for
 * graphics cards.
 */
const cpuIndex = process.env.CHRONOGRAD_TORCH_INDEX;
/** With fewer free bytes than this the large packages are not tried. */
const roomForEverything = 12 * 2 ** 30;

/** Why the installation of a package failed; nothing if it is there. */
interface Stamp {
  readonly torch: string;
  readonly jax: string;
}

/** A virtual environment with current PyTorch and JAX, or what the system has. */
export function setUpPython(folder: string, say: (line: string) => void): Python {
  const environment = join(folder, ".venv");
  const inside = process.platform === "win32" ? "Scripts/python.exe" : "bin/python";
  const python = join(environment, inside);
  const stampFile = join(environment, "peers.json");
  let stamp: Stamp;
  if (existsSync(stampFile)) stamp = JSON.parse(readFileSync(stampFile, "utf8")) as Stamp;
  else {
    rmSync(environment, { recursive: true, force: true });
    stamp = install(folder, environment, python, say);
    if (existsSync(environment)) writeFileSync(stampFile, JSON.stringify(stamp));
  }
  const found = (problem: string): Found =>
    problem === ""
      ? { command: [python] }
      : { missing: `${problem}; remove bench/peers/.venv to try again` };
  if (stamp.torch === "") return { torch: found(""), jax: found(stamp.jax) };
  const system = ["/usr/bin/python3", "python3"].find(
    (candidate) => run(candidate, ["-c", "import torch, numpy"]) === "",
  );
  if (system === undefined) return { torch: found(stamp.torch), jax: found(stamp.jax) };
  say(`PyTorch is that of ${system}: ${stamp.torch}`);
  return { torch: { command: [system] }, jax: found(stamp.jax) };
}

function install(
  folder: string,
  environment: string,
  python: string,
  say: (line: string) => void,
): Stamp {
  const newest = newestPython();
  if (newest === undefined) {
    const problem = "no Python of 3.10 or later with venv was found";
    return { torch: problem, jax: problem };
  }
  say(
    `Installing JAX and PyTorch into bench/peers/.venv, for ${newest.name} (the first time only; this takes minutes) ...`,
  );
  const made = run(newest.path, ["-m", "venv", environment]);
  if (made !== "") return { torch: made, jax: made };
  const pip = ["-m", "pip", "install", "--quiet", "--no-cache-dir"];
  const jax = run(python, [...pip, "jax[cpu]"]);
  if (cpuIndex !== undefined) {
    const quick = ["--retries=0", "--timeout=15", "--index-url", cpuIndex];
    if (run(python, [...pip, ...quick, "torch"]) === "") return { torch: "", jax };
  }
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < roomForEverything) {
    return { torch: "too little disk for PyTorch with everything it brings along", jax };
  }
  say("Installing PyTorch with all it brings along (6 GB) ...");
  return { torch: run(python, [...pip, "torch"]), jax };
}

/** The newest Python that can make environments: on the path, or in pyenv's folder. */
function newestPython(): { readonly path: string; readonly name: string } | undefined {
  const versions = join(process.env.PYENV_ROOT ?? join(homedir(), ".pyenv"), "versions");
  const candidates = [
    ...["14", "13", "12", "11", "10"].map((minor) => `python3.${minor}`),
    "python3",
    "/usr/bin/python3",
    ...(existsSync(versions) ? readdirSync(versions) : []).map((name) =>
      join(versions, name, "bin/python3"),
    ),
  ];
  let best: { path: string; name: string } | undefined;
  let bestMinor = 9;
  for (const path of candidates) {
    const probe = "import venv, ensurepip, sys; print(sys.version_info[0], sys.version_info[1])";
    const { status, stdout } = spawnSync(path, ["-c", probe], { encoding: "utf8" });
    const [major, minor] = (stdout ?? "").trim().split(" ").map(Number);
    if (status !== 0 || major !== 3 || minor === undefined || minor <= bestMinor) continue;
    // A newer Python may not have packages yet.
    if (minor > 14) continue;
    best = { path, name: `Python 3.${minor}` };
    bestMinor = minor;
  }
  return best;
}
