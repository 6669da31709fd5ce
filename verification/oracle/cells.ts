import { concat, type Tensor, tree } from "@chronograd/autodiff";
import {
  type AttentionSizes,
  attentionCell,
  type Cell,
  type CellSizes,
  sequential,
  unroll,
  type Values,
} from "@chronograd/rnn";
import { cellTable } from "@chronograd/rnn/testing";
import type { Subject } from "../subject.ts";
import { type Call, callSubjects, type Named } from "./calls.ts";
import { nest } from "./fixture.ts";

/** A cell from vectors to vectors, whatever its parameters and states. */
type VectorCell = Cell<unknown, unknown>;
type Tree = Readonly<Record<string, unknown>>;

function cellOf(name: string, sizes: unknown): VectorCell {
  const { make } = cellTable().find(({ family }) => family === name)!;
  return make(sizes as Record<string, number>) as unknown as VectorCell;
}

const isState = (name: string): boolean => ["h", "c", "attention"].includes(name);

/** Parameters and first states, apart; they are told by the last part of their paths. */
function partsOf(inputs: Named): { params: Tree; state: Tree } {
  const pick = (wanted: boolean) =>
    nest(
      Object.fromEntries(
        Object.entries(inputs).filter(([path]) => isState(path.split(".").at(-1)!) === wanted),
      ),
    );
  return { params: pick(false), state: pick(true) };
}

function run(cell: VectorCell, params: unknown, x: Tensor, state: unknown, reverse = false) {
  return unroll(cell, params as Values<unknown>, x, { state: state as Values<unknown>, reverse });
}

function single(name: string): Call {
  return ({ x, ...rest }, [sizes]) => {
    const { params, state } = partsOf(rest);
    const found = run(cellOf(name, sizes), params, x!, state);
    return { outputs: found.outputs, ...Object.fromEntries(tree.leavesWithPath(found.state)) };
  };
}

/** A cell that attends over `values`, where `mask` has positions; its output has two parts. */
const attending: Call = ({ x, values, mask, ...rest }, [sizes]) => {
  const { params, state } = partsOf(rest);
  const inputs = x!
    .split(x!.shape[0]!)
    .map((row) => ({ x: row.squeeze(0), context: { values: values!, mask: mask! } }));
  const cell = attentionCell(sizes as AttentionSizes);
  const found = unroll(cell, params as never, inputs, { state: state as never });
  return { ...found.outputs, ...found.state };
};

/** Two cells at every step, the upper on what the lower puts out. */
function stacked(name: string): Call {
  return ({ x, ...rest }, [sizes]) => {
    const { hidden } = sizes as CellSizes;
    const { params, state } = partsOf(rest);
    const cell = sequential({
      lower: cellOf(name, sizes),
      upper: cellOf(name, { input: hidden, hidden }),
    }) as unknown as VectorCell;
    const found = run(cell, params, x!, state);
    return { outputs: found.outputs, ...Object.fromEntries(tree.leavesWithPath(found.state)) };
  };
}

/**
 * Runs forwards and backwards in time, side by side; with two layers, the second on both directions
 * of the first.
 */
function bidirectional(name: string): Call {
  return ({ x, ...rest }, [sizes]) => {
    const { hidden } = sizes as CellSizes;
    const { params, state } = partsOf(rest);
    const layers = "lower" in params ? ["lower", "upper"] : [""];
    let outputs = x!;
    const states: Record<string, Tensor> = {};
    for (const layer of layers) {
      const p = (layer === "" ? params : params[layer]) as Tree;
      const s = (layer === "" ? state : state[layer]) as Tree;
      const cell = cellOf(name, { input: outputs.shape.at(-1)!, hidden });
      const ways = ["forward", "backward"].map((way) => {
        const found = run(cell, p[way], outputs, s[way], way === "backward");
        const prefix = layer === "" ? way : `${layer}.${way}`;
        for (const [key, leaf] of tree.leavesWithPath(found.state))
          states[`${prefix}.${key}`] = leaf;
        return found.outputs;
      });
      outputs = concat(ways, -1);
    }
    return { outputs, ...states };
  };
}

function callOf(name: string): Call {
  if (name === "attentionCell") return attending;
  const [first, second] = name.split(" ");
  if (second === undefined) return single(first!);
  return first === "sequential" ? stacked(second) : bidirectional(second);
}

/** Cells unrolled from states that are not zero: alone, stacked, and in both directions. */
export const cells = (): Subject[] =>
  ["cells", "variants", "linear"].flatMap((family) =>
    callSubjects(family, "PyTorch: cells over time", callOf),
  );
