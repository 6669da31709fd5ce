import { tree } from "@chronograd/autodiff";
import { initialState, truncated } from "@chronograd/rnn";
import {
  artbp,
  eprop,
  kfRtrl,
  type NamedEstimator,
  rtrl,
  snap,
  uoro,
} from "@chronograd/rnn/estimators";
import type { PlainCell } from "../modules/loadCell.ts";

/** An estimator of a cell without its types. */
export type PlainEstimator = NamedEstimator<unknown, unknown, unknown, unknown, unknown>;

/** What estimators are told. */
export interface EstimatorSizes {
  readonly k1: number;
  readonly k2: number;
  /** Paths of the state that e-prop takes for visible. */
  readonly visible: readonly string[];
}

/** The name of an estimator, as `--only` takes it. */
export type EstimatorName =
  | "truncated"
  | "artbp"
  | "rtrl"
  | "snap1"
  | "snap2"
  | "eprop"
  | "uoro"
  | "kfRtrl";

type Make = (sizes: EstimatorSizes) => PlainEstimator["windows"];

/** What starts the windows of each estimator. */
const makers: Readonly<Record<EstimatorName, Make>> = {
  truncated:
    ({ k1, k2 }) =>
    (cell, params, stream, options) =>
      truncated(cell, params, stream, { ...options, k1, k2 }),
  artbp:
    ({ k2 }) =>
    (cell, params, stream, options, draws) =>
      // A mean length of 1 would be a cut after every step.
      artbp(cell, params, stream, { ...options, draws, steps: Math.max(1.5, k2) }),
  rtrl:
    ({ k1 }) =>
    (cell, params, stream, options) =>
      rtrl(cell, params, stream, { ...options, k1 }),
  snap1:
    ({ k1 }) =>
    (cell, params, stream, options) =>
      snap(cell, params, stream, { ...options, k1, order: 1 }),
  snap2:
    ({ k1 }) =>
    (cell, params, stream, options) =>
      snap(cell, params, stream, { ...options, k1, order: 2 }),
  eprop:
    ({ k1, visible }) =>
    (cell, params, stream, options) =>
      eprop(cell, params, stream, { ...options, k1, visible }),
  uoro:
    ({ k1 }) =>
    (cell, params, stream, options, draws) =>
      uoro(cell, params, stream, { ...options, k1, draws }),
  kfRtrl:
    ({ k1 }) =>
    (cell, params, stream, options, draws) =>
      kfRtrl(cell, params, stream, { ...options, k1, draws }),
};

/** The names of all estimators. */
export const estimatorNames: readonly EstimatorName[] = Object.keys(makers) as EstimatorName[];

/** How an estimator is called in tables. */
const titles: Readonly<Record<EstimatorName, string>> = {
  truncated: "truncated",
  artbp: "ARTBP",
  rtrl: "RTRL",
  snap1: "SnAp-1",
  snap2: "SnAp-2",
  eprop: "e-prop",
  uoro: "UORO",
  kfRtrl: "KF-RTRL",
};

/** An estimator, with the sizes that it is told in its name. */
export function estimatorNamed(name: EstimatorName, sizes: EstimatorSizes): PlainEstimator {
  const { k1, k2 } = sizes;
  const told = { truncated: ` ${k1}, ${k2}`, artbp: ` ${k2}` } as const;
  const title = `${titles[name]}${name in told ? told[name as keyof typeof told] : ""}`;
  return { name: title, windows: makers[name](sizes) };
}

/** The leaves of a state that are called h, as those that cells show are; or all of them. */
export function visibleOf({ state }: PlainCell): string[] {
  const paths = tree.leavesWithPath(initialState({ state }, 1)).map(([path]) => path);
  const shown = paths.filter((path) => /(^|\.)h$/.test(path));
  return shown.length > 0 ? shown : paths;
}
