import { type Koffi, type Loaded, NativeMemory } from "./koffi.ts";
import type { Implementation } from "./launcher.ts";

/** What a library takes for the constants of `mpi.h`, and how it passes handles. */
export interface Abi {
  readonly name: string;
  readonly handle: "int" | "intptr_t";
  readonly handleBytes: 4 | 8;
  readonly world: number;
  readonly byte: number;
  readonly errorsReturn: number;
  readonly inPlace: number;
  readonly anySource: number;
  readonly threadFunneled: number;
}

/** The standard ABI (MPI Forum, MPI 5.0, 2025, chapter 20). */
const standard: Abi = {
  name: "the standard ABI",
  handle: "intptr_t",
  handleBytes: 8,
  world: 0x101,
  byte: 0x247,
  errorsReturn: 0x143,
  inPlace: 1,
  anySource: -1,
  threadFunneled: 1024,
};

/**
 * MPICH's, which the libraries of the MPICH ABI Compatibility Initiative (2013) share: Intel MPI,
 * MVAPICH, Cray MPICH.
 */
const mpich: Abi = {
  name: "MPICH's handles",
  handle: "int",
  handleBytes: 4,
  world: 0x44000000,
  byte: 0x4c00010d,
  errorsReturn: 0x54000001,
  inPlace: -1,
  anySource: -2,
  threadFunneled: 1,
};

/** Open MPI's: handles are addresses of the library's own objects. */
function openMpi(koffi: Koffi, loaded: Loaded): Abi {
  const address = (name: string) => Number(koffi.address(loaded.symbol(name)));
  return {
    name: "Open MPI's symbols",
    handle: "intptr_t",
    handleBytes: 8,
    world: address("ompi_mpi_comm_world"),
    byte: address("ompi_mpi_byte"),
    errorsReturn: address("ompi_mpi_errors_return"),
    inPlace: 1,
    anySource: -1,
    threadFunneled: 1,
  };
}

/** What a library says of itself. */
export interface Identity {
  /** "Open MPI 4.1.4". */
  readonly name: string;
  readonly implementation: Implementation;
  readonly abi: Abi;
}

/**
 * Asks a library what it is, by functions that may be called before `MPI_Init`. Undefined if it is
 * not one of the three.
 */
export function identify(koffi: Koffi, loaded: Loaded): Identity | undefined {
  const text = versionText(koffi, loaded);
  if (text === undefined) return undefined;
  const number = /\bv?(\d+(\.\d+)+\w*)/.exec(text)?.[1] ?? "";
  const brand = /Open MPI|Intel\(R\) MPI|MVAPICH|MPICH/i.exec(text)?.[0];
  if (brand === undefined) return undefined;
  const implementation = brand === "Open MPI" ? "Open MPI" : "MPICH";
  const abi = isStandard(koffi, loaded)
    ? standard
    : implementation === "MPICH"
      ? mpich
      : has(loaded, "ompi_mpi_comm_world")
        ? openMpi(koffi, loaded)
        : undefined;
  if (abi === undefined) return undefined;
  return { name: `${brand.replace("(R)", "")} ${number}`.trim(), implementation, abi };
}

/** The text of `MPI_Get_library_version`, which has at most 8192 characters in every library. */
function versionText(koffi: Koffi, loaded: Loaded): string | undefined {
  if (!has(loaded, "MPI_Get_library_version")) return undefined;
  const { buffer, address } = new NativeMemory(koffi, 8192 + 8);
  loaded.func("int MPI_Get_library_version(intptr_t, intptr_t)")(address + 8, address);
  const [length] = new Int32Array(buffer, 0, 1);
  return new TextDecoder().decode(new Uint8Array(buffer, 8, length));
}

/** A library with other handles has the function from MPI 5.0 on, too, and says -1. */
function isStandard(koffi: Koffi, loaded: Loaded): boolean {
  if (!has(loaded, "MPI_Abi_get_version")) return false;
  const { buffer, address } = new NativeMemory(koffi, 8);
  loaded.func("int MPI_Abi_get_version(intptr_t, intptr_t)")(address, address + 4);
  return new Int32Array(buffer, 0, 1)[0]! >= 1;
}

function has(loaded: Loaded, name: string): boolean {
  try {
    loaded.symbol(name);
    return true;
  } catch {
    return false;
  }
}
