import type { Law } from "@chronograd/autodiff/testing";
import { cellLaws } from "@chronograd/rnn/testing";
import type { Examination } from "./examination.ts";
import { gradientLaws } from "./gradients.ts";
import { influenceLaws } from "./influence.ts";
import { ruleLaws } from "./rules.ts";
import { truncatedLaws } from "./truncated.ts";

/** The laws of a group. */
type Group = (examination: Examination) => readonly Law[];

/** The name of a group of laws. */
export type GroupName = "cell" | "gradients" | "rules" | "truncated" | "influence";

/** Groups of laws by name, in the order in which they are held. */
export const groups: Readonly<Record<GroupName, Group>> = {
  cell: ({ name, cell, own, batch, steps, tolerance }) =>
    cellLaws(cell, { ...own, name, batch, steps, tolerance: own.tolerance ?? tolerance }),
  gradients: gradientLaws,
  rules: ruleLaws,
  truncated: truncatedLaws,
  influence: influenceLaws,
};
