import { scope } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import {
  adagrad,
  adam,
  adamW,
  applyUpdates,
  type GradientTransformation,
  rmsprop,
  sgd,
} from "@chronograd/nn";
import type { Subject } from "../subject.ts";
import { type Elements, fixture, readTree, type Written } from "./fixture.ts";
import { Worst } from "./worst.ts";

type Flat = Readonly<Record<string, readonly Written[]>>;

interface Start {
  readonly call: "start";
  readonly params: Readonly<Record<string, Elements>>;
  readonly gradients: readonly Flat[];
}
interface Trace {
  readonly call: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** Parameters after some of the updates, by number. */
  readonly trace: Readonly<Record<number, Flat>>;
}

const makers = { sgd, rmsprop, adagrad, adam, adamW };

/** An optimizer by its name. */
export function optimizerOf(name: string, options: unknown): GradientTransformation<unknown> {
  const make = makers[name as keyof typeof makers] as unknown as (
    options: unknown,
  ) => GradientTransformation<unknown>;
  return make(options);
}

function compare({ params: first, gradients }: Start, { call, options, trace }: Trace): Worst {
  const worst = new Worst();
  scope(() => {
    const optimizer = optimizerOf(call, options);
    let params = readTree(first);
    let state = optimizer.init(params);
    for (const [i, flat] of gradients.entries()) {
      const shaped = Object.entries(flat).map(
        ([path, values]) => [path, { shape: first[path]!.shape, values }] as const,
      );
      const gradients = readTree(Object.fromEntries(shaped));
      const [updates, next] = optimizer.update(gradients, state, params);
      params = applyUpdates(params, updates as never) as typeof params;
      state = next;
      const expected = trace[i + 1];
      if (expected !== undefined) worst.tree(params, expected, `after update ${i + 1}:`);
    }
  });
  return worst;
}

/** Every optimizer and option, over 50 updates with gradients of very different sizes. */
export function optimizers(): Subject[] {
  const { torch, cases } = fixture<Start | Trace>("optimizers");
  const [start, ...traces] = cases as readonly [Start, ...Trace[]];
  return Array.from(
    Map.groupBy(traces, ({ call }) => call),
    ([name, own]) => ({
      name,
      group: "PyTorch: optimizers",
      laws: own.map(
        (each): Law => ({
          name: JSON.stringify(each.options),
          statement: `parameters over 50 updates = PyTorch ${torch}'s`,
          bound: 1e-10,
          measure: () => compare(start, each),
        }),
      ),
    }),
  );
}
