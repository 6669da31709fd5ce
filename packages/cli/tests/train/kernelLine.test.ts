import { expect, test } from "vitest";
import { kernelLine } from "../../src/training/kernelLine.ts";

const line = (what: string, platform = "linux", found = false) =>
  kernelLine({ kernels: "simd", blas: { found, what }, platform });

test("with a BLAS the kernels are told alone", () => {
  expect(line("OpenBLAS 0.3.21", "linux", true)).toBe("Kernels: simd");
});

test("a BLAS that was switched off is told, and nothing is advised", () => {
  expect(line("off, as CHRONOGRAD_BLAS says")).toBe(
    "Kernels: simd; BLAS: off, as CHRONOGRAD_BLAS says",
  );
});

test("without a BLAS, what one would bring and how to get it", () => {
  expect(line("none found")).toMatchInlineSnapshot(
    `"Kernels: simd; BLAS: none found. With OpenBLAS the model of npm start trains 1.5 times as fast (apt-get install libopenblas0)"`,
  );
  expect(line("none found", "freebsd")).toMatchInlineSnapshot(
    `"Kernels: simd; BLAS: none found. With OpenBLAS the model of npm start trains 1.5 times as fast"`,
  );
  expect(
    line("none, because the optional package koffi is not installed", "darwin"),
  ).toMatchInlineSnapshot(
    `"Kernels: simd; BLAS: none, because the optional package koffi is not installed. With OpenBLAS the model of npm start trains 1.5 times as fast (npm install koffi)"`,
  );
});
