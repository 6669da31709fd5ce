import { type Tensor, tree } from "@chronograd/autodiff";
import type { Region } from "@chronograd/autodiff/internal";

/** The memory of each object that was noted, and how often live views had changed it by then. */
const came = new WeakMap<object, readonly [blocks: readonly Tensor["block"][], versions: number]>();

/** The step, or parameters, a new object: for `checkUnchanged`, and held by the region. */
export function noted<Values extends object>(values: Values, region: Region): Values {
  const blocks = tree.leaves(values).map(({ block }) => block);
  // A step may come with what an earlier one came with, and is read later than that one.
  for (const block of blocks) {
    if (block.region !== region && block.end === undefined) region.hold(block);
  }
  came.set(values, [blocks, versionsOf(blocks)]);
  return values;
}

function versionsOf(blocks: readonly Tensor["block"][]): number {
  let sum = 0;
  for (const { holders, version } of blocks) sum += holders > 0 ? version : Number.NaN;
  return sum;
}

/** Whether all that an object held when it was noted is there as it was. */
export function isUnchanged(object: object): boolean {
  const [blocks, versions] = came.get(object) ?? [[], 0];
  return versionsOf(blocks) === versions;
}

/** Throws when a value of step `t` is gone, or a live view may have changed it since it came. */
export function checkUnchanged(where: string, step: object, t: number): void {
  if (isUnchanged(step)) return;
  const [blocks] = came.get(step)!;
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
