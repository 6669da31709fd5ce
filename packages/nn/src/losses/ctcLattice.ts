// The alignments of a target with the steps of one row, as Graves, Fernandez, Gomez & Schmidhuber
// 2006 (Connectionist temporal classification) sum them up: eq. 5 to 15, with logarithms in place
// of probabilities. A path visits the states of `withBlanks(target)` from left to right, one state
// a step.

/** Log-probabilities `[T, K]` of one row. */
export interface Frames {
  readonly steps: number;
  readonly classes: number;
  readonly logs: Float64Array;
}

/** The logarithm of the softmax of each frame; `stride` numbers lie between two frames. */
export function framesOf(
  values: ArrayLike<number>,
  from: number,
  stride: number,
  steps: number,
  classes: number,
): Frames {
  const logs = new Float64Array(steps * classes);
  for (let t = 0; t < steps; t++) {
    const at = from + t * stride;
    let max = values[at]!;
    for (let k = 1; k < classes; k++) max = Math.max(max, values[at + k]!);
    let sum = 0;
    for (let k = 0; k < classes; k++) sum += Math.exp(values[at + k]! - max);
    const norm = max + Math.log(sum);
    for (let k = 0; k < classes; k++) logs[t * classes + k] = values[at + k]! - norm;
  }
  return { steps, classes, logs };
}

/** A target with a blank before, between and behind its labels. */
export function withBlanks(target: ArrayLike<number>, blank: number): Int32Array {
  const states = new Int32Array(2 * target.length + 1).fill(blank);
  for (let i = 0; i < target.length; i++) states[2 * i + 1] = target[i]!;
  return states;
}

/** The fewest steps that an alignment has: one for each label, and one between two equal labels. */
export function fewestSteps(states: Int32Array): number {
  let steps = (states.length - 1) / 2;
  for (let s = 3; s < states.length; s += 2) if (states[s] === states[s - 2]) steps++;
  return steps;
}

/** `log(exp(a) + exp(b) + exp(c))`. */
function logSum(a: number, b: number, c: number): number {
  const max = Math.max(a, b, c);
  if (max === Number.NEGATIVE_INFINITY) return max;
  return max + Math.log(Math.exp(a - max) + Math.exp(b - max) + Math.exp(c - max));
}

/** Whether a path may go from state `s - 2` to `s`: over a blank, between labels that differ. */
function skips(states: Int32Array, s: number): boolean {
  return s % 2 === 1 && s > 1 && states[s] !== states[s - 2];
}

/** `alpha [T, S]`: the log-probability of the paths that are at a state after a step (eq. 6, 7). */
function forwards({ steps, classes, logs }: Frames, states: Int32Array): Float64Array {
  const size = states.length;
  const alpha = new Float64Array(steps * size).fill(Number.NEGATIVE_INFINITY);
  for (let s = 0; s < Math.min(2, size) && steps > 0; s++) alpha[s] = logs[states[s]!]!;
  for (let t = 1; t < steps; t++) {
    const before = (t - 1) * size;
    // Further right no path has come, further left none can end in time.
    const end = Math.min(size, 2 * t + 2);
    for (let s = Math.max(0, size - 2 * (steps - t)); s < end; s++) {
      const one = s > 0 ? alpha[before + s - 1]! : Number.NEGATIVE_INFINITY;
      const two = skips(states, s) ? alpha[before + s - 2]! : Number.NEGATIVE_INFINITY;
      alpha[before + size + s] =
        logSum(alpha[before + s]!, one, two) + logs[t * classes + states[s]!]!;
    }
  }
  return alpha;
}

/** `-log p(target)` from `alpha`: paths end in the last label or the blank behind it (eq. 8). */
function lossFrom(alpha: Float64Array, steps: number, size: number): number {
  if (steps === 0) return 0;
  const last = alpha.at(-1)!;
  if (size === 1) return -last;
  return -logSum(last, alpha.at(-2)!, Number.NEGATIVE_INFINITY);
}

/** `-log p(target)` of one row; `Infinity` where no path has a probability above 0. */
export function latticeLoss(frames: Frames, states: Int32Array): number {
  if (fewestSteps(states) > frames.steps) return Number.POSITIVE_INFINITY;
  return lossFrom(forwards(frames, states), frames.steps, states.length);
}

/**
 * Writes the derivative of one row's loss by its logits, times `g`: the softmax less the
 * probability that a path of the target is at the class (eq. 15). 0 where the loss is infinite.
 */
export function latticeGradient(
  frames: Frames,
  states: Int32Array,
  g: number,
  into: { [index: number]: number },
  from: number,
  stride: number,
): void {
  const { steps, classes, logs } = frames;
  const size = states.length;
  if (fewestSteps(states) > steps) return;
  const alpha = forwards(frames, states);
  const loss = lossFrom(alpha, steps, size);
  if (loss === Number.POSITIVE_INFINITY) return;
  // At a step: the log-probability of what a path emits after it, from each state.
  let beta = new Float64Array(size).fill(Number.NEGATIVE_INFINITY);
  let next = new Float64Array(size);
  for (let s = Math.max(0, size - 2); s < size; s++) beta[s] = 0;
  const slopes = new Float64Array(classes);
  for (let t = steps - 1; t >= 0; t--) {
    const frame = t * classes;
    for (let k = 0; k < classes; k++) slopes[k] = Math.exp(logs[frame + k]!);
    for (let s = 0; s < size; s++) {
      const path = alpha[t * size + s]! + beta[s]! + loss;
      if (path !== Number.NEGATIVE_INFINITY) slopes[states[s]!]! -= Math.exp(path);
    }
    for (let k = 0; k < classes; k++) into[from + t * stride + k] = g * slopes[k]!;
    for (let s = 0; s < size; s++) beta[s]! += logs[frame + states[s]!]!;
    for (let s = 0; s < size; s++) {
      const one = s + 1 < size ? beta[s + 1]! : Number.NEGATIVE_INFINITY;
      const two = s + 2 < size && skips(states, s + 2) ? beta[s + 2]! : Number.NEGATIVE_INFINITY;
      next[s] = logSum(beta[s]!, one, two);
    }
    [beta, next] = [next, beta];
  }
}
