import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { Tensor } from "@chronograd/autodiff";
import { crossEntropy, meanSquaredError } from "@chronograd/nn";
import { counted } from "../../command/counted.ts";
import { UsageError } from "../../command/errors.ts";
import { short } from "../../command/short.ts";
import { loadModule } from "../../modules/loadModule.ts";
import { heldOutLoss } from "../../training/evaluate.ts";
import { nonFiniteIn } from "../../training/nonFinite.ts";
import type { HeldOut, Item, Task } from "../../training/task.ts";
import { checkedItems, dataModuleOf } from "./contract.ts";

/** What the task of a module is made of. */
export interface ModuleOptions {
  readonly data: string;
  readonly seed: number;
}

/** How many held-out items are measured while a model trains. */
const estimateItems = 16;

/** The task of a user's module. */
export async function moduleTask({ data, seed }: ModuleOptions): Promise<Task> {
  const module = dataModuleOf(data, await loadModule(data));
  const { input, tokens, output } = module.sizes;
  const title = basename(data);
  const loss = module.loss ?? usualLoss;
  const unit = "per element of the loss";
  const stream = (position: number) =>
    checkedItems(data, "batches", () => module.batches(seed, position));
  // Before a run folder is made.
  checkFirst(data, "batches", stream(0), input);
  const all: HeldOut | undefined = module.heldOut && {
    items: () => checkedItems(data, "heldOut", () => module.heldOut!()),
    burnIn: 0,
  };
  if (all !== undefined) checkFirst(data, "heldOut", all.items(), input);
  return {
    title,
    description: `${title}: rows of ${tokens === undefined ? counted(input!, "number") : `one of ${counted(tokens, "token")}`}`,
    digest: createHash("sha256").update(readFileSync(data)).digest("hex"),
    interface: {
      input: tokens === undefined ? { size: input! } : { tokens },
      ...(output !== undefined && { output }),
    },
    hidden: 32,
    unit,
    tokens: "elements",
    stream,
    loss,
    estimate: all && {
      *items() {
        let left = estimateItems;
        for (const item of all.items()) {
          if (left-- === 0) return;
          yield item;
        }
      },
      burnIn: 0,
    },
    heldOut: () => all?.items(),
    kept: { task: "module" },
    evaluate(trained) {
      if (all === undefined) return { loss: undefined, figures: [], lines: [], sections: [] };
      const { loss: value, tokens: count } = heldOutLoss(trained, all, loss);
      const odd = Number.isFinite(value) ? "" : whyNot(all);
      return {
        loss: value,
        figures: [{ what: "held-out loss", unit, value, better: "lower", baselines: {} }],
        lines: [
          `Held-out loss ${short(value)} ${unit}, over all ${count.toLocaleString("en")}${odd}`,
        ],
        sections: [],
      };
    },
  };
}

/** Why a held-out loss is not finite. */
function whyNot(heldOut: HeldOut): string {
  let index = 0;
  for (const item of heldOut.items()) {
    const odd = nonFiniteIn(item);
    if (odd !== undefined) return `; item ${index} of heldOut has ${odd}`;
    index++;
  }
  return "; all that heldOut gives is finite, so it is the model's";
}

/** Throws a `UsageError` unless there is a first item, with rows of the size that was said. */
function checkFirst(
  path: string,
  name: "batches" | "heldOut",
  items: Iterable<Item>,
  input: number | undefined,
): void {
  for (const item of items) {
    const { shape } = ("inputs" in item ? item.inputs : item.input) as Partial<Tensor>;
    if (input === undefined || shape === undefined || shape.at(-1) === input) return;
    throw new UsageError(
      `--data ${path}: the first item of ${name} has inputs of shape [${shape}], and sizes.input is ${input}, the length of a row`,
    );
  }
  throw new UsageError(`--data ${path}: ${name} gave no items`);
}

/** The cross entropy of int32 targets, and the squared error of others. */
const usualLoss = (output: Tensor, target: Tensor): Tensor =>
  target.dtype === "int32"
    ? crossEntropy(output, target, { reduction: "none" })
    : meanSquaredError(output, target, { reduction: "none" });
