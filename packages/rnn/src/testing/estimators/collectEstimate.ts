import { type Definition, numbersOf } from "./definition.ts";
import type { EstimatedWindow } from "./options.ts";

/** The gradients of all windows, added up, and sentences for whatever else is wrong. */
export function collectEstimate(
  start: () => Iterable<EstimatedWindow>,
  truth: Definition,
): { readonly estimate: ReadonlyMap<string, Float64Array>; readonly wrong: readonly string[] } {
  const estimate = new Map<string, Float64Array>();
  const wrong: string[] = [];
  const losses: number[] = [];
  let tellsLosses = true;
  let index = 0;
  try {
    for (const window of start()) {
      wrong.push(...addGradients(estimate, numbersOf(window.gradients), index, truth));
      if (window.losses === undefined) tellsLosses = false;
      else losses.push(...window.losses);
      if (window.state !== undefined && window.end !== undefined) {
        wrong.push(...stateFailures(window.state, window.end, index, truth));
      }
      index++;
      if (wrong.length > 0) return { estimate, wrong };
    }
  } catch (error) {
    return {
      estimate,
      wrong: [`it threw: ${error instanceof Error ? error.message : String(error)}`],
    };
  }
  if (index === 0) return { estimate, wrong: ["there is no window"] };
  return { estimate, wrong: tellsLosses ? lossFailures(losses, truth.losses) : [] };
}

function addGradients(
  sums: Map<string, Float64Array>,
  gradients: ReadonlyMap<string, Float64Array>,
  index: number,
  truth: Definition,
): string[] {
  for (const [path, g] of truth.gradient) {
    const own = gradients.get(path);
    if (own?.length !== g.length) {
      const got = own === undefined ? "none" : `${own.length} numbers`;
      return [
        `window ${index} must have ${g.length} derivatives by ${path || "the parameter"}, got ${got}`,
      ];
    }
    const sum = sums.get(path) ?? new Float64Array(own.length);
    for (let i = 0; i < own.length; i++) sum[i]! += own[i]!;
    sums.set(path, sum);
  }
  return [];
}

/** To rounding: compiled steps may add up in another order. */
const isClose = (a: number, b: number, scale: number) => Math.abs(a - b) <= 1e-10 * scale;

function lossFailures(losses: readonly number[], expected: readonly number[]): string[] {
  if (losses.length !== expected.length) {
    return [
      `the windows tell ${losses.length} losses, and there are ${expected.length} steps; each step is new in one window`,
    ];
  }
  const scale = Math.max(...expected.map(Math.abs));
  const i = losses.findIndex((loss, t) => !isClose(loss, expected[t]!, scale));
  if (i < 0) return [];
  return [`the loss of step ${i + 1} is ${losses[i]}, step by step it is ${expected[i]}`];
}

function stateFailures(state: unknown, end: number, index: number, truth: Definition): string[] {
  const expected = truth.states[end - 1];
  if (expected === undefined) {
    return [`window ${index} ends at step ${end}, and there are ${truth.states.length} steps`];
  }
  const found = numbersOf(state);
  for (const [path, values] of expected) {
    const own = found.get(path);
    const scale = values.reduce((most, x) => Math.max(most, Math.abs(x)), 1);
    const i = values.findIndex((x, at) => !isClose(own?.[at] ?? Number.NaN, x, scale));
    if (i < 0) continue;
    return [
      `the state "${path}" after window ${index}, at step ${end}, holds ${own?.[i]}, step by step it is ${values[i]}`,
    ];
  }
  return [];
}
