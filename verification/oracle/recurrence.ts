import type { Subject } from "../subject.ts";
import { callSubjects } from "./calls.ts";
import { named } from "./named.ts";

/** The scan over time. */
export const recurrence = (): Subject[] =>
  callSubjects("recurrence", "PyTorch: the scan over time", named);
