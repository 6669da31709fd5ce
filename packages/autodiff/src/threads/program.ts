import type { Unlinked } from "../kernels/link.ts";
import type { Memory } from "../kernels/memory.ts";

/** A program that threads can run: its number, and where it is described to them. */
export interface SharedProgram {
  readonly number: number;
  readonly description: number;
}

let programs = 0;

/**
 * Lays a program out in shared memory: addresses and lengths of its code and of its links, then
 * where each thread has its temporaries.
 *
 * @param allocate memory that lives as long as the program
 */
export function shareProgram(
  { module, links }: Unlinked,
  arenas: readonly number[],
  memory: Memory,
  allocate: (bytes: number) => number,
): SharedProgram {
  const parts = [module, new TextEncoder().encode(JSON.stringify(links))];
  const words = parts.flatMap((part) => {
    const pointer = allocate(part.length);
    memory.views.uint8.set(part, pointer);
    return [pointer, part.length];
  });
  words.push(...arenas);
  const description = allocate(4 * words.length);
  new Uint32Array(memory.wasm.buffer).set(words, description / 4);
  return { number: ++programs, description };
}
