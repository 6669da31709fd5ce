import type { Subject } from "../subject.ts";
import { callSubjects } from "./calls.ts";
import { named } from "./named.ts";

/** Convolutions, pools, and the columns of windows. */
export const windows = (): Subject[] => callSubjects("windows", "PyTorch: windows", named);
