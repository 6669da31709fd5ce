import { checkOptions } from "@chronograd/autodiff/internal";
import { textOf } from "../checkDefinition.ts";

/**
 * What a loop may keep for its gradient: everything; the states of so many steps, the first one
 * among them; or what fits into so many bytes of kernel memory.
 */
export type LoopMemory = "all" | { readonly steps: number } | { readonly bytes: number };

/** Throws a sentence unless it is "all", or a number of steps or of bytes. */
export function checkMemory(memory: unknown): void {
  if (memory === undefined || memory === "all") return;
  const expected = 'memory must be "all", { steps: n } or { bytes: n }';
  if (typeof memory !== "object" || memory === null || Array.isArray(memory)) {
    throw new TypeError(`unroll: ${expected}, got ${textOf(memory)}`);
  }
  checkOptions("unroll: memory", memory, ["steps", "bytes"]);
  const { steps, bytes } = memory as { readonly steps?: unknown; readonly bytes?: unknown };
  if ((steps === undefined) === (bytes === undefined)) {
    throw new TypeError(`unroll: ${expected}, got ${textOf(memory)}`);
  }
  const [name, value] = steps === undefined ? ["bytes", bytes] : ["steps", steps];
  if (Number.isSafeInteger(value) && (value as number) >= 1) return;
  throw new RangeError(
    `unroll: memory { ${name} } must be a whole number from 1 to 2^53, got ${textOf(value)}`,
  );
}

/**
 * Throws a sentence where a model of several loops, with ops in between, is given so many bytes.
 */
export function refuseBytes(where: string, memory: LoopMemory | undefined): void {
  if (typeof memory !== "object" || !("bytes" in memory)) return;
  throw new TypeError(
    `unroll: memory { bytes: ${memory.bytes} } bounds one loop, and ${where} runs several, with ops between them that take memory too; give memory { steps: n }, or unroll its cells one by one`,
  );
}
