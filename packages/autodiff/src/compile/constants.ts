import type { Block } from "../tensor/block.ts";

/** How often live views may have changed values from outside. */
export function versionsOf(constants: readonly Block[]): number {
  return constants.reduce((sum, { version }) => sum + version, 0);
}

/** Throws a sentence when a value from outside was consumed since it was recorded. */
export function checkConstants(constants: readonly Block[]): void {
  for (const { consumed } of constants) {
    if (consumed === undefined) continue;
    throw new Error(
      `compile: a value that the function takes from outside was consumed by ${consumed} since the function was recorded; make it an argument, or pass a clone(...) to ${consumed}`,
    );
  }
}
