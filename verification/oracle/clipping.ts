import { scope } from "@chronograd/autodiff";
import {
  type ClipState,
  clipAdaptive,
  clipByGlobalNorm,
  clipByValue,
  clipPerParameter,
  type GradientTransformation,
} from "@chronograd/nn";
import type { Subject } from "../subject.ts";
import { type Elements, fixture, readTree } from "./fixture.ts";
import { Worst } from "./worst.ts";

type Flat = Readonly<Record<string, Elements>>;

interface ClipCase {
  readonly label: string;
  readonly call: string;
  readonly args: readonly unknown[];
  readonly before: Flat;
  readonly params?: Flat;
  readonly after: Flat;
  readonly norm: number;
  /** What PyTorch adds to the norm before it divides by it. */
  readonly epsilon: number;
}

const clippers = { clipAdaptive, clipByGlobalNorm, clipByValue, clipPerParameter };

type Clipper = (...args: readonly unknown[]) => GradientTransformation<ClipState>;

function compare(each: ClipCase, worst: Worst): void {
  const { label, call, args, before, params, after, norm, epsilon } = each;
  const clip = clippers[call as keyof typeof clippers] as unknown as Clipper;
  const written = args.map((arg) =>
    typeof arg === "object" ? { ...arg, ...orderOf(arg as { order?: unknown }) } : arg,
  );
  const gradients = readTree(before);
  const link = clip(...written);
  const weights = readTree(params ?? before);
  const [found, state] = link.update(gradients, link.init(weights), weights);
  worst.number(state.norm.item(), norm, () => `${label}: norm`);
  const same = Object.entries(after).every(
    ([path, { values }]) => values.join() === before[path]!.values.join(),
  );
  const factor = same ? 1 : (norm + epsilon) / norm;
  const expected = Object.fromEntries(
    Object.entries(after).map(([path, { shape, values }]) => [
      path,
      { shape, values: values.map((value) => Number(value) * factor) },
    ]),
  );
  worst.tree(found as never, expected, label);
}

function orderOf({ order }: { order?: unknown }): { order?: number } {
  return order === undefined ? {} : { order: Number(order) };
}

/** Gradients and norms from every clip function. */
export function clipping(): Subject[] {
  const { torch, cases } = fixture<ClipCase>("clipping");
  return Array.from(
    Map.groupBy(cases, ({ call }) => call),
    ([name, own]) => ({
      name,
      group: "PyTorch: clipping",
      laws: [
        {
          name: "values",
          statement: `norm, and gradients after clipping = PyTorch ${torch}'s, its epsilon beside the norm taken out`,
          bound: 1e-10,
          measure: () => {
            const worst = new Worst();
            for (const each of own) scope(() => compare(each, worst));
            return worst;
          },
        },
      ],
    }),
  );
}
