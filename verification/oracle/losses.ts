import type { Subject } from "../subject.ts";
import { callSubjects } from "./calls.ts";
import { named } from "./named.ts";

/** Softmax and related functions, and losses in every reduction. */
export const losses = (): Subject[] => callSubjects("losses", "PyTorch: losses", named);
