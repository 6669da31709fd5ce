import { named, scope, type Tensor } from "@chronograd/autodiff";
import { type Cell, runStep } from "../cell.ts";
import { type UnrollOptions, unroll } from "../unroll.ts";
import type { SequenceModel } from "./sequenceModel.ts";

/** A cell from tensor to tensor. */
export interface TensorCell {
  readonly params: unknown;
  readonly state: unknown;
  step(params: never, x: Tensor, state: never): readonly [output: Tensor, state: unknown];
}

/** A model of whole sequences of tensors. */
export interface TensorSequenceModel {
  readonly params: unknown;
  readonly state: unknown;
  unroll(
    params: never,
    inputs: Tensor,
    options?: never,
  ): { readonly outputs: Tensor; readonly state: unknown };
}

/** A layer that is applied at every step. */
export interface StepLayer {
  readonly params: unknown;
  apply(params: never, x: Tensor): Tensor;
}

/** What may run one after another. */
export type Part = TensorCell | TensorSequenceModel | StepLayer;

/** Parts by name, or in a list. */
export type Parts = Readonly<Record<string, Part>> | readonly Part[];

/** Parameters by part. */
type ParamsOf<Own> = {
  readonly [K in keyof Own]: Own[K] extends { readonly params: infer P } ? P : never;
};
/** States by part; a layer's is empty. */
type StatesOf<Own> = {
  readonly [K in keyof Own]: Own[K] extends { readonly state: infer S } ? S : Record<never, never>;
};

type OneOf<Own> = Own extends readonly unknown[] ? Own[number] : Own[keyof Own];

/** A cell where every part has a step, a model of whole sequences elsewhere. */
export type InTurn<Own> = [OneOf<Own>] extends [{ step: unknown } | { apply: unknown }]
  ? Cell<ParamsOf<Own>, StatesOf<Own>>
  : SequenceModel<ParamsOf<Own>, StatesOf<Own>>;

/** A tree by the names or places of parts. */
type Tree = Record<string, never>;

/**
 * Parts one after another, as one model whose parameters and states are trees like `parts`: at
 * every step where all have one, else over the whole sequence, part by part.
 *
 * @param nameOf the name of a part in reports
 */
export function inTurn<const Own extends Parts>(
  parts: Own,
  nameOf: (key: string) => string,
): InTurn<Own> {
  const entries = Object.entries<Part>(parts).map(
    ([key, part]) => [key, part, nameOf(key)] as const,
  );
  const emptyTree = () => (Array.isArray(parts) ? [] : {}) as Record<string, unknown>;
  const treeOf = (f: (part: Part) => unknown): unknown => {
    const values = emptyTree();
    for (const [key, part] of entries) values[key] = f(part);
    return values;
  };
  /** Lets each part turn a value into the next one; the results beside them make a tree. */
  const through = (
    input: Tensor,
    run: (part: Part, x: Tensor, key: string) => readonly [Tensor, unknown],
  ): readonly [Tensor, Tree] => {
    const results = emptyTree();
    let value = input;
    for (const [key, part, name] of entries) {
      const x = value;
      [value, results[key]] = named(name, () => run(part, x, key));
    }
    return [value, results as Tree];
  };
  const trees = {
    params: treeOf(({ params }) => params),
    state: treeOf((part) => ("state" in part ? part.state : {})),
  };
  const model = entries.every(([, part]) => "step" in part || "apply" in part)
    ? {
        ...trees,
        step: (params: Tree, input: Tensor, state: Tree) =>
          through(input, (part, x, key) =>
            "step" in part
              ? runStep(part, params[key]!, x, state[key]!)
              : [(part as StepLayer).apply(params[key]!, x), {}],
          ),
      }
    : {
        ...trees,
        unroll: (params: Tree, inputs: Tensor, { state, ...rest }: UnrollOptions<Tree> = {}) =>
          scope(() => {
            const [outputs, states] = through(inputs, (part, x, key) => {
              const own = { ...rest, ...(state && { state: state[key] as never }) };
              const found = unroll(modelOf(part), params[key]!, x, own);
              return [found.outputs, found.state];
            });
            return { outputs, state: states };
          }),
      };
  return model as unknown as InTurn<Own>;
}

/** A part as a model: a layer is a cell without a state. */
function modelOf(part: Part): Cell<never, never> | SequenceModel<never, never> {
  if (!("apply" in part)) return part as unknown as Cell<never, never>;
  const { params } = part;
  const step = (own: never, x: Tensor) => [part.apply(own, x), {}];
  return { params, state: {}, step } as unknown as Cell<never, never>;
}
