import { bytesText } from "../command/bytes.ts";
import { UsageError } from "../command/errors.ts";
import type { PlainCell } from "../modules/loadCell.ts";

/** What the kernels can address. */
const most = 2 ** 32;
/** A float32 parameter, its gradient, and the two moments of Adam. */
const bytesOfParameter = 4 * 4;

/** Throws a `UsageError` where the parameters of a cell are too many, before any is drawn. */
export function checkMemory({ params }: PlainCell, where: string): void {
  const count = numbersIn(params);
  const bytes = count * bytesOfParameter;
  if (bytes <= most) return;
  throw new UsageError(
    `${where}: ${count.toLocaleString("en")} parameters with their gradients and moments take ${bytesText(bytes)}, and the kernels can address ${bytesText(most)}; take fewer hidden units`,
  );
}

/** How many numbers a tree of initializers will draw. */
function numbersIn(node: unknown): number {
  if (typeof node !== "object" || node === null) return 0;
  const { shape, draw } = node as { readonly shape?: unknown; readonly draw?: unknown };
  if (Array.isArray(shape) && typeof draw === "function") {
    return (shape as number[]).reduce((size, length) => size * length, 1);
  }
  return Object.values(node).reduce<number>((sum, child) => sum + numbersIn(child), 0);
}
