import { describe, nameOfInput } from "../ops/declare.ts";
import type { Entry } from "../tape/entry.ts";
import { isLike } from "../tensor/checks.ts";
import { Tensor } from "../tensor/tensor.ts";
import { describeType } from "../tensor/text.ts";
import { describeSite, siteOf } from "./site.ts";

/**
 * Whether what a rule returned can be the derivative of `like`: a tensor that is there, of its
 * shape and dtype.
 */
export function fits(found: unknown, like: Tensor): found is Tensor {
  return found instanceof Tensor && isLike(found, like) && found.block.holders > 0;
}

/** Which derivative a rule gives: of the output, or by one input. */
export type Ruled = "jvp" | { readonly rule: "vjp" | "accumulate"; readonly input: number };

/** The refusal of what a rule returned instead of a tensor like `like`. */
export function misfit(
  found: unknown,
  like: Tensor,
  of: Ruled,
  entry: Entry,
  position: number,
): Error {
  const role = of === "jvp" ? "the output" : "the input";
  const wanted = describeType(like);
  let got = describe(found);
  let hint =
    "return a tensor, for example zeros(shape), and none(...) as the rule where there is no derivative";
  if (found instanceof Tensor) {
    const isGone = found.block.holders <= 0;
    got = isGone ? `a tensor that is gone (${found.block.whyGone})` : describeType(found);
    hint = "sum over what was broadcast, reshape(...) or cast(...) it";
    if (isGone) hint = "make it inside the rule";
  }
  return new TypeError(
    `gradient: ${ruleInWords(of, entry)} returned ${got}, expected ${wanted} like ${role}: ${describeSite(siteOf(entry, position))}; ${hint}`,
  );
}

/**
 * What a rule threw, with the place it happened in; of the same kind; the exception itself is the
 * cause.
 */
export function thrown(cause: unknown, of: Ruled, entry: Entry, position: number): Error {
  const words = cause instanceof Error ? cause.message : String(cause);
  const Kind =
    cause instanceof TypeError ? TypeError : cause instanceof RangeError ? RangeError : Error;
  return new Kind(
    `${words} (thrown by ${ruleInWords(of, entry)}: ${describeSite(siteOf(entry, position))})`,
    { cause },
  );
}

function ruleInWords(of: Ruled, { declaration }: Entry): string {
  if (of === "jvp") return `the jvp of ${declaration.name}`;
  return `the ${of.rule} of ${declaration.name} by ${nameOfInput(declaration, of.input)}`;
}
