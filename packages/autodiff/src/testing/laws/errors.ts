import { type OpDeclaration, type Sample, vjpRule } from "../../ops/declare.ts";
import { type Backend, createBackend } from "../../tensor/backend.ts";
import { tensor, zeros } from "../../tensor/create.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Law } from "../law.ts";

/** Wrong arguments of a sample's call, and what they are. */
function* wrong(
  declaration: OpDeclaration,
  sample: Sample,
  draw: () => Tensor[],
  elsewhere: () => Backend,
): Generator<[what: string, call: () => unknown]> {
  const { accepts } = declaration;
  const with_ = (i: number, change: (x: Tensor) => Tensor) => () =>
    sample.call(draw().map((x, k) => (k === i ? change(x) : x)));
  const inputs = draw();
  for (const [i, x] of inputs.entries()) {
    if (!isFloat(x.dtype)) continue;
    const { shape, dtype } = x;
    if (accepts === undefined || accepts === "float") {
      yield [
        `an int32 tensor as input ${i}`,
        with_(i, () => zeros(shape, { dtype: "int32", backend: x.backend })),
      ];
    }
    const floats = inputs.filter((y) => isFloat(y.dtype)).length;
    const other = dtype === "float64" ? "float32" : "float64";
    if (floats > 1 && typeof accepts !== "function" && vjpRule(declaration, i) !== undefined) {
      yield [
        `${other} beside ${dtype}`,
        with_(i, () => zeros(shape, { dtype: other, backend: x.backend })),
      ];
    }
    if (inputs.length > 1) {
      yield ["another backend", with_(i, () => zeros(shape, { dtype, backend: elsewhere() }))];
    }
    yield [
      "a value that is gone",
      with_(i, () => {
        let gone: Tensor | undefined;
        scope(() => {
          gone = tensor(x.toTypedArray(), { shape, dtype, backend: x.backend });
        });
        return gone!;
      }),
    ];
  }
}

/** Wrong arguments end in a sentence that names the op. */
export function errorLaw(
  declaration: OpDeclaration,
  samples: readonly Sample[],
  draw: (sample: Sample, seed: number) => Tensor[],
): Law {
  let other: Backend | undefined;
  const elsewhere = () => {
    other ??= createBackend();
    return other;
  };
  return {
    name: "errors",
    statement: "wrong dtypes, backends and values that are gone throw a sentence that names the op",
    bound: 0,
    measure(seed) {
      const sample = samples.find(
        ({ inputs }) => inputs.length > 0 && inputs.every(({ shape }) => !shape.includes(0)),
      );
      if (sample === undefined) return undefined;
      let cases = 0;
      return scope(() => {
        for (const [what, call] of wrong(
          declaration,
          sample,
          () => draw(sample, seed),
          elsewhere,
        )) {
          cases++;
          let message = "nothing was thrown";
          try {
            call();
          } catch (error) {
            message = error instanceof Error ? error.message : String(error);
          }
          // Ops that are called through another say that one's name.
          if (/^\w+: .+/.test(message)) continue;
          return { error: Infinity, cases, what: `${what}: ${message}` };
        }
        return cases === 0 ? undefined : { error: 0, cases };
      });
    },
  };
}
