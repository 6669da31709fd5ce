import { type Tensor, tree } from "@chronograd/autodiff";
import type { Region } from "@chronograd/autodiff/internal";

/** The memory of each step that was noted, and how often live views had changed it by then. */
const came = new WeakMap<object, readonly [blocks: readonly Tensor["block"][], versions: number]>();

/** The step, a new object, for `checkUnchanged`. */
export function noted<Step extends object>(step: Step, region: Region): Step {
  const blocks = tree.leaves(step).map(({ block }) => block);
  // A step may come with what an earlier one came with, and is read later than that one.
  for (const block of blocks) {
    if (block.region !== region && block.end === undefined) region.hold(block);
  }
  came.set(step, [blocks, versionsOf(blocks)]);
  return step;
}

function versionsOf(blocks: readonly Tensor["block"][]): number {
  let sum = 0;
  for (const { holders, version } of blocks) sum += holders > 0 ? version : Number.NaN;
  return sum;
}

/** Throws when a value of step `t` is gone, or a live view may have changed it since it came. */
export function checkUnchanged(where: string, step: object, t: number): void {
  const [blocks = [], versions = 0] = came.get(step) ?? [];
  if (versionsOf(blocks) === versions) return;
  const gone = blocks.findIndex(({ holders }) => holders <= 0);
  const path = gone < 0 ? "a value" : `the ${tree.leavesWithPath(step)[gone]![0]}`;
  const what =
    gone < 0
      ? "was changed through a live view after the step had come"
      : `is gone: ${blocks[gone]!.whyGone}`;
  throw new Error(
    `${where}: ${path} of step ${t} ${what}; yield tensors of its own with each step, such as clone(x)`,
  );
}
