import { stack, Tape, type Tensor, tree } from "@chronograd/autodiff";
import { embedding, type Initializer, isInitializer, layerNorm, linear } from "@chronograd/nn";
import {
  bidirectional,
  type Cell,
  elman,
  gru,
  lstm,
  lstmProjected,
  sequential,
  stacked,
  unroll,
  type Values,
} from "@chronograd/rnn";
import { fromPyTorch, toPyTorch } from "@chronograd/rnn/pytorch";
import type { Subject } from "../subject.ts";
import { type Call, callSubjects, cotangentsOf, type Named, over } from "./calls.ts";
import { type Case, fixture, read } from "./fixture.ts";
import type { Worst } from "./worst.ts";

/** A model from vectors to vectors, whatever its parameters and states. */
type VectorModel = Cell<unknown, unknown>;
type State = Values<unknown>;

/** How `modules.py` calls a module of PyTorch. */
interface Options {
  readonly nonlinearity?: "tanh" | "relu";
  readonly proj_size?: number;
  readonly num_layers?: number;
  readonly bidirectional?: boolean;
  readonly bias?: boolean;
}

const [input, hidden] = [2, 3];

function cellOf(kind: string, width: number, options: Options): VectorModel {
  const sizes = { input: width, hidden };
  const { proj_size: projection, nonlinearity: activation = "tanh" } = options;
  if (kind.startsWith("nn.RNN")) return elman({ ...sizes, activation });
  if (kind.startsWith("nn.GRU")) return gru(sizes);
  return projection === undefined ? lstm(sizes) : lstmProjected({ ...sizes, projection });
}

/** The model that is a module of PyTorch. */
function modelOf(kind: string, options: Options): VectorModel {
  if (kind === "nn.Module") {
    return sequential({
      embedding: embedding({ input: 7, output: input }),
      lstm: stacked([lstm({ input, hidden }), lstm({ input: hidden, hidden })]),
      norm: layerNorm({ input: hidden }),
      head: linear({ input: hidden, output: 7 }),
    });
  }
  const {
    num_layers: count = 1,
    bidirectional: isBoth = false,
    proj_size: width = hidden,
  } = options;
  const layers = Array.from({ length: count }, (_, layer) => {
    const cell = cellOf(kind, layer === 0 ? input : width * (isBoth ? 2 : 1), options);
    return isBoth ? (bidirectional(cell) as unknown as VectorModel) : cell;
  });
  return count === 1 ? layers[0]! : stacked(layers);
}

/** First states as a tree; PyTorch has them layer by layer, forwards and then in reverse. */
function stateOf({ state }: VectorModel, { h, c }: Named): State | undefined {
  if (h === undefined) return undefined;
  const rows = (x: Tensor): Tensor[] =>
    x.rank === 2 ? [x] : Array.from({ length: x.shape[0]! }, (_, i) => x.slice([i]));
  const left = { h: rows(h), c: c === undefined ? [] : rows(c) };
  const next = (path: string) => left[path.split(".").at(-1) as "h" | "c"].shift()!;
  return tree.map(state, (_: Initializer, path) => next(path), isInitializer) as State;
}

/** Last states as PyTorch stacks them, where the first were given. */
function statesOf(state: State, { h }: Named): Named {
  if (h === undefined) return {};
  const leaves = Map.groupBy(tree.leavesWithPath(state), ([path]) => path.split(".").at(-1)!);
  const joined = (own: readonly Tensor[]) => (h.rank === 2 ? own[0]! : stack(own));
  return Object.fromEntries(
    Array.from(leaves, ([name, own]) => [name, joined(own.map(([, leaf]) => leaf))]),
  );
}

function run(model: VectorModel, params: State, inputs: Named, lengths: unknown): Named {
  const { x, ...first } = inputs;
  const state = stateOf(model, first);
  const found = unroll(model, params, x!, {
    ...(state !== undefined && { state }),
    ...(Array.isArray(lengths) && { lengths: lengths as number[] }),
  });
  return { outputs: found.outputs, ...statesOf(found.state, first) };
}

/** Inputs and first states, and the state dict. */
function partsOf<T>(named: Readonly<Record<string, T>>) {
  const { x, h, c, ...stateDict } = named;
  const inputs = { x: x!, ...(h && { h }), ...(c && { c }) } as Readonly<Record<string, T>>;
  return { inputs, stateDict: stateDict as Readonly<Record<string, T>> };
}

const callOf =
  (kind: string): Call =>
  (named, [options, lengths]) => {
    const { inputs, stateDict } = partsOf(named);
    const model = modelOf(kind, options as Options);
    return run(model, fromPyTorch(stateDict, model), inputs, lengths);
  };

/** The model of a case, its parameters, and how PyTorch names them. */
function readModel(each: Case) {
  const { inputs, stateDict } = partsOf(each.inputs);
  const [options, lengths] = each.args as [Options, unknown];
  const model = modelOf(each.call, options);
  const tensors = (elements: Case["inputs"]) =>
    Object.fromEntries(
      Object.entries(elements).map(([name, x]) => [name, read(x, x.integers === true)]),
    );
  const style = { bias: options.bias ?? true, cellNames: each.call.endsWith("Cell") };
  const params = fromPyTorch(tensors(stateDict), model);
  return { model, params, inputs: tensors(inputs), lengths, style, stateDict };
}

/** Gradients by the model's own parameters, written as PyTorch names them. */
function compareNames(each: Case, worst: Worst): void {
  const { model, params, inputs, lengths, style, stateDict } = readModel(each);
  const tape = new Tape();
  const watched = tape.watch(params);
  const outputs = run(model, watched, inputs, lengths);
  const targets = cotangentsOf(each);
  const gradients = tape.gradient(
    targets.map(([name]) => outputs[name]!),
    watched,
    { cotangent: targets.map(([, g]) => read(g)) },
  );
  const found = toPyTorch(gradients, model, { ...style, gradients: true });
  const expected = Object.entries(stateDict).map(([name, x]) => [name, x.gradient!] as const);
  worst.tree(found, Object.fromEntries(expected), `${each.label}: by`);
}

/** Parameters written and read again, beside what they were. */
function compareWritten(each: Case, worst: Worst): void {
  const { model, params, style } = readModel(each);
  const again = fromPyTorch(toPyTorch(params, model, style), model);
  const elements = tree.leavesWithPath(params).map(([path, x]) => {
    return [path, { shape: x.shape, values: [...x.toTypedArray()] }] as const;
  });
  worst.tree(again, Object.fromEntries(elements), each.label);
}

/** State dicts of modules, read, run and written; with lengths, as packed sequences. */
export function modules(): Subject[] {
  const { torch, cases } = fixture("modules");
  return callSubjects("modules", "PyTorch: state dicts", callOf).map((subject) => {
    const own = cases.filter(({ call }) => call === subject.name);
    return {
      ...subject,
      laws: [
        ...subject.laws,
        {
          name: "gradients by name",
          statement: `toPyTorch(g J) = the gradients of PyTorch ${torch}, under its names`,
          bound: 1e-10,
          measure: () => over(own, compareNames),
        },
        {
          name: "there and back",
          statement: "fromPyTorch(toPyTorch(params)) = params",
          bound: 0,
          measure: () => over(own, compareWritten),
        },
      ],
    };
  });
}
