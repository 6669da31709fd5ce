import { tree } from "@chronograd/autodiff";
import { type Initializer, isInitializer } from "@chronograd/nn";
import { definitionOf } from "../cell.ts";
import { elman } from "../cells/elman.ts";
import { gru } from "../cells/gru.ts";
import { lstm } from "../cells/lstm.ts";
import { textOf } from "../checkDefinition.ts";
import { makingOf } from "../making.ts";
import { sequential } from "../sequential.ts";
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
  [lstm, 4],
  [gru, 3],
]);

const convertible = "elman, gru and lstm, linear, embedding and layerNorm, and sequential of them";

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
  const visit = (part: Model, at: string, suffix?: string): Layout => {
    const { by, parts } = makingOf(part) ?? {};
    if (by === sequential && suffix === undefined) {
      const named = Object.entries(parts as Readonly<Record<string, Model>>);
      return joined(
        named.map(([name, each]) => [name, visit(each, `${at}${name}.`)]),
        false,
      );
    }
    const params = part.params as Readonly<Record<string, Initializer>>;
    const gates = gatesOf.get(by ?? part);
    if (gates !== undefined) {
      const place = { prefix: at, suffix: suffix ?? style.suffix(at), hasBias: style.hasBias(at) };
      return recurrentLayout(params, gates, place);
    }
    const { kind } = part as { readonly kind?: string };
    const layer = kind === undefined ? undefined : layerLayout(kind, params, at);
    if (layer !== undefined && suffix === undefined) return layer;
    const isEmpty = tree.leavesWithPath(params, isInitializer).length === 0;
    if (isEmpty) return joined([], false);
    throw new TypeError(
      `${where}: ${nameOf(part, at)} has no counterpart in PyTorch; ${convertible} can be converted`,
    );
  };
  return visit(model, prefix);
}

/** A part in words: `"rnn", a gruResetBefore,`. */
function nameOf(part: Model, prefix: string): string {
  const by = makingOf(part)?.by;
  const what = (by && definitionOf(by)?.name) ?? "a model of your own";
  return prefix === "" ? what : `${JSON.stringify(prefix.slice(0, -1))}, ${what},`;
}
