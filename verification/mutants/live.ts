import { inFile, type Mutant } from "./mutant.ts";

/** Bugs in live windows, and in the streams that go on from them. */
export const live: readonly Mutant[] = [
  ...inFile("packages/rnn/src/truncated/live/retake.ts", [
    {
      name: "live: the overlap runs with the present weights",
      kind: "weights of the wrong age",
      find: "engine.take(params as Values<Params>, steps.slice(0, stepsAtOnce));",
      replace: "engine.take(present, steps.slice(0, stepsAtOnce));",
    },
  ]),
  ...inFile("packages/rnn/src/truncated/live/liveWindow.ts", [
    {
      name: "live: one generation of weights for all steps",
      kind: "weights of the wrong age",
      find: "if (key === before)",
      replace: 'if (before !== "")',
    },
  ]),
  ...inFile("packages/rnn/src/truncated/live/packing.ts", [
    {
      name: "live: the first of two tensors for both",
      kind: "aliased memory",
      find: "const place = this.#places.get(key) ?? this.#tensors.push(x) - 1;",
      replace: "const place = this.#places.get(x.dtype) ?? this.#tensors.push(x) - 1;",
    },
    {
      name: "live: a text that begins with @ comes back longer",
      kind: "wrong saved value",
      find: 'if (packed.startsWith("@@")) return packed.slice(1);',
      replace: 'if (packed.startsWith("@@")) return packed;',
    },
  ]),
  ...inFile("packages/rnn/src/truncated/engines/plan.ts", [
    {
      name: "live: the first step that is left decides what is planned",
      kind: "wrong saved value",
      find: "planned: isLike ? [] : this.#shapes!.zeros(backend),",
      replace: "planned: [],",
    },
  ]),
  ...inFile("packages/rnn/src/truncated/engines/tape.ts", [
    {
      name: "live: the state after the first step for the one before it",
      kind: "off by one in time",
      find: "this.#steps.at(first + 1).stateBefore;",
      replace: "this.state;",
    },
  ]),
  ...inFile("packages/rnn/src/truncated/estimators/recompute.ts", [
    {
      name: "live: states stored for the wrong steps",
      kind: "off by one in time",
      find: "store(states, origin + i, () => then as Values<State>);",
      replace: "store(states, origin, () => then as Values<State>);",
    },
  ]),
  ...inFile("packages/rnn/src/truncated/source.ts", [
    {
      name: "live: begins with the learned initial state again",
      kind: "wrong state",
      find: "isFresh: state === undefined && resumed === undefined,",
      replace: "isFresh: state === undefined,",
    },
  ]),
  ...inFile("packages/rnn/src/truncated/window.ts", [
    {
      name: "live: the index of the window before",
      kind: "off by one in time",
      find: "resumed === undefined ? 0 : resumed.index + 1",
      replace: "resumed === undefined ? 0 : resumed.index",
    },
  ]),
];
