import { compile, scope, Tape, type Tensor, tensor } from "@chronograd/autodiff";
import { sizeOf } from "../protocol.ts";
import type { Maker } from "../serve.ts";
import { compiles } from "./configuration.ts";

type Link = (x: Tensor, w: Tensor) => Tensor;

const links: Readonly<Record<string, Link>> = {
  neg: (x) => x.neg(),
  mul: (x, w) => x.mul(w),
};

/** `ops` links, one after the other. */
function chain(link: Link, ops: number, x: Tensor, w: Tensor): Tensor {
  let y = x;
  for (let i = 0; i < ops; i++) y = link(y, w);
  return y;
}

/** Milliseconds of recording a chain, or of the sweep back alone. */
function recorded(link: Link, ops: number, x: Tensor, w: Tensor, forward: boolean): number {
  return scope(() => {
    const tape = new Tape();
    const watched = tape.watch({ x, w });
    let started = performance.now();
    const y = chain(link, ops, watched.x, watched.w);
    let ms = performance.now() - started;
    if (!forward) {
      const loss = y.sum();
      started = performance.now();
      tape.gradient(loss, watched);
      ms = performance.now() - started;
    }
    return ms;
  });
}

/**
 * A chain of ops on few elements, so that its time is the overhead of an op. On a tape, `forward`
 * and `backward` are timed separately; as a plan, `backward` is the time of both.
 */
export const overhead: Maker = ({ config }) => {
  const ops = sizeOf(config, "ops");
  const ones = new Float32Array(sizeOf(config, "elements")).fill(1);
  const link = links[config.op as string]!;
  const forward = config.direction === "forward";
  const x = tensor(ones);
  const w = tensor(ones);
  if (!compiles) return { step: () => ({ ms: recorded(link, ops, x, w, forward) }) };
  const plan = compile((x: Tensor, w: Tensor) => {
    if (forward) return { y: chain(link, ops, x, w) };
    const tape = new Tape();
    const watched = tape.watch({ x, w });
    return tape.gradient(chain(link, ops, watched.x, watched.w).sum(), watched);
  });
  return {
    step: () => {
      const started = performance.now();
      scope(() => plan(x, w));
      return { ms: performance.now() - started };
    },
    facts: () => ({ compiled: plan.explain().includes("not compiled") ? "no" : "yes" }),
  };
};
