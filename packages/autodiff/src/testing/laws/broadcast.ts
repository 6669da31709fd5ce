import { broadcastTo } from "../../ops/shape.ts";
import { type FloatDType, isFloat } from "../../tensor/dtype.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { randomVector } from "../function.ts";
import type { Law } from "../law.ts";
import { type Case, compare, compareParts, flattened, inputAt, lawOf, worse } from "./case.ts";

/** Broadcasting an operand is the same as tiling it by hand, in values and in gradients. */
export function broadcastLaw(
  cases: readonly Case<Tensor[]>[],
  along: "all" | "leading",
  dtype: FloatDType,
): Law {
  const head = {
    name: "broadcast",
    statement:
      "broadcasting is tiling: the gradient of a broadcast operand is the sum over its copies",
    bound: dtype === "float64" ? 1e-12 : 1e-4,
  };
  return lawOf(cases, head, (c, seed) =>
    scope(() => {
      const tiled: Case<Tensor[]> = {
        ...c,
        f: (inputs) => {
          const xs = inputs as Tensor[];
          const y = c.f(inputs) as Tensor;
          const whole = (x: Tensor): Tensor => {
            if (!isFloat(x.dtype) || (along === "leading" && x.rank < 2)) return x;
            const inner = along === "all" ? 0 : 2;
            const lead = y.shape.slice(0, y.rank - inner);
            const shape = [...lead, ...x.shape.slice(x.rank - inner, x.rank)];
            return broadcastTo(x, shape);
          };
          return c.f(xs.map(whole) as typeof inputs);
        },
      };
      const [plain, other] = [flattened(c, seed, dtype), flattened(tiled, seed, dtype)];
      const u = randomVector(plain.outputs, seed + 1);
      return worse(
        compare(plain.original(), other.original(), (i) => `value ${i}`),
        compareParts(
          plain.inputParts,
          plain.pulled((back) => back(u)),
          other.pulled((back) => back(u)),
          (i) => inputAt(plain, i),
        ),
      );
    }),
  );
}
