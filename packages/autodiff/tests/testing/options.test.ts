import { expect, test } from "vitest";
import { Tape, type Tensor, tanh, tensor } from "../../src/index.ts";
import {
  checkGradients,
  checkTape,
  functionLaws,
  hold,
  holdAll,
  opLaws,
  scan,
  testOp,
} from "../../src/testing.ts";

test("unknown options are refused, with the nearest right name", () => {
  const x = tensor([0.3], { dtype: "float64" });
  const f = (z: Tensor) => z.tanh();
  const draw = () => x;
  const wrong = (options: object) => options as never;
  const law = opLaws(tanh)[0]!;
  const said = [
    () => checkGradients(f, x, wrong({ tol: 1e-3 })),
    () => testOp(tanh, wrong({ run: 1 })),
    () => opLaws(tanh, wrong({ type: "float32" })),
    () => functionLaws(f, draw, wrong({ orders: 1 })),
    () => hold(law, wrong({ seeds: 1 })),
    () => holdAll("tanh", [law], wrong({ run: 1 })),
    () => scan(f, x, wrong({ onlyNan: true })),
    () => checkTape(new Tape(), wrong({ tolerances: 1 })),
    () => checkGradients(f, x, wrong({ order: 3 })),
  ].map((call) => {
    try {
      call();
      return "nothing was thrown";
    } catch (error) {
      return (error as Error).message;
    }
  });
  expect(said).toMatchInlineSnapshot(`
    [
      "checkGradients: there is no option "tol", did you mean "tolerance"? It takes tolerance, step, seed, mode, directions, order, throws, blame",
      "testOp: there is no option "run", did you mean "runs"? It takes backend, reference, dtype, seed, runs",
      "opLaws: there is no option "type", did you mean "dtype"? It takes backend, reference, dtype",
      "functionLaws: there is no option "orders", did you mean "order"? It takes dtype, order",
      "hold: there is no option "seeds", did you mean "seed"? It takes seed, runs",
      "holdAll: there is no option "run", did you mean "runs"? It takes seed, runs",
      "scan: there is no option "onlyNan", did you mean "onlyNaN"? It takes onlyNaN",
      "checkTape: there is no option "tolerances", did you mean "tolerance"? It takes tolerance, seed, order",
      "checkGradients: order must be 1 or 2, got 3",
    ]
  `);
});
