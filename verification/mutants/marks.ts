import { inFile, type Mutant } from "./mutant.ts";

const sequences = "packages/rnn/src/sequences";

const steps = [
  ...inFile(`${sequences}/advance.ts`, [
    {
      name: "advance: a masked row's state goes on",
      kind: "mask ignored",
      find: 'selectRows("a mask", mask!, after, before)',
      replace: "after",
    },
    {
      name: "advance: the step runs from the state before the reset",
      kind: "boundary not cut",
      find: "fillRows(before, mask, first), noise)",
      replace: "fillRows(state, mask, first), noise)",
    },
    {
      name: "advance: a step without rows loses its resets",
      kind: "wrong state",
      find: "return { output: undefined, next: before, after: before };",
      replace: "return { output: undefined, next: state, after: state };",
    },
    {
      name: "advance: the learned initial state without a gradient",
      kind: "lost gradient",
      find: "cell.initial!(params, rowsOf(state)!)",
      replace:
        "cell.initial!(tree.map(params, (x: Tensor) => x.detach()) as typeof params, rowsOf(state)!)",
    },
  ]),
  ...inFile(`${sequences}/rows.ts`, [
    {
      name: "rows: masked rows not filled",
      kind: "mask ignored",
      find: "if (x.shape[0] !== mask.size) return x;",
      replace: "return x;",
    },
    {
      name: "rows: filled with the sum of all rows",
      kind: "mask ignored",
      find: "zeroRows(first, x).sum(0, { keepDims: true })",
      replace: "x.sum(0, { keepDims: true })",
    },
    {
      name: "rows: a reset that keeps the gradient",
      kind: "boundary not cut",
      find: "return where(rowWise(mask, x), x, y);",
      replace:
        'return what === "a reset" ? y.add(x.sub(y).detach().mul(rowWise(mask, x).cast(x.dtype))) : where(rowWise(mask, x), x, y);',
    },
    {
      name: "rows: multiplied instead of selected",
      kind: "mask ignored",
      find: "return where(rowWise(mask, x), x, y);",
      replace:
        "const m = rowWise(mask, x).cast(x.dtype);\n    return x.mul(m).add(y.mul(m.neg().add(1)));",
    },
    {
      name: "rows: the other rows selected",
      kind: "swapped operands",
      find: "return where(rowWise(mask, x), x, y);",
      replace: "return where(rowWise(mask, x), y, x);",
    },
    {
      name: "rows: the losses and outputs of masked rows counted",
      kind: "wrong losses",
      find: "return where(rowWise(mask, x), x, 0);",
      replace: "return x;",
    },
  ]),
  ...inFile(`${sequences}/prepare.ts`, [
    {
      name: "prepare: filled with the first row of the batch",
      kind: "off by one",
      find: "const first = values.indexOf(1);",
      replace: "const first = values.indexOf(1) === -1 ? -1 : 0;",
    },
    {
      name: "prepare: filled with the last row",
      kind: "off by one",
      find: "(row === first ? 1 : 0)",
      replace: "(row === values.length - 1 ? 1 : 0)",
    },
    {
      name: "prepare: filled where a plan is made with the row itself",
      kind: "mask ignored",
      find: "if (!this.#options.isUniform && !values.includes(0)) return { mask };",
      replace: "if (this.#options.isUniform || !values.includes(0)) return { mask };",
    },
    {
      name: "prepare: a learned start left to the state of zeros",
      kind: "wrong state",
      find: "isLearned && isStart ? all(1)",
      replace: "isLearned && isStart ? all(0)",
    },
  ]),
];

