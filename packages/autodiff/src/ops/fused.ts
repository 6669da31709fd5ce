import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import {
  type AccumulateRule,
  type Application,
  none,
  type OpDeclaration,
  type VjpRule,
} from "./declare.ts";

/** The cotangent of one input, twice: in plain ops, which have derivatives, and by one kernel. */
export interface FusedRule<Attributes> {
  plain(g: Tensor, application: Application<Attributes>): Tensor;
  /** Writes `into`, or adds to it when `accumulate` is 1. */
  kernel(g: Tensor, application: Application<Attributes>, into: Tensor, accumulate: 0 | 1): void;
}

/** The rules of a fused op: kernels, or plain ops when a tape records the sweep. */
export function fusedRules<Attributes>(
  name: string,
  rules: readonly FusedRule<Attributes>[],
): { vjp: VjpRule<Attributes>[]; accumulate: AccumulateRule<Attributes>[] } {
  return {
    vjp: rules.map((rule, input) => {
      const declaration = kernelOf(name, rule, input);
      return (g, application) =>
        isWatched(g, application)
          ? rule.plain(g, application)
          : apply(
              declaration as OpDeclaration,
              [g, application.output, ...application.inputs],
              application.attributes,
            );
    }),
    accumulate: rules.map((rule) => (g, application, into) => {
      rule.kernel(g, application, into, 1);
    }),
  };
}

function isWatched(g: Tensor, { inputs }: Application): boolean {
  if (g.tape !== null) return true;
  for (const input of inputs) if (input.tape !== null) return true;
  return false;
}

/** A rule's kernel as an op of the cotangent, the output and the inputs. */
function kernelOf<Attributes>(
  name: string,
  rule: FusedRule<Attributes>,
  input: number,
): OpDeclaration<Attributes> {
  const unwatched = none("where a tape looks on, the rule is written in plain ops");
  return {
    name: `${name}Vjp`,
    inputs: ["g", "y", "x"],
    shape: ([, , ...inputs]) => inputs[input]!.shape,
    forward(_backend, [g, output, ...inputs], y, attributes) {
      rule.kernel(g!, { inputs, output: output!, attributes }, y, 0);
    },
    residuals: { inputs: [], output: false },
    vjp: unwatched,
    jvp: unwatched,
    samples: [],
  };
}
