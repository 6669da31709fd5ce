import { type Family, signatures } from "../kernels/contract.ts";
import {
  type ArgumentsByName,
  isPointer,
  type Signature,
  signatureOf,
} from "../kernels/signature.ts";

/** A byte of a buffer, or, where `buffer` is -1, the address of a constant. */
export interface Pointer {
  readonly buffer: number;
  readonly offset: number;
}

/** Some bytes of a buffer, from a pointer on. */
export interface ByteRange extends Pointer {
  readonly bytes: number;
}

type Texts = (typeof signatures)["float32"] &
  (typeof signatures)["move32"] &
  (typeof signatures)["cast"] & { readonly addToZero: (typeof signatures)["float32"]["addTo"] };
/** Every kernel, and `addToZero`: an addition to zeros that a loop writes (see `withoutZeros`). */
export type KernelName = keyof Texts;
/** The arguments of a kernel's calls by name. */
export type Arguments<Name extends KernelName> = ArgumentsByName<Texts[Name], Pointer>;

/** One kernel call. */
export interface Call<Name extends string = string> {
  readonly family: Family | "loop";
  /** Of the kernel, or the place of a loop among the program's. */
  readonly name: Name;
  readonly signature: Signature;
  /** In the order of the signature; of a pointer, the offset in its buffer. */
  readonly args: readonly number[];
  /** The buffer of each argument; -1 for constants, and for numbers. */
  readonly buffers: readonly number[];
  /** Which run of the program it belongs to: a forward one, then a backward one, say. */
  readonly phase: number;
}

/** What the calls of one run on one kind of numbers share. */
type Setting = Pick<Call, "family" | "phase">;

/** Whether a call is of a kernel. */
export function isCallOf<Name extends KernelName>(
  call: Call,
  ...names: readonly Name[]
): call is Call<Name> {
  return (names as readonly string[]).includes(call.name);
}

/** The arguments of a call by name. */
export function argsOf<Name extends KernelName>(call: Call<Name>): Arguments<Name> {
  const { signature, args, buffers } = call;
  const { names, kinds } = signature;
  const found: Record<string, number | Pointer> = {};
  for (let i = 0; i < names.length; i++) {
    found[names[i]!] = isPointer(kinds[i]!) ? { buffer: buffers[i]!, offset: args[i]! } : args[i]!;
  }
  return found as Arguments<Name>;
}

/** A call of a kernel with arguments by name. */
export function callOf<Name extends KernelName>(
  { family, phase }: Setting,
  name: Name,
  given: Arguments<Name>,
): Call<Name> {
  const table = signatures[family as Family] as Readonly<Record<string, string>>;
  return arranged({ family, name, signature: signatureOf(table[name]!), phase }, given);
}

/** A call with some arguments changed. */
export function withArgs<Name extends KernelName>(
  call: Call<Name>,
  changes: Partial<Arguments<Name>>,
): Call<Name> {
  return arranged(call, { ...argsOf(call), ...changes });
}

function arranged<Name extends KernelName>(
  { family, name, signature, phase }: Omit<Call<Name>, "args" | "buffers">,
  given: Arguments<Name>,
): Call<Name> {
  const values = signature.names.map((key) => (given as Record<string, number | Pointer>)[key]!);
  const args = values.map((value) => (typeof value === "number" ? value : value.offset));
  const buffers = values.map((value) => (typeof value === "number" ? -1 : value.buffer));
  return { family, name, signature, args, buffers, phase };
}

/** A call's kernel in words: `float32.add`. */
export function kernelOf({ family, name }: Call): string {
  return `${family}.${name}`;
}

/** Bytes of an element of a kernel's dtype. */
export function elementBytes({ family }: Setting): 4 | 8 {
  return family === "float64" || family === "move64" ? 8 : 4;
}

/** Buffers that a call reads and writes. */
export function touches({ signature, buffers }: Call): { reads: number[]; writes: number[] } {
  const at = (positions: readonly number[]): number[] => {
    const found: number[] = [];
    for (const i of positions) if (buffers[i]! >= 0) found.push(buffers[i]!);
    return found;
  };
  return { reads: at(signature.reads), writes: at(signature.writes) };
}
