import type { Subject } from "../subject.ts";
import { callSubjects } from "./calls.ts";
import { named } from "./named.ts";

/** Reductions with ties and zeros, and running sums. */
export const reductions = (): Subject[] => callSubjects("reductions", "PyTorch: reductions", named);
