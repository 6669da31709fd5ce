import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Found, run } from "./command.ts";
import { type Python, setUpPython } from "./setupPython.ts";
import type { Need } from "./systems.ts";

/** What was set up. */
export interface Peers {
  command(need: Need): Found;
}

const folder = fileURLToPath(new URL("peers/", import.meta.url));
const windows = process.platform === "win32";
const node = [process.execPath, "--conditions=@chronograd/source"];

/**
 * Installs what the chosen systems need and do not have yet. A system whose installation fails is
 * left out.
 */
export function setUpPeers(needs: ReadonlySet<Need>, say: (line: string) => void): Peers {
  const found = new Map<Need, Found>([["workspace", { command: node }]]);
  if (needs.has("mpi")) found.set("mpi", findMpi());
  if (needs.has("npm")) found.set("npm", setUpNpm(say));
  let python: Python | undefined;
  if (needs.has("torch") || needs.has("jax")) {
    python = setUpPython(folder, say);
    found.set("torch", python.torch).set("jax", python.jax);
  }
  if (needs.has("openblas")) found.set("openblas", setUpOpenblas(python, say));
  return { command: (need) => found.get(need) ?? { missing: "it was not set up" } };
}

/** Two ranks of MPI, which the system must have. */
function findMpi(): Found {
  const problem = run("mpiexec", ["--version"]);
  if (problem !== "") {
    return { missing: `no mpiexec (${problem}); apt-get install openmpi-bin or mpich brings one` };
  }
  return { command: ["mpiexec", "-n", "2", ...node] };
}

function setUpNpm(say: (line: string) => void): Found {
  const stamp = join(folder, "node_modules/.stamp");
  const state = createHash("sha256")
    .update(readFileSync(join(folder, "package-lock.json")))
    .digest("hex");
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== state) {
    say("Installing TensorFlow.js and jax-js into bench/peers (the first time only) ...");
    const problem = run("npm", ["ci"], folder);
    if (problem !== "") return { missing: `npm ci failed: ${problem}` };
    writeFileSync(stamp, state);
  }
  return { command: node };
}

/**
 * A C program with the system's OpenBLAS; without a compiler or library, NumPy with the one that it
 * brings.
 */
function setUpOpenblas(python: Python | undefined, say: (line: string) => void): Found {
  const source = fileURLToPath(new URL("systems/openblas.c", import.meta.url));
  const binary = join(folder, `.native/openblas${windows ? ".exe" : ""}`);
  mkdirSync(join(folder, ".native"), { recursive: true });
  let problem = "";
  // Debian's library without its headers has no plain name.
  for (const library of ["-lopenblas", "-l:libopenblas.so.0"]) {
    problem = run("cc", ["-O2", "-o", binary, source, library, "-lm"], folder);
    if (problem === "") return { command: [binary] };
  }
  const numpy = python?.jax ?? { missing: "" };
  if ("command" in numpy) {
    say(`No C program with OpenBLAS (${problem}): NumPy's stands in for it.`);
    const script = fileURLToPath(new URL("peers/numpy_blas.py", import.meta.url));
    return { command: [...numpy.command, script] };
  }
  return { missing: `a C compiler and OpenBLAS are needed: ${problem}` };
}
