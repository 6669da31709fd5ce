import type { Subject } from "../subject.ts";
import { callSubjects } from "./calls.ts";
import { named } from "./named.ts";

/** Ops of one kernel: gates of recurrent cells, layer normalisation. */
export const fused = (): Subject[] => callSubjects("fused", "PyTorch: fused ops", named);
