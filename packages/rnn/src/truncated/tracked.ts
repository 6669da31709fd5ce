import { type Tape, type Tensor, tree } from "@chronograd/autodiff";
import { findLeaf, nameOfLeaf } from "../leaf.ts";

const isTracked = ({ tape }: Tensor): boolean => tape !== null;

const wayOut =
  "a window is a constant to that tape, so derivatives through it would be zero; differentiate unroll instead, or pass detach(...)ed values";

/** Throws a sentence for a tensor that a tape around the stream tracks. */
export function checkUntracked(name: string, values: unknown): void {
  if (findLeaf(values, isTracked) === undefined) return;
  const [path, x] = tree.leavesWithPath(values).find(([, leaf]) => isTracked(leaf))!;
  throw new TypeError(
    `truncated: ${nameOfLeaf(name, path, x)} is tracked by a tape around the stream (grad, vjp, jvp or one of yours); ${wayOut}`,
  );
}

/**
 * Throws a sentence for a result of a step that another tape than the stream's own tracks: the model or the loss took a value of that
 * tape from outside.
 */
export function checkOwn(name: string, t: number, values: unknown, tape: Tape): void {
  if (findLeaf(values, (x) => x.tape !== null && tape.strip(x).tape !== null) === undefined) return;
  throw new TypeError(
    `truncated: ${name} step ${t} depends on a value from outside that a tape around the stream tracks (grad, vjp, jvp or one of yours); ${wayOut}`,
  );
}
