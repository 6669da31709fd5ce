import type { Subject } from "../subject.ts";
import { callSubjects } from "./calls.ts";
import { named } from "./named.ts";

/** Orders, questions, running products and remainders. */
export const arrays = (): Subject[] => callSubjects("arrays", "PyTorch: arrays", named);
