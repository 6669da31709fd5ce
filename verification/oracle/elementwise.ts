import type { Subject } from "../subject.ts";
import { callSubjects } from "./calls.ts";
import { named } from "./named.ts";

/** Functions of one, two or three operands, element by element. */
export const elementwise = (): Subject[] =>
  callSubjects("elementwise", "PyTorch: elementwise", named);
