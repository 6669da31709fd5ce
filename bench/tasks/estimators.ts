// Ways to estimate a gradient, by name: a loop of training takes any of them.
import type { Tensor } from "@chronograd/autodiff";
import type { Rng } from "@chronograd/nn";
import { type StepLoss, type StepSource, truncated, type Window } from "@chronograd/rnn";
import { artbp, eprop, rtrl, snap, uoro } from "@chronograd/rnn/estimators";
import type { Target } from "./kinds.ts";
import type { Model } from "./model.ts";
import type { Task } from "./task.ts";

/** What every estimator is given. */
export interface Given {
  readonly loss: StepLoss<Tensor, Target>;
  /** Draws what the estimator draws, if anything. */
  readonly draws: Rng;
}

/** An estimator with its settings. */
export interface Estimator {
  readonly name: string;
  /** What is done to the first parameters, if anything. */
  prepare?(model: Model, params: unknown, task: Task, draws: Rng): unknown;
  windows(
    model: Model,
    params: unknown,
    stream: StepSource<Tensor, Target>,
    given: Given,
  ): Iterable<Window<unknown, unknown>>;
}

/** Truncated back-propagation through time. */
export function truncation(k1: number, k2: number, name = `truncated (${k1}, ${k2})`): Estimator {
  return {
    name,
    windows: (model, params, stream, { loss }) =>
      truncated(model, params, stream, { k1, k2, loss, compile: true }),
  };
}

/** Full back-propagation through time, over sequences of `steps` steps. */
export const full = (steps: number): Estimator => truncation(steps, steps, "full BPTT");

/** Windows that end at random, of `steps` steps on average. */
export function randomCuts(steps: number): Estimator {
  return {
    name: `ARTBP (${steps})`,
    windows: (model, params, stream, { loss, draws }) =>
      artbp(model, params, stream, { steps, draws, loss, compile: true }),
  };
}

/** All estimators that carry something forwards, with an update every k1 steps. */
export function forward(k1: number): Estimator[] {
  const compile = true;
  return [
    {
      name: "RTRL",
      windows: (model, params, stream, { loss }) =>
        rtrl(model, params, stream, { k1, loss, compile }),
    },
    {
      name: "SnAp-1",
      windows: (model, params, stream, { loss }) =>
        snap(model, params, stream, { order: 1, k1, loss, compile }),
    },
    {
      name: "UORO",
      windows: (model, params, stream, { loss, draws }) =>
        uoro(model, params, stream, { k1, draws, loss, compile }),
    },
    {
      name: "e-prop",
      windows: (model, params, stream, { loss }) =>
        eprop(model, params, stream, { visible: ["cell.h"], k1, loss, compile }),
    },
  ];
}
