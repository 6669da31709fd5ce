import { hold } from "@chronograd/autodiff/testing";
import { expect, test } from "vitest";
import { spectraLaws } from "./spectraLaws.ts";

for (const law of spectraLaws) {
  test(law.statement, () => {
    const result = hold(law, { runs: 3 });
    expect(result?.ok, result?.what).toBe(true);
  });
}
