import { inFile, type Mutant } from "./mutant.ts";

const lanes = [
  ...inFile("packages/rnn/src/sequences/packing.ts", [
    {
      name: "lanes: only the first sequence begins with a reset",
      kind: "boundary not cut",
      find: "reset: flags((each) => each?.position === 0),",
      replace: "reset: flags((each) => each?.position === 0 && each.index === 0),",
    },
    {
      name: "lanes: a reset one step late",
      kind: "off by one in time",
      find: "reset: flags((each) => each?.position === 0),",
      replace: "reset: flags((each) => each?.position === 1),",
    },
    {
      name: "lanes: no row is ever masked",
      kind: "mask ignored",
      find: "mask: flags((each) => each !== undefined),",
      replace: "mask: flags(() => true),",
    },
    {
      name: "lanes: the last step of a sequence is lost",
      kind: "off by one in time",
      find: "++each.position < lengthOf(each.leaves)",
      replace: "++each.position < lengthOf(each.leaves) - 1",
    },
    {
      name: "lanes: the highest free row comes first",
      kind: "wrong state",
      find: "sequence.indexOf(index) : this.#running.indexOf(undefined)",
      replace: "sequence.indexOf(index) : this.#running.lastIndexOf(undefined)",
    },
    {
      name: "lanes: sequences that go on begin at their start",
      kind: "wrong state",
      find: "const at = isOld ? position[row]! : 0;",
      replace: "const at = 0;",
    },
    {
      name: "lanes: a source is asked to begin with what has not begun",
      kind: "wrong state",
      find: "this.#next = Math.min(next, ...sequence.filter((index) => index >= 0));",
      replace: "this.#next = next;",
    },
  ]),
  ...inFile("packages/rnn/src/sequences/stepAt.ts", [
    {
      name: "lanes: all rows at the position of the first",
      kind: "off by one in time",
      find: "pointer + positions[row]! * bytes",
      replace: "pointer + positions[0]! * bytes",
    },
  ]),
];

const selections = inFile("packages/rnn/src/sequences/rows.ts", [
  {
    name: "marks: a selection that multiplies",
    kind: "mask ignored",
    find: "return where(rowWise(mask, x), x, y);",
    replace:
      "const m = rowWise(mask, x).cast(x.dtype); return m.mul(x).add(m.neg().add(1).mul(y));",
  },
]);

const influence = [
  ...inFile("packages/rnn/src/testing/influence/grid.ts", [
    {
      name: "checkInfluence: the mask is not seen",
      kind: "mask ignored",
      find: "marks((i) => present?.[i] !== 0)",
      replace: "marks(() => true)",
    },
  ]),
  ...inFile("packages/rnn/src/testing/influence/changes.ts", [
    {
      name: "checkInfluence: what lies before a reset may reach beyond it",
      kind: "boundary not cut",
      find: "      if (grid.isReset(t, row)) isDirty = false;\n      if (!grid.exists(t, row)) continue;",
      replace: "      if (!grid.exists(t, row)) continue;",
    },
    {
      name: "checkInfluence: the next input counts as present",
      kind: "off by one in time",
      find: "has: (step) => step > cut,",
      replace: "has: (step) => step > cut + 1,",
    },
  ]),
  ...inFile("packages/rnn/src/testing/influence/examine.ts", [
    {
      name: "checkInfluence: no NaN in padding",
      kind: "guard lost",
      find: "padding: [ordinary, notANumber, infinite],",
      replace: "padding: [ordinary],",
    },
    {
      name: "checkInfluence: any gradient will do",
      kind: "guard lost",
      find: "if (g === undefined || g[i] === 0) continue;",
      replace: "continue;",
    },
  ]),
] satisfies Mutant[];

/** Bugs in lanes, in the selection of rows, and in the check of what a row depends on. */
export const sequences: readonly Mutant[] = [...lanes, ...selections, ...influence];
