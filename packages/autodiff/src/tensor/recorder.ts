import type { Tensor } from "./tensor.ts";

/**
 * What records ops: a tape. Higher levels were opened later and see the values of lower ones as
 * plain.
 */
export interface Recorder {
  readonly level: number;
  /**
   * Appends an application whose inputs may be tracked here, given them and the output without this
   * tracking. The declaration is the op's.
   */
  record(
    declaration: { readonly name: string },
    inputs: readonly Tensor[],
    primals: readonly Tensor[],
    output: Tensor,
    attributes: unknown,
  ): Tensor;
}
