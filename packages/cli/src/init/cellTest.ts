/** The test of the cell of a new project. */
export const cellTest = `import assert from "node:assert/strict";
import { test } from "node:test";
import { ones, tensor } from "@chronograd/autodiff";
import { testCell } from "@chronograd/rnn/testing";
import { leaky } from "../src/cell.ts";

test("it is a right cell: gradients, rows, masks, loops", () => {
  testCell(leaky({ input: 2, hidden: 3 }), { runs: 1 }).assert();
});

test("with a rate of 0, half of the state goes in a step", () => {
  const cell = leaky({ input: 2, hidden: 1 });
  const params = {
    W: tensor([[0], [0]]),
    U: tensor([[0]]),
    b: tensor([0]),
    rate: tensor([0]),
  };
  const [output, state] = cell.step(params, ones([1, 2]), { h: tensor([[0.5]]) });
  assert.deepEqual(output.toArray(), [[0.25]]);
  assert.deepEqual(state.h.toArray(), [[0.25]]);
});
`;
