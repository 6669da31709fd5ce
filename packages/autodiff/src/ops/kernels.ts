import type { FloatKernels } from "../kernels/contract.ts";
import type { Int32Kernels } from "../kernels/int32.ts";
import type { Backend } from "../tensor/backend.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** The arithmetic kernels of a floating value's dtype. */
export function kernelsOf(backend: Backend, x: Tensor): FloatKernels {
  return x.dtype === "float64" ? backend.kernels.float64 : backend.kernels.float32;
}

/** The kernels of a value's dtype that int32 has as well. */
export function arithmeticOf(backend: Backend, x: Tensor): Int32Kernels {
  return x.dtype === "int32" ? backend.kernels.int32 : kernelsOf(backend, x);
}
