import { inFile, type Mutant } from "./mutant.ts";

/** Bugs in the engine that runs a stream step by step on a tape. */
export const tapeEngine: readonly Mutant[] = inFile("packages/rnn/src/truncated/engines/tape.ts", [
  {
    name: "tape: forgets one step too many",
    kind: "off by one in time",
    find: "this.#forget(this.t + 1 - this.#settings.k2);",
    replace: "this.#forget(this.t + 2 - this.#settings.k2);",
  },
  {
    name: "tape: cuts at every step",
    kind: "lost gradient",
    find: "isSeparate && x.tape === this.#tape ? x.clone() : this.#asEntry(x)",
    replace: "x.detach()",
  },
  {
    name: "tape: a state that is a parameter not cut",
    kind: "boundary not cut",
    find: "isSeparate && x.tape === this.#tape ? x.clone() : this.#asEntry(x)",
    replace: "x",
  },
  {
    name: "tape: the loss of a step counts for the state after it",
    kind: "wrong losses",
    find: "isSeparate && x.tape === this.#tape ? x.clone() : this.#asEntry(x)",
    replace: "this.#asEntry(x)",
  },
  {
    name: "tape: new weights are other parameters",
    kind: "weights of the wrong age",
    find: "this.#tape.watch(params, { as: this.#watched })",
    replace: "this.#tape.watch(params)",
  },
  {
    name: "tape: the first weights for all windows",
    kind: "weights of the wrong age",
    find: "this.#watched = this.#tape.watch(",
    replace: "this.#watched ??= this.#tape.watch(",
  },
  {
    name: "tape: losses swept without their weights",
    kind: "wrong weights of losses",
    find: "cotangents.push(full(shape, weight, { dtype, backend }));",
    replace: "cotangents.push(full(shape, 1, { dtype, backend }));",
  },
  {
    name: "tape: the gradient at the cut left out of the measure",
    kind: "off by one in time",
    find: "this.#steps.at(start + 1 + i).stateBefore",
    replace: "this.#steps.at(Math.min(this.t, start + 2 + i)).stateBefore",
  },
  {
    name: "tape: the loss of the first row alone",
    kind: "missing reduction",
    find: "for (const value of loss.toTypedArray()) sum += value;",
    replace: "sum = loss.toTypedArray()[0] ?? 0;",
  },
]);
