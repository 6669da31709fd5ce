import type { StepLoss } from "@chronograd/rnn";
import { UsageError } from "../../command/errors.ts";
import type { Item } from "../../training/task.ts";

/**
 * What a module for `--data` exports, one by one or as an object that is its default export.
 *
 * `Item` is a time step `{ input, target }` of tensors `[B, ...]`, or a sequence
 * `{ inputs, targets }` of tensors `[T, B, ...]`, whose rows begin afresh. All have the same B.
 */
export interface DataModule {
  /** What the model reads: rows of `input` numbers, or one of `tokens`; and puts out. */
  readonly sizes: { readonly input?: number; readonly tokens?: number; readonly output?: number };
  /** Items from number `position` on; the training is over where they end. */
  batches(seed: number, position: number): Iterable<Item>;
  /** The loss of a time step; the squared error, or the cross entropy of int32 targets. */
  readonly loss?: StepLoss<never, never>;
  /** Items that are held out, from the first to the last. */
  heldOut?(): Iterable<Item>;
}

const known = ["sizes", "batches", "loss", "heldOut"];

/** The module that exports make. Throws a `UsageError` with what is missing or wrong. */
export function dataModuleOf(path: string, exports: Readonly<Record<string, unknown>>): DataModule {
  const { default: whole } = exports;
  const module = (typeof whole === "object" && whole !== null ? whole : exports) as Partial<
    Record<keyof DataModule, unknown>
  >;
  const refuse = (why: string): never => {
    throw new UsageError(`--data ${path}: ${why}`);
  };
  for (const name of ["batches", "sizes"] as const) {
    if (module[name] !== undefined) continue;
    const got = Object.keys(module).join(", ") || "nothing";
    refuse(
      `it exports no ${name}; expected ${known.join(", ")} (the last two if needed), got ${got}`,
    );
  }
  for (const name of ["batches", "loss", "heldOut"] as const) {
    const kind = typeof module[name];
    if (kind === "function" || (kind === "undefined" && name !== "batches")) continue;
    refuse(`${name} must be a function, got ${kind}`);
  }
  const { input, tokens, output } = Object(module.sizes) as Record<string, unknown>;
  const given = { input, tokens, output };
  for (const [name, size] of Object.entries(given)) {
    if (size === undefined || (Number.isSafeInteger(size) && Number(size) >= 1)) continue;
    refuse(`sizes.${name} must be a whole number of at least 1, got ${JSON.stringify(size)}`);
  }
  if ((input === undefined) === (tokens === undefined)) {
    refuse(
      "sizes must have either input, the length of a row of numbers, or tokens, how many there are",
    );
  }
  return module as DataModule;
}

/** Items of a module, each checked. */
export function* checkedItems(
  path: string,
  name: "batches" | "heldOut",
  items: unknown,
): Generator<Item> {
  if (typeof Object(items)[Symbol.iterator] !== "function") {
    throw new UsageError(
      `--data ${path}: ${name} must return an iterable, such as function* ${name}() { yield { input, target }; }, got ${typeof items}`,
    );
  }
  let i = 0;
  for (const item of items as Iterable<Item>) {
    const keys = Object.keys(Object(item));
    const isItem =
      (keys.includes("input") && keys.includes("target")) ||
      (keys.includes("inputs") && keys.includes("targets"));
    if (!isItem) {
      throw new UsageError(
        `--data ${path}: item ${i} of ${name} must be a time step { input, target } or a sequence { inputs, targets }, got ${keys.length > 0 ? `{ ${keys.join(", ")} }` : String(item)}`,
      );
    }
    yield item;
    i++;
  }
}
