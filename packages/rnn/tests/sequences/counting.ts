import { tensor } from "@chronograd/autodiff";
import type { LaneSequence } from "../../src/index.ts";

/** A sequence whose element says which it is and where: `100 index + position`. */
export function counting(length: number, index: number): LaneSequence {
  const elements = Float64Array.from({ length }, (_, t) => 100 * index + t);
  const inputs = tensor(elements, { shape: [length, 1] });
  return { inputs, targets: inputs.neg() };
}
