import { named, type Shape, scope, type Tensor } from "@chronograd/autodiff";
import type { Cell } from "../cell.ts";
import { initialState, likeParams } from "../initial.ts";
import { refuseBytes } from "../loop/options.ts";
import { runStep } from "../runStep.ts";
import { type SequenceModel, type UnrollOptions, unroll } from "../unroll.ts";

/** A cell from tensor to tensor. */
export interface TensorCell {
  readonly params: unknown;
  readonly state: unknown;
  readonly input?: Shape;
  readonly noise?: unknown;
  initial?(params: never, batch: number): unknown;
  step(
    params: never,
    x: Tensor,
    state: never,
    noise?: unknown,
  ): readonly [output: Tensor, state: unknown];
}

/** A model of whole sequences of tensors. */
export interface TensorSequenceModel {
  readonly params: unknown;
  readonly state: unknown;
  readonly input?: Shape;
  readonly noise?: unknown;
  unroll(
    params: never,
    inputs: Tensor,
    options: never,
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
  const treeOf = (f: (part: Part, key: string) => unknown): unknown => {
    const values = emptyTree();
    for (const [key, part] of entries) values[key] = f(part, key);
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
  const [[firstKey, first]] = entries as [(typeof entries)[number]];
  const ofParts = {
    params: treeOf((part) => part.params),
    state: treeOf((part) => ("state" in part ? part.state : {})),
    noise: treeOf((part) => ("noise" in part ? part.noise : undefined)),
    ...("input" in first && { input: first.input }),
  };
  const step = (params: Tree, input: Tensor, state: Tree, noise?: Tree) =>
    through(input, (part, x, key) =>
      "step" in part
        ? runStep(part, params[key]!, x, state[key]!, noise?.[key])
        : [(part as StepLayer).apply(params[key]!, x), {}],
    );
  const initial = (params: Tree, batch: number) =>
    treeOf((part, key) => {
      if (!("step" in part)) return {};
      return part.initial?.(params[key]!, batch) ?? initialState(part, batch, likeParams(params));
    });
  const isLearned = entries.some(([, part]) => "initial" in part);
  const isCell = entries.every(([, part]) => "step" in part || "apply" in part);
  /** Made once, because plans are kept with a model. */
  const models = new Map(entries.map(([, part]) => [part, modelOf(part)]));
  const unrollInTurn = (params: Tree, inputs: Tensor, options: UnrollOptions<Tree>) => {
    const { state, burnIn = 0, context, parallel, ...rest } = options;
    refuseBytes("a model of whole sequences", rest.memory);
    refuseBurnIn(burnIn);
    return scope(() => {
      const [outputs, states] = through(inputs, (part, x, key) => {
        const found = unroll(models.get(part)!, params[key]!, x, {
          ...rest,
          ...(state && { state: state[key] as never }),
          ...(key === firstKey && { context }),
          ...(parallel === true && isAtOnce(part) && { parallel }),
        });
        return [found.outputs, found.state];
      });
      return { outputs, state: states };
    });
  };
  const model = isCell
    ? {
        ...ofParts,
        step,
        ...(isLearned && { initial }),
        ...(entries.some(([, part]) => isAtOnce(part)) && { unroll: unrollInTurn }),
      }
    : { ...ofParts, unroll: unrollInTurn };
  return model as unknown as InTurn<Own>;
}

/** Throws a sentence where a model of whole sequences is asked to warm up. */
export function refuseBurnIn(burnIn: number): void {
  if (burnIn === 0) return;
  throw new RangeError(
    `unroll: a model that runs part by part over a whole sequence takes no burnIn, got ${burnIn}; leave it out, and give the first steps no loss`,
  );
}

/** Whether a part has a way over a whole sequence at once. */
export function isAtOnce(part: object): boolean {
  return "linear" in part || "unroll" in part;
}

/** A part as a model: a layer is a cell without a state. */
function modelOf(part: Part): Cell<never, never> | SequenceModel<never, never> {
  if (!("apply" in part)) return part as unknown as Cell<never, never>;
  const { params } = part;
  const step = (own: never, x: Tensor) => [part.apply(own, x), {}];
  return { params, state: {}, step } as unknown as Cell<never, never>;
}
