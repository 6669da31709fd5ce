import type { Subject } from "../subject.ts";
import { callSubjects } from "./calls.ts";
import { named } from "./named.ts";

/** Connectionist temporal classification. */
export const ctc = (): Subject[] => callSubjects("ctc", "PyTorch: losses", named);
