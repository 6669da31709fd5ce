import type { Backend } from "../tensor/backend.ts";
import { leaves, leavesWithPath } from "../tensor/tree.ts";
import { Pattern } from "./pattern.ts";
import type { Replay } from "./replay.ts";
import { signatureOf } from "./signature.ts";

/** A function that runs as a plan; see `compile`. */
export interface Compiled<Args extends unknown[], Y> {
  (...args: Args): Y;
  /** Every plan that is kept, or why there is none, in words. */
  explain(): string;
}

/** Plans kept for one function; the one that was not used for longest gives way. */
const mostPlans = 32;

/**
 * A function that is recorded once for each signature of its arguments.
 *
 * @param where the transform that was called, as sentences name it
 * @param record a recording for arguments of one signature, or the reason why there is none
 */
export function bySignature<Args extends unknown[], Y>(
  where: string,
  f: (...args: Args) => Y,
  record: (args: Args) => Replay<Args, Y> | string,
): Compiled<Args, Y> {
  /** By signature, those used last at the end. */
  const plans = new Map<string, Replay<Args, Y> | string>();
  /** That of the call before, and what the arguments were like. */
  let last: { readonly pattern: Pattern; readonly plan: Replay<Args, Y> } | undefined;
  let dropped = 0;
  const planFor = (args: Args, home: Backend | undefined): Replay<Args, Y> | string => {
    const key = signatureOf(where, args);
    let plan = plans.get(key);
    if (typeof plan === "object" && plan.backend !== home) {
      plan.end();
      plans.delete(key);
      plan = undefined;
    }
    if (plan === undefined) plan = record(args);
    else plans.delete(key);
    plans.set(key, plan);
    if (plans.size > mostPlans) {
      const [oldest, old] = plans.entries().next().value!;
      plans.delete(oldest);
      if (typeof old !== "string") old.end();
      dropped++;
    }
    last = typeof plan === "string" ? undefined : { pattern: new Pattern(args), plan };
    return plan;
  };
  const compiled = (...args: Args): Y => {
    const known = last?.pattern.tensorsOf(args);
    const isLast = known !== undefined && last!.pattern.isExact(known);
    const inputs = isLast ? known : leaves(args);
    const home = inputs[0]?.backend;
    for (const { block, backend, tape } of inputs) {
      if (block.holders <= 0) throw goneIn(where, args);
      // Inside another function that is being compiled, it is part of that.
      if (backend.parent !== null || tape !== null) return f(...args);
      // It says best that values of several backends do not mix.
      if (backend !== home) return f(...args);
    }
    const isKnown = isLast && (home === undefined || home === last!.plan.backend);
    const plan = isKnown ? last!.plan : planFor(args, home);
    if (typeof plan === "string") return f(...args);
    const difference = plan.difference(args);
    if (difference === undefined) return plan.run(args, inputs);
    // What was recorded is worth nothing any more: the next call records anew.
    for (const old of plans.values()) if (typeof old !== "string") old.end();
    plans.clear();
    last = undefined;
    throw new Error(
      `${where}: the function is not what was recorded, since it takes something from outside that has changed: ${difference}; pass what changes as an argument (a tensor, so that it needs no plan of its own), or call the function itself`,
    );
  };
  const explain = () => {
    const lines = [...plans].map(([key, plan]) => {
      const what = typeof plan === "string" ? `not compiled, because ${plan}` : plan.explain();
      return `for ${key}: ${what}`;
    });
    if (dropped > 0) {
      lines.push(
        `${dropped} more plans gave way to these, the ${mostPlans} used last; numbers among the arguments are part of a plan: pass what changes as a tensor`,
      );
    }
    return lines.join("\n");
  };
  return Object.assign(compiled, { explain });
}

/** The first argument that is gone, as an error. */
function goneIn(where: string, args: readonly unknown[]): Error {
  const [path, x] = leavesWithPath(args).find(([, { block }]) => block.holders <= 0)!;
  return new Error(`${where}: the argument at "${path}" is gone: ${x.block.whyGone}`);
}
