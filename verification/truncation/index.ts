import type { Subject } from "../subject.ts";
import { accountLaws } from "./accounts.ts";
import { definitionLaws } from "./gradients.ts";
import { resumedLaws } from "./resumed.ts";
import { movingLaws } from "./updates.ts";

/** Truncated back-propagation through time, compared with its definition and its identities. */
export function truncationSubjects(): Subject[] {
  return [
    {
      name: "truncated, weights frozen",
      group: "truncated streams",
      laws: [...definitionLaws, ...accountLaws],
    },
    { name: "truncated, weights moving", group: "truncated streams", laws: movingLaws },
    { name: "truncated, resumed", group: "truncated streams", laws: resumedLaws },
  ];
}
