import { NotLoopable, type UnrollOptions, unroll } from "@chronograd/rnn";
import type { Trained } from "./task.ts";

/** Runs a model over time steps as plans; one by one where its steps cannot be planned. */
export function unrollPlanned(
  model: Trained["model"],
  params: never,
  inputs: never,
  options: UnrollOptions<unknown>,
): { readonly outputs: unknown; readonly state: unknown } {
  try {
    return unroll(model, params, inputs, { ...options, compile: true });
  } catch (error) {
    if (!(error instanceof NotLoopable)) throw error;
    return unroll(model, params, inputs, options);
  }
}
