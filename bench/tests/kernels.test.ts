import { describe, expect, it } from "vitest";
import { kernelLines, settingsOf, unheld } from "../kernels.ts";

describe("kernels", () => {
  it("tells the variables that choose kernels or threads, and changes none", () => {
    const environment = { OPENBLAS_L2_SIZE: "1", HOME: "/x", OMP_NUM_THREADS: "2", A_MKL_B: "" };
    expect(settingsOf(environment)).toEqual({ OMP_NUM_THREADS: "2", OPENBLAS_L2_SIZE: "1" });
    expect(unheld({ HOME: "/x", OMP_NUM_THREADS: "2" })).toBeUndefined();
    expect(unheld(environment)).toEqual({ HOME: "/x", OMP_NUM_THREADS: "2", A_MKL_B: "" });
    expect(Object.keys(environment)).toHaveLength(4);
  });

  it("tells both kernels where a variable holds a library to others", () => {
    const kernels = { chronograd: "OpenBLAS (Haswell)", jax: "XLA" };
    const without = { chronograd: "OpenBLAS (SkylakeX)", jax: "XLA" };
    const environment = { OPENBLAS_CORETYPE: "Haswell" };
    expect(kernelLines({ environment, kernels, kernels_without: without })).toMatchInlineSnapshot(`
      [
        "kernels of chronograd: OpenBLAS (Haswell); without the environment's variables: OpenBLAS (SkylakeX)",
        "kernels of jax: XLA",
        "set in the environment: OPENBLAS_CORETYPE=Haswell",
      ]
    `);
    expect(kernelLines({ environment: {}, kernels: {} })).toMatchInlineSnapshot(`
      [
        "set in the environment: nothing that chooses kernels or threads",
      ]
    `);
  });
});
