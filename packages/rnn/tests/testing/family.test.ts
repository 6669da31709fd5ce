import { init } from "@chronograd/nn";
import { expect, test } from "vitest";
import * as builtIn from "../../src/cells/index.ts";
import { defineCell, lstm } from "../../src/index.ts";
import { cellTable, familyOf } from "../../src/testing.ts";

const parts = {
  params: () => ({ W: init.zeros(1) }),
  state: () => ({ h: init.zeros(1) }),
  step: ((_: unknown, x: unknown, state: unknown) => [x, state]) as never,
};

test("a family says which sizes make a cell, with its choices and numbers", () => {
  const families = new Map<string, unknown>(Object.entries(builtIn));
  for (const { family, sizes, name } of cellTable().filter((row) => row.name === row.family)) {
    const described = familyOf(families.get(family))!;
    expect(described.sizes, name).toEqual(sizes);
    expect(described.name).toBe(family);
  }
  expect(familyOf(builtIn.irnn)?.numbers).toEqual({ scale: 1 });
  expect(familyOf(builtIn.elman)?.choices).toEqual({ activation: ["tanh", "relu"] });
  expect(familyOf(builtIn.elman)?.isListed).toBe(true);
});

test("a definition that lists no sizes takes input and hidden, and others", () => {
  expect(familyOf(defineCell(parts))).toEqual({
    name: "cell",
    sizes: { input: 2, hidden: 3 },
    isListed: false,
    choices: {},
    numbers: {},
  });
  const listed = defineCell({
    ...parts,
    sizes: ["units", "way"] as never,
    choices: { way: ["a"] },
  });
  expect(familyOf(listed)).toMatchObject({ sizes: { units: 3 }, isListed: true });
});

test("what defineCell did not make is no family", () => {
  const others = [undefined, null, 3, "lstm", {}, () => 3, lstm({ input: 1, hidden: 1 }), class {}];
  expect(others.map(familyOf)).toEqual(others.map(() => undefined));
});
