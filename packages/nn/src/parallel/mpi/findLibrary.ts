/// <reference types="node" />
import { existsSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { type Identity, identify } from "./abi.ts";
import type { Koffi, Loaded } from "./koffi.ts";
import type { Launcher } from "./launcher.ts";

/** A library that fits the launcher, loaded. */
export interface Found extends Identity {
  readonly path: string;
  readonly loaded: Loaded;
}

/** Names of libraries, by platform: first the standard ABI, then Open MPI's, then MPICH's. */
const names: Readonly<Record<string, readonly string[]>> = {
  linux: ["libmpi_abi.so.1", "libmpi_abi.so", "libmpi.so.40", "libmpich.so.12", "libmpi.so.12"],
  darwin: ["libmpi_abi.dylib", "libmpi.40.dylib", "libmpi.12.dylib", "libmpi.dylib"],
};

/** Debian's packages of each implementation. */
const packages = { MPICH: "libmpich12", "Open MPI": "libopenmpi3" } as const;

/** What a launcher did, as sentences begin. */
export function started({ name, rank, size }: Launcher): string {
  return size === undefined
    ? `${name} started this process as one of several, rank ${rank}`
    : `${name} started this process as one of ${size}, rank ${rank}`;
}

/**
 * The first library that is of the launcher's implementation, or the one that is wished for. Throws
 * a sentence if there is none, because each process would run alone.
 */
export function findLibrary(koffi: Koffi, launcher: Launcher, wish: string | undefined): Found {
  const { implementation } = launcher;
  const fits = (found: Identity) =>
    implementation === undefined || found.implementation === implementation;
  const others: Found[] = [];
  for (const path of wish ? [wish] : candidates()) {
    const found = attempt(koffi, path);
    if (typeof found !== "string") {
      if (fits(found)) {
        // Its plugins and what they load look for its symbols among those of the whole process.
        return { ...found, loaded: koffi.load(path, { global: true }) };
      }
      others.push(found);
    } else if (wish) {
      throw new Error(
        `mpi: ${wish}, which CHRONOGRAD_MPI names, ${found}; name the path of an MPI library, or unset it`,
      );
    }
  }
  const install = implementation ? packages[implementation] : "libopenmpi3 or libmpich12";
  const [other] = others;
  if (other === undefined) {
    throw new Error(
      `mpi: ${started(launcher)}, and no MPI library is found; install ${implementation ?? "MPI"} (Debian: apt install ${install}), or name the library: CHRONOGRAD_MPI=/path/to/libmpi.so`,
    );
  }
  throw new Error(
    `mpi: ${started(launcher)}, and the library ${wish ? "that CHRONOGRAD_MPI names" : "found"} is ${other.name} (${other.path}), with which each process would run alone; start with mpiexec of ${other.implementation}, or install the library of ${implementation} (Debian: apt install ${install})`,
  );
}

/** Where libraries may be: where the system looks, then beside the `mpiexec` of the search path. */
function candidates(): readonly string[] {
  const known = names[process.platform] ?? [];
  const beside = (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "mpiexec"))
    .filter((path) => existsSync(path))
    .map((path) => join(dirname(realpathSync(path)), "..", "lib"));
  const files = beside.flatMap((folder) => known.map((name) => join(folder, name)));
  return [...known, ...files.filter((path) => existsSync(path))];
}

/** A library and what it is, or why it is none. */
function attempt(koffi: Koffi, path: string): Found | string {
  let loaded: Loaded;
  try {
    // Symbols of its own: two libraries with the same names must not see each other.
    loaded = koffi.load(path);
  } catch (error) {
    return `could not be loaded (${(error as Error).message})`;
  }
  const identity = identify(koffi, loaded);
  if (identity === undefined) return "is not a library of MPICH, Intel MPI, MVAPICH or Open MPI";
  return { ...identity, path, loaded };
}
