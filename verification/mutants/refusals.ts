import { inFile, type Mutant } from "./mutant.ts";

const cells = [
  ...inFile("packages/rnn/src/checkRows.ts", [
    {
      name: "rows: inputs of other rows taken",
      kind: "guard lost",
      find: "const wrong = findTensor(state, hasOthers) ?? findTensor(x, hasOthers);",
      replace: "const wrong = findTensor(state, hasOthers);",
    },
    {
      name: "rows: one row repeated in silence",
      kind: "guard lost",
      find: "const hasOthers = ({ shape }: Tensor): boolean => shape[0] !== rows && shape.length > 0;",
      replace:
        "const hasOthers = ({ shape }: Tensor): boolean => shape[0] !== rows && shape[0]! > 1;",
    },
    {
      name: "rows: targets of one row repeated",
      kind: "guard lost",
      find: "(shape.length > 1 || shape[0] === 1)",
      replace: "shape.length > 1 && shape[0]! > 1",
    },
    {
      name: "rows: states that gain an axis",
      kind: "guard lost",
      find: "if (before instanceof Tensor && before.shape.length !== length) return false;",
      replace: "",
    },
    {
      name: "rows: states that lose rows",
      kind: "guard lost",
      find: "return rows === undefined || length === 0 || next.shape[0] === rows;",
      replace: "return true;",
    },
  ]),
  ...inFile("packages/rnn/src/runStep.ts", [
    {
      name: "rows: a row taken for a batch",
      kind: "guard lost",
      find: 'if (typeof columns !== "number" || columns === 1) return;',
      replace: "if (columns !== 1) return;",
    },
    {
      name: "rows: cells of one's own not held",
      kind: "guard lost",
      find: ': checkedStep("cell", cell, params, x, state, noise);',
      replace: ": cell.step(params, x, state, noise);",
    },
  ]),
  ...inFile("packages/rnn/src/initial.ts", [
    {
      name: "options: of initialState taken",
      kind: "guard lost",
      find: 'checkOptions("initialState", options, valueOptions);',
      replace: "",
    },
  ]),
  ...inFile("packages/rnn/src/checkChoice.ts", [
    {
      name: "options: any word taken for one of the choices",
      kind: "guard lost",
      find: "if (words.includes(chosen as string)) return;",
      replace: "return;",
    },
  ]),
  ...inFile("packages/rnn/src/checkSizes.ts", [
    {
      name: "options: unknown sizes taken",
      kind: "guard lost",
      find: "if (listed !== undefined) checkOptions(name, given, listed);",
      replace: "",
    },
    {
      name: "options: the last choice filled in, not the first",
      kind: "guard lost",
      find: "[option, words[0]]",
      replace: "[option, words.at(-1)]",
    },
    {
      name: "options: sizes shared with the caller",
      kind: "guard lost",
      find: "Object.freeze(Object.fromEntries([...defaults, ...numbers, ...entries]))",
      replace:
        "Object.defineProperties(Object.fromEntries([...defaults, ...numbers]), Object.fromEntries(entries.map(([key]) => [key, { get: () => Reflect.get(given, key), enumerable: true, configurable: true }])))",
    },
    {
      name: "options: misspelt choices taken where no sizes are listed",
      kind: "guard lost",
      find: 'typeof size === "string" ? nearestOf(key, options) : undefined',
      replace: "undefined",
    },
    {
      name: "options: words taken for sizes",
      kind: "guard lost",
      find: '!isDeclared && typeof size !== "number" && typeof size !== "string"',
      replace: '!isDeclared && typeof size !== "number"',
    },
    {
      name: "options: a size that only the step reads may be missing",
      kind: "guard lost",
      find: "if (missing.length > 0)",
      replace: "if (missing.length > 9)",
    },
    {
      name: "options: missing sizes not named",
      kind: "guard lost",
      find: "throw missingSizes(sizes, name, names, parts, cause) ?? cause;",
      replace: "throw cause;",
    },
    {
      name: "options: initialisers of no shape taken",
      kind: "guard lost",
      find: "checkShapes(made, name);",
      replace: "",
    },
  ]),
  ...inFile("packages/rnn/src/prepareUnroll.ts", [
    {
      name: "options: of unroll taken",
      kind: "guard lost",
      find: 'checkOptions("unroll", options, known);',
      replace: "",
    },
  ]),
  ...inFile("packages/rnn/src/sequences/unrollSteps.ts", [
    {
      name: "thrown: one step late",
      kind: "off by one in time",
      find: 'atStep("unroll: step", t,',
      replace: 'atStep("unroll: step", t + 1,',
    },
  ]),
  ...inFile("packages/rnn/src/stepErrors.ts", [
    {
      name: "thrown: the cause lost",
      kind: "guard lost",
      find: "`, { cause });",
      replace: "`);",
    },
    {
      name: "thrown: the class lost",
      kind: "guard lost",
      find: "[RangeError, TypeError].find((kind) => cause instanceof kind) ?? Error",
      replace: "Error",
    },
  ]),
];

const streams = [
  ...inFile("packages/rnn/src/truncated/step.ts", [
    {
      name: "tracked: losses of outer tapes",
      kind: "lost gradient",
      find: 'checkOwn(where, "the loss of", t, result, tape);',
      replace: "",
    },
    {
      name: "tracked: states of outer tapes",
      kind: "lost gradient",
      find: 'checkOwn(where, "the state after", t, next, tape);',
      replace: "",
    },
    {
      name: "thrown: a loss taken for a step",
      kind: "guard lost",
      find: 'part = "the loss of step";',
      replace: "",
    },
  ]),
  ...inFile("packages/rnn/src/truncated/countedLoss.ts", [
    {
      name: "thrown: undefined taken for an object",
      kind: "guard lost",
      find: ": Object(result);",
      replace: ": (result as never);",
    },
  ]),
  ...inFile("packages/rnn/src/truncated/estimators/estimator.ts", [
    {
      name: "tracked: a state of outer tapes",
      kind: "lost gradient",
      find: 'checkUntracked(where, "the state", given);',
      replace: "",
    },
  ]),
  ...inFile("packages/rnn/src/truncated/window.ts", [
    {
      name: "tracked: parameters of outer tapes",
      kind: "lost gradient",
      find: 'checkUntracked(where, "the parameter", present);',
      replace: "",
    },
  ]),
  ...inFile("packages/rnn/src/truncated/stream.ts", [
    {
      name: "tracked: inputs and targets of outer tapes",
      kind: "lost gradient",
      find: "step[name as keyof typeof step]",
      replace: "undefined",
    },
  ]),
  ...inFile("packages/rnn/src/truncated/options.ts", [
    {
      name: "options: of truncated taken",
      kind: "guard lost",
      find: "checkOptions(where, options, [...required, ...ofStreams, ...optional]);",
      replace: "",
    },
  ]),
];

const wholeNumbers = [
  ...inFile("packages/rnn/src/truncated/engines/tape.ts", [
    {
      name: "whole numbers: gone with their window",
      kind: "aliased memory",
      find: "for (const x of tree.leaves(this.state)) if (x.tape === null) region.hold(x.block);",
      replace: "",
    },
  ]),
];

/** Refusals of cells and streams that are lost, and what is taken in their place. */
export const refusals = [...cells, ...streams, ...wholeNumbers] satisfies Mutant[];
