import type { FloatKernels } from "../kernels/contract.ts";
import type { Backend } from "../tensor/backend.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** The arithmetic kernels of a value's dtype. */
export function kernelsOf(backend: Backend, x: Tensor): FloatKernels {
  return x.dtype === "float64" ? backend.kernels.float64 : backend.kernels.float32;
}
