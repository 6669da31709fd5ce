import type { Backend } from "./backend.ts";
import { Block } from "./block.ts";
import { bytesOf } from "./dtype.ts";
import { allocate, giveOwner, isUniquelyHeld, releaseHold, Tensor } from "./tensor.ts";

/**
 * Takes `x` away from its user because `successor` replaces it: the bytes go back as soon as no
 * tape segment needs them, and touching `x` again throws.
 */
export function consume(x: Tensor, successor: Tensor | null, by: string): void {
  const { block } = x;
  const none = gone(block.backend, by);
  block.consumed ??= by;
  releaseHold(x, none.end!);
  block.region?.drop(block, none.end!);
  x.block = none;
  if (successor !== null) supersede(x, successor);
}

/** Lets `next` be the latest in the place of `x`. */
export function supersede(x: Tensor, next: Tensor): void {
  x.line ??= { latest: next };
  x.line.latest = next;
  next.line ??= x.line;
}

/** What consumed values have for a block. */
function gone(backend: Backend, by: string): Block {
  const known = backend.gone.get(by);
  if (known !== undefined) return known;
  const block = new Block(backend, 0, 0);
  block.end = `${by} consumed it; use what that call returned, or pass clone(...) to keep the old value`;
  block.consumed = by;
  backend.gone.set(by, block);
  return block;
}

/**
 * As `consume`, but with a successor that its maker may write to: it gets the bytes where nobody
 * else needs them (JAX donates buffers so), else a copy. It lives on after the window that `x`
 * comes from.
 */
export function donate(x: Tensor, by: string): Tensor {
  const { block, shape, size, dtype } = x;
  if (isUniquelyHeld(x)) {
    const next = new Tensor(block, 0, shape, size, dtype, null, 0, null);
    // Whoever held it goes on to: a scope, or the net.
    next.owner = x.owner;
    x.owner = null;
    x.block = gone(block.backend, by);
    supersede(x, next);
    block.version++;
    moveOutOfWindow(next);
    return next;
  }
  const next = allocate(block.backend, shape, dtype);
  const { move32, move64 } = block.backend.kernels;
  const { copy } = bytesOf[dtype] === 8 ? move64 : move32;
  copy(1, size, x.pointer, size, 1, next.pointer, size, 1);
  giveOwner(next);
  consume(x, next, by);
  return next;
}

/**
 * Moves a value out of the window that it comes from, to the scope around or into the hands of its
 * user.
 */
export function moveOutOfWindow(x: Tensor): void {
  const { block } = x;
  const { window } = block;
  if (window === null) return;
  block.window = null;
  if (block.region !== window) return;
  block.retain();
  const reason = "it moved out of its window";
  window.drop(block, reason);
  giveOwner(x);
  block.release(reason);
}

/** The value that took the place of a consumed one, through any number of updates. */
export function latest(x: Tensor): Tensor {
  let value = x;
  while (value.successor !== null) value = value.successor;
  return value;
}