const time = [
  ...inFile(`${sequences}/marks.ts`, [
    {
      name: "marks: resets one step late",
      kind: "off by one in time",
      find: "reset: resets.slice([t - 1])",
      replace: "reset: resets.slice([Math.max(0, t - 2)])",
    },
    {
      name: "marks: masks one step late",
      kind: "off by one in time",
      find: "mask: mask.slice([t - 1])",
      replace: "mask: mask.slice([Math.max(0, t - 2)])",
    },
    {
      name: "marks: a reset on the wrong side in reverse",
      kind: "off by one in time",
      find: "reverse ? shifted(own) : own",
      replace: "own",
    },
    {
      name: "marks: lengths one too long",
      kind: "off by one",
      find: "Math.floor(i / rows) < values[i % rows]! ? 1 : 0",
      replace: "Math.floor(i / rows) <= values[i % rows]! ? 1 : 0",
    },
    {
      name: "marks: lengths without the mask",
      kind: "mask ignored",
      find: "const present = mask === undefined ? isBefore : both(mask);",
      replace: "const present = isBefore ?? mask;",
    },
    {
      name: "marks: resets behind the end of a row",
      kind: "wrong state",
      find: "const own = both(resets);",
      replace: "const own = resets;",
    },
  ]),
  ...inFile("packages/rnn/src/sequences/unrollSteps.ts", [
    {
      name: "unroll: burn-in with a gradient",
      kind: "boundary not cut",
      find: "if (i <= burnIn && burnIn > 0) state = detached(state);",
      replace: "",
    },
    {
      name: "unroll: weights of the burn-in with a gradient",
      kind: "boundary not cut",
      find: "const weights = i < burnIn ? warm : params;",
      replace: "const weights = params;",
    },
    {
      name: "unroll: outputs of the burn-in kept",
      kind: "off by one in time",
      find: "outputs.slice(burnIn).map(",
      replace: "outputs.map(",
    },
  ]),
  ...inFile("packages/rnn/src/truncated/estimators/estimator.ts", [
    {
      name: "estimator: windows not shifted by the burn-in",
      kind: "cut in the wrong place",
      find: "return { state: warm as Values<State>, start: burnIn };",
      replace: "return { state: warm as Values<State>, start: 0 };",
    },
    {
      name: "estimator: the burn-in runs without its marks",
      kind: "mask ignored",
      find: "advance(cell, params, step.value.input, step.value, last.value).next",
      replace: "advance(cell, params, step.value.input, {}, last.value).next",
    },
    {
      name: "objective: multiplicity counted from the burn-in",
      kind: "wrong weights of losses",
      find: "windowsWith(t - burnIn, k1, k2)",
      replace: "windowsWith(t, k1, k2)",
    },
  ]),
];

const counted = inFile("packages/rnn/src/truncated/countedLoss.ts", [
  {
    name: "loss: tokens of the padding counted",
    kind: "wrong count",
    find: "return { loss: ofRows(loss), count: share.mul(loss.size / mask!.size) };",
    replace: "return { loss: ofRows(loss), count: share.mul(0).add(loss.size) };",
  },
  {
    name: "loss: rows counted, not their elements",
    kind: "wrong count",
    find: "share.mul(loss.size / mask!.size)",
    replace: "share",
  },
]);

const targets = inFile("packages/rnn/src/truncated/source.ts", [
  {
    name: "step: the targets of masked rows read",
    kind: "mask ignored",
    find: "fillRows({ input, target }, prepared?.mask, prepared?.first)",
    replace: "{ input: fillRows(input, prepared?.mask, prepared?.first), target }",
  },
]);

const noise = [
  ...inFile(`${sequences}/noise.ts`, [
    {
      name: "noise: drawn anew at every step of a window",
      kind: "stale value reused",
      find: 'noise.per === "window" ? kept.get(path) : undefined',
      replace: "undefined",
    },
    {
      name: "noise: one row for all",
      kind: "stale value reused",
      find: "checkedDraw(noise.draw(random), noise, path, row)",
      replace:
        "at === 0 ? checkedDraw(noise.draw(random), noise, path, row) : values.slice(0, row)",
    },
  ]),
  ...inFile("packages/rnn/src/truncated/estimators/carry.ts", [
    {
      name: "carry: the noise of a window not renewed",
      kind: "stale value reused",
      find: "source.beginWindow();",
      replace: "",
    },
  ]),
  ...inFile("packages/rnn/src/truncated/estimators/recompute.ts", [
    {
      name: "recompute: the noise of a window not renewed",
      kind: "stale value reused",
      find: "source.beginWindow();",
      replace: "",
    },
  ]),
] satisfies Mutant[];

/** Bugs with rows that end, have gaps and begin afresh, with burn-in and with noise. */
export const markMutants: readonly Mutant[] = [...steps, ...time, ...counted, ...targets, ...noise];
