import { inFile, type Mutant } from "./mutant.ts";

const memory = inFile("packages/autodiff/src/kernels/memory.ts", [
  {
    name: "memory: above 2 GiB it grows by less than is asked for",
    kind: "sign",
    find: "Math.min(end / 8, 2 ** 24)",
    replace: "Math.min(end >> 3, 2 ** 24)",
  },
  {
    name: "memory: growth asks for as much again",
    kind: "factor",
    find: "Math.min(end / 8, 2 ** 24)",
    replace: "end",
  },
  {
    name: "memory: it grows though what is free would do",
    kind: "guard lost",
    find: "1.25 * this.#most + 2 ** 20",
    replace: "Infinity",
  },
  {
    name: "memory: few large blocks are not merged",
    kind: "guard lost",
    find: "this.#free.count < size / 4096",
    replace: "this.#free.count < 0",
  },
  {
    name: "memory: after a merge the top stays where it was",
    kind: "stale value reused",
    find: "this.#top = this.#free.merge(this.#top);",
    replace: "this.#free.merge(this.#top);",
  },
  {
    name: "memory: the peak of a call begins with the one before",
    kind: "stale value reused",
    find: "const before = this.peakBytes;\n    this.peakBytes = this.bytesInUse;",
    replace: "const before = this.peakBytes;",
  },
  {
    name: "memory: the peak before a call is forgotten",
    kind: "forgotten term",
    find: "Math.max(before, this.peakBytes)",
    replace: "Math.max(0 * before, this.peakBytes)",
  },
]);

const freeBlocks = inFile("packages/autodiff/src/kernels/freeBlocks.ts", [
  {
    name: "free blocks: what is left of a cut begins with the block",
    kind: "aliased memory",
    find: "this.#divide(pointer + size, rest)",
    replace: "this.#divide(pointer, rest)",
  },
  {
    name: "free blocks: what is left of a cut is lost",
    kind: "forgotten term",
    find: "this.#divide(pointer + size, rest)",
    replace: "this.#divide(pointer + size, 0)",
  },
  {
    name: "free blocks: a run goes on over a block in use",
    kind: "aliased memory",
    find: "if (pointer !== end) {",
    replace: "if (pointer < end) {",
  },
  {
    name: "free blocks: the last run is lost",
    kind: "forgotten term",
    find: "if (end < top) this.#divide",
    replace: "if (end > top) this.#divide",
  },
  {
    name: "free blocks: the run at the top is free twice",
    kind: "aliased memory",
    find: "if (end < top) this.#divide",
    replace: "this.#divide",
  },
  {
    name: "free blocks: addresses above 2 GiB turn negative",
    kind: "sign",
    find: "Math.floor(block / 128)",
    replace: "(Math.floor(block / 128) | 0)",
  },
  {
    name: "free blocks: the blocks of a run overlap",
    kind: "aliased memory",
    find: "push(start + bytes - rest)",
    replace: "push(start)",
  },
]);

/** Bugs in the allocator: blocks that overlap or are lost, and memory that grows without need. */
export const memoryMutants: readonly Mutant[] = [...memory, ...freeBlocks];
