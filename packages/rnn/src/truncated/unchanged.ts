import { type Tensor, tree } from "@chronograd/autodiff";
import type { Region } from "@chronograd/autodiff/internal";
import { findTensor } from "../findTensor.ts";

/** The memory of an object that was noted, and how often live views had changed it by then. */
interface Came {
  readonly blocks: Tensor["block"][];
  versions: number;
}

/** No part of a tree, because its name is no text. */
const came = Symbol("came");

type Noted = { [came]?: Came };

/** The step, or parameters, a new object: for `checkUnchanged`, and held by the region. */
export function noted<Values extends object>(values: Values, region: Region): Values {
  const found: Came = { blocks: [], versions: 0 };
  findTensor(values, ({ block }) => {
    // A step may come with what an earlier one came with, and is read later than that one.
    if (block.region !== region && block.end === undefined) region.hold(block);
    found.blocks.push(block);
    found.versions += versionOf(block);
    return false;
  });
  (values as Noted)[came] = found;
  return values;
}

const versionOf = ({ holders, version }: Tensor["block"]) => (holders > 0 ? version : Number.NaN);

/** Whether all that an object held when it was noted is there as it was. */
export function isUnchanged(values: object): boolean {
  const found = (values as Noted)[came];
  return (
    found === undefined ||
    found.blocks.reduce((sum, block) => sum + versionOf(block), 0) === found.versions
  );
}

/** Throws when a value of step `t` is gone, or a live view may have changed it since it came. */
export function checkUnchanged(where: string, step: object, t: number): void {
  if (isUnchanged(step)) return;
  const { blocks } = (step as Noted)[came]!;
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
