import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Big } from "../edges/big.ts";
import { curves } from "../edges/curves.ts";
import { losses } from "../edges/losses.ts";
import { surfaces } from "../edges/surfaces.ts";

/** The true values of derivatives, compared with mpmath: `[name, point, derivatives]`. */
const fixture = JSON.parse(
  readFileSync(new URL("../edges/fixtures/truth.json", import.meta.url), "utf8"),
) as [name: string, point: number[], derivatives: string[]][];

/** A decimal number of any length. */
function parse(text: string): Big {
  const [mantissa = "", exponent = "0"] = text.split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  const power = Number(exponent) - fraction.length;
  const digits = Big.scaled(BigInt(whole + fraction), 0);
  return power < 0 ? digits.div(Big.of(10).power(-power)) : digits.mul(Big.of(10).power(power));
}

function closedForms(name: string, [a, b]: readonly Big[]): readonly Big[] {
  const curve = curves.find((each) => each.name === name);
  if (curve !== undefined) return [curve.first(a!), curve.second(a!)];
  return [...surfaces, ...losses].find((each) => each.name === name)!.partials(a!, b!);
}

describe("closed forms of derivatives are those of mpmath's differences", () => {
  test.each(fixture.map(([name, point, derivatives]) => [name, point, derivatives] as const))(
    "%s at %j",
    (name, point, derivatives) => {
      const found = closedForms(name, point.map(Big.of));
      const expected = derivatives.map(parse);
      const scale = expected.map((x) => x.abs()).reduce((x, y) => (x.isLess(y) ? y : x));
      for (const [i, value] of expected.entries()) {
        const error = found[i]!.sub(value).abs();
        // 40 digits, beside zeros of those of the others.
        const size = value.abs().isLess(scale.shift(-200)) ? scale : value.abs();
        expect(
          error.isLess(size.mul(1e-40)),
          `${i}: ${found[i]!.toNumber()}, mpmath ${derivatives[i]}`,
        ).toBe(true);
      }
    },
  );

  test("of every function whose derivatives vary", () => {
    const constant = ["neg", "abs", "relu", "leakyRelu", "add", "sub", "mul", "maximum", "minimum"];
    const named = new Set([
      ...fixture.map(([name]) => name),
      ...constant,
      "huber",
      "meanSquaredError",
    ]);
    const missing = [...curves, ...surfaces, ...losses].filter(({ name }) => !named.has(name));
    expect(missing.map(({ name }) => name)).toEqual([]);
  });
});
