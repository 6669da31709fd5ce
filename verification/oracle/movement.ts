import type { Subject } from "../subject.ts";
import { callSubjects } from "./calls.ts";
import { named } from "./named.ts";

/** Shapes, joins, windows and indices. */
export const movement = (): Subject[] => callSubjects("movement", "PyTorch: movement", named);
