import type { Abi } from "./abi.ts";
import type { Found } from "./findLibrary.ts";
import { type Koffi, NativeMemory, yieldCore } from "./koffi.ts";

/**
 * What follows the name of each function that is used: `h` a handle, `p` an address, `i` a number.
 */
const functions = {
  Initialized: "p",
  Init_thread: "ppip",
  Finalize: "",
  Abort: "hi",
  Error_string: "ipp",
  Comm_rank: "hp",
  Comm_size: "hp",
  Comm_dup: "hp",
  Comm_set_errhandler: "hh",
  Isend: "pihiihp",
  Irecv: "pihiihp",
  Recv: "pihiihp",
  Iprobe: "iihpp",
  Iallgatherv: "pihppphhp",
  Ibcast: "pihihp",
  Ibarrier: "hp",
  Testall: "ippp",
} as const;
type Name = keyof typeof functions;

type Call = (...args: readonly number[]) => void;

/** An MPI library, its functions by their names; each throws where MPI returns an error. */
export interface MpiLibrary {
  /** "Open MPI 4.1.4 (libmpi.so.40)". */
  readonly name: string;
  readonly abi: Abi;
  /** Memory that the library can write to. */
  readonly memory: (bytes: number) => NativeMemory;
  /** A handle that the library wrote. */
  readonly readHandle: (memory: NativeMemory) => number;
  readonly call: Readonly<Record<Name, Call>>;
  readonly yieldCore: () => void;
}

/** Declares the functions of a library. Throws a sentence where one is missing. */
export function bind(koffi: Koffi, { loaded, abi, name: brand, path }: Found): MpiLibrary {
  const types = { h: abi.handle, p: "intptr_t", i: "int" } as const;
  const name = `${brand} (${path})`;
  const memory = (bytes: number) => new NativeMemory(koffi, bytes);
  const text = memory(1024);
  const entries = Object.entries(functions).map(([key, parameters]) => {
    const list = [...parameters].map((letter) => types[letter as keyof typeof types]);
    let call: (...args: readonly number[]) => unknown;
    try {
      call = loaded.func(`int MPI_${key}(${list.join(", ")})`);
    } catch (cause) {
      throw new Error(`mpi: ${name} has no function MPI_${key}; it needs MPI 3.0 (2012) or later`, {
        cause,
      });
    }
    const checked: Call = (...args) => {
      const code = call(...args) as number;
      if (code !== 0) throw new Error(`mpi: MPI_${key} failed: ${errorText(code)}`);
    };
    return [key, checked] as const;
  });
  const call = Object.fromEntries(entries) as Record<Name, Call>;

  function errorText(code: number): string {
    try {
      call.Error_string(code, text.address + 8, text.address);
      const [length] = new Int32Array(text.buffer, 0, 1);
      return new TextDecoder().decode(new Uint8Array(text.buffer, 8, length));
    } catch {
      return `error ${code}`;
    }
  }

  return {
    name,
    abi,
    memory,
    readHandle: ({ buffer }) =>
      abi.handleBytes === 4
        ? new Int32Array(buffer, 0, 1)[0]!
        : Number(new BigInt64Array(buffer, 0, 1)[0]!),
    call,
    yieldCore: yieldCore(koffi),
  };
}
