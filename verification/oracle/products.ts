import type { Subject } from "../subject.ts";
import { callSubjects } from "./calls.ts";
import { named } from "./named.ts";

/** Matrix products, broadcast and transposed, and einsum. */
export const products = (): Subject[] => callSubjects("products", "PyTorch: products", named);
