import type { StepLoss } from "@chronograd/rnn";
import { UsageError } from "../../command/errors.ts";
import { nearest } from "../../command/nearest.ts";
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
  for (const name of Object.keys(module)) {
    const meant = known.includes(name) ? undefined : nearest(name, known);
    if (meant !== undefined && module[meant as keyof DataModule] === undefined) {
      refuse(`it exports ${name}, did you mean "${meant}"?`);
    }
  }
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

/** Items of a module, each checked. What the module throws becomes a sentence that names it. */
export function* checkedItems(
  path: string,
  name: "batches" | "heldOut",
  make: () => unknown,
): Generator<Item> {
  const items = asked(path, name, make);
  if (typeof Object(items)[Symbol.iterator] !== "function") {
    throw new UsageError(
      `--data ${path}: ${name} must return an iterable, such as function* ${name}() { yield { input, target }; }, got ${Symbol.asyncIterator in Object(items) ? "an asynchronous one; read what it waits for before, with await at the top of the module" : typeof items}`,
    );
  }
  const iterator = (items as Iterable<Item>)[Symbol.iterator]();
  try {
    for (let i = 0; ; i++) {
      const { done, value: item } = asked(path, name, () => iterator.next());
      if (done) return;
      const keys = Object.keys(Object(item));
      const has = (...wanted: string[]) => wanted.every((key) => keys.includes(key));
      if (!has("input", "target") && !has("inputs", "targets")) {
        throw new UsageError(
          `--data ${path}: item ${i} of ${name} must be a time step { input, target } or a sequence { inputs, targets }, got ${keys.length > 0 ? `{ ${keys.join(", ")} }` : String(item)}`,
        );
      }
      yield item;
    }
  } finally {
    iterator.return?.();
  }
}

/** What a function of a module returns. */
function asked<T>(path: string, name: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new UsageError(`--data ${path}: ${name} threw ${why}`);
  }
}
