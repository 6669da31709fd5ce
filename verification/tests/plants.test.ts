import { expect, test } from "vitest";
import { plants } from "../plants/plants.ts";
import { reportOf } from "../plants/run.ts";

test.each(plants)("$name: $bug", (plant) => {
  const report = reportOf(plant);
  for (const words of plant.expect) expect(report).toMatch(words);
});
