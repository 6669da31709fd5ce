import { tree } from "@chronograd/autodiff";
import { type Initializer, isInitializer } from "@chronograd/nn";
import { definitionOf } from "../cell.ts";
import { elman } from "../cells/elman.ts";
import { gru } from "../cells/gru.ts";
import { irnn } from "../cells/irnn.ts";
import { lstm } from "../cells/lstm.ts";
import { lstmProjected } from "../cells/lstmProjected.ts";
import { textOf } from "../checkDefinition.ts";
import { makingOf } from "../making.ts";
import { bidirectional } from "../models/bidirectional.ts";
import { sequential } from "../models/sequential.ts";
import { stacked } from "../models/stacked.ts";
import { layerLayout } from "./layers.ts";
import { joined, type Layout } from "./layout.ts";
import { recurrentLayout } from "./recurrent.ts";

/** A cell, a layer, or a model made of them. */
export interface Model<Params = unknown> {
  readonly params: Params;
}

/** What is known of a module beside its parameters: how PyTorch names them, and which it has. */
export interface Style {
  /** `"_l0"` in nn.LSTM, and `""` in nn.LSTMCell. */
  suffix(prefix: string): "_l0" | "";
  hasBias(prefix: string): boolean;
}

/** How many gates a family of cells has, of those that PyTorch has too. */
const gatesOf = new Map<object, number>([
  [elman, 1],
  [irnn, 1],
  [lstm, 4],
  [lstmProjected, 4],
  [gru, 3],
]);

const convertible =
  "elman, irnn, lstm, lstmProjected, gru, linear, embedding and layerNorm can be converted, and bidirectional, stacked and sequential of them";

/** The layout of a model; throws a sentence for a part that PyTorch has not. */
export function layoutOf(where: string, model: Model, prefix: string, style: Style): Layout {
  if (typeof model?.params !== "object" || model.params === null) {
    throw new TypeError(
      `${where}: expected a cell or a layer, such as lstm({ input: 3, hidden: 5 }), got ${textOf(model)}`,
    );
  }
  if (typeof prefix !== "string") {
    throw new TypeError(`${where}: prefix must be a text such as "rnn.", got ${textOf(prefix)}`);
  }
  const modules = new Map<string, CellKind>();
  const visit = (part: Model, at: string, suffix?: string): Layout => {
    const { by, parts = {} } = makingOf(part) ?? {};
    const join = (isList: boolean, visitPart: (key: string, each: Model) => Layout) => {
      const visited = Object.entries<Model>(parts as Readonly<Record<string, Model>>);
      return joined(
        visited.map(([key, each]) => [key, visitPart(key, each)]),
        isList,
      );
    };
    if (by === bidirectional && suffix?.endsWith(reverse) !== true) {
      const own = suffix ?? "_l0";
      return join(false, (way, each) => visit(each, at, way === "backward" ? own + reverse : own));
    }
    if (suffix === undefined) {
      if (by === sequential) return join(false, (name, each) => visit(each, `${at}${name}.`));
      if (by === stacked) return join(true, (layer, each) => visit(each, at, `_l${layer}`));
    }
    const params = part.params as Readonly<Record<string, Initializer>>;
    const gates = gatesOf.get(by ?? part);
    if (gates !== undefined) {
      const kind = { by: by!, shape: String(params.U!.shape) };
      checkKind(where, kind, modules.get(at) ?? kind, at);
      modules.set(at, kind);
      const place = { prefix: at, suffix: suffix ?? style.suffix(at), hasBias: style.hasBias(at) };
      return recurrentLayout(params, gates, place);
    }
    const { kind } = part as { readonly kind?: string };
    const layer = kind === undefined ? undefined : layerLayout(kind, params, at);
    if (layer !== undefined && suffix === undefined) return layer;
    if (tree.leavesWithPath(params, isInitializer).length === 0) return joined([], false);
    throw new TypeError(
      `${where}: ${nameOf(part, at)} has no counterpart in PyTorch; ${convertible}`,
    );
  };
  return visit(model, prefix);
}

const reverse = "_reverse";

/** What the cells of one module have in common: their family, and the shape of `U`. */
interface CellKind {
  readonly by: object;
  readonly shape: string;
}

function checkKind(where: string, own: CellKind, first: CellKind, prefix: string): void {
  if (own.by === first.by && own.shape === first.shape) return;
  const text = ({ by, shape }: CellKind) => `${definitionOf(by)!.name!} with U [${shape}]`;
  throw new TypeError(
    `${where}: ${nameOfPlace(prefix)}${text(first)} and ${text(own)} are not one module of PyTorch, whose layers and directions have one kind of cell and one hidden size; give them the same, or make each a part of sequential, with a module of its own`,
  );
}

/** A part in words: `"rnn", a gruResetBefore,`. */
function nameOf(part: Model, prefix: string): string {
  const by = makingOf(part)?.by;
  const what = by && (definitionOf(by)?.name ?? madeBy.get(by));
  return `${nameOfPlace(prefix)}${what ?? "a model of your own"}`;
}

/** Models that may not stand where they stand, by name. */
const madeBy = new Map<object, string>([
  [sequential, "sequential in stacked or bidirectional"],
  [stacked, "stacked in stacked or bidirectional"],
  [bidirectional, "bidirectional in bidirectional"],
]);

function nameOfPlace(prefix: string): string {
  return prefix === "" ? "" : `"${prefix.slice(0, -1)}": `;
}
