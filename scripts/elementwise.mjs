// The exports of element-wise kernels in AssemblyScript: of each name in the table, a function of
// float32 and one of float64, by the class of that name in `simd/math/`.
import { readFileSync } from "node:fs";
import {
  binaryNames,
  scaledNames,
  unaryNames,
} from "../packages/autodiff/src/kernels/elementwise.ts";

const simd = new URL("../packages/autodiff/simd/", import.meta.url);

const kinds = [
  {
    names: unaryNames,
    classes: "unary-functions",
    loop: ["map", "unary"],
    wide: "Widened",
    params: () => ["n: i32", "x: usize", "y: usize"],
  },
  {
    names: scaledNames,
    classes: "scaled",
    loop: ["mapScaled", "unary"],
    wide: "Widened",
    params: (real) => ["n: i32", "x: usize", "y: usize", `alpha: ${real}`],
  },
  {
    names: binaryNames,
    classes: "binary-functions",
    loop: ["map", "binary"],
    wide: "WidenedPair",
    params: () => [
      ...["rows: i32", "cols: i32", "a: usize", "aRow: i32", "aCol: i32"],
      ...["b: usize", "bRow: i32", "bCol: i32", "y: usize"],
    ],
  },
];

/** One AssemblyScript file for all of them. */
export function elementwiseExports() {
  return kinds.map(exportsOf).join("\n");
}

function exportsOf({ names, classes, loop: [loop, file], wide, params }) {
  const source = readFileSync(new URL(`math/${classes}.ts`, simd), "utf8");
  /** By class: whether it is for float64 alone. */
  const declared = new Map(
    [...source.matchAll(/class (\w+)( extends Float64)? \{/g)].map((found) => [
      found[1],
      found[2] !== undefined,
    ]),
  );
  const space = classes.replace("-", "_");
  const lines = [
    `import * as ${space} from "../math/${classes}";`,
    `import { ${loop} as ${space}_loop } from "../${file}";`,
  ];
  for (const real of ["f32", "f64"]) {
    for (const name of names) {
      const plain = name[0].toUpperCase() + name.slice(1);
      if (!declared.has(plain)) {
        throw new Error(
          `build-kernels: the kernel ${name} needs a class ${plain} in simd/math/${classes}.ts, and there is none`,
        );
      }
      const own = `${plain}OfFloat32`;
      const chosen = real === "f32" && declared.has(own) ? own : plain;
      const f = `${space}.${chosen}`;
      const type = real === "f32" && declared.get(chosen) ? `${space}.${wide}<${f}>` : f;
      const given = params(real);
      const values = given.map((one) => one.split(":")[0]).join(", ");
      lines.push(
        `export function ${real}_${name}(${given.join(", ")}): void {`,
        `  ${space}_loop<${real}, ${type}>(${values});`,
        "}",
      );
    }
  }
  return `${lines.join("\n")}\n`;
}
