import type { Subject } from "../subject.ts";
import { noiseLaws } from "./noise.ts";
import { streamLaws } from "./streams.ts";
import { unrollLaws } from "./unrolled.ts";

/** Rows that end, have gaps and begin afresh, compared with each row alone. */
export function sequenceSubjects(): Subject[] {
  return [
    { name: "truncated, rows that come and go", group: "truncated streams", laws: streamLaws },
    {
      name: "unroll, rows that come and go",
      group: "truncated streams",
      laws: [...unrollLaws, ...noiseLaws],
    },
  ];
}
