import type { Subject } from "../subject.ts";
import { memoryLaws } from "./memory.ts";
import { planLaws } from "./plans.ts";
import { scheduleLaw } from "./schedule.ts";
import { valueLaws } from "./values.ts";

/** `unroll` as one entry of a tape: any number of steps, within a memory that is named. */
export function loopSubject(): Subject {
  return {
    name: "unroll, as one entry",
    group: "loops",
    laws: [scheduleLaw, ...valueLaws, ...memoryLaws, ...planLaws],
  };
}
