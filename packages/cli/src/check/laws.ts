import type { Law } from "@chronograd/autodiff/testing";
import { cellLaws } from "@chronograd/rnn/testing";
import type { Examination } from "./examination.ts";
import { gradientLaws } from "./gradients.ts";
import { influenceLaws } from "./influence.ts";
import { ruleLaws } from "./rules.ts";
import { truncatedLaws } from "./truncated.ts";

/** The laws of a group. */
type Group = (examination: Examination) => readonly Law[];

/** Groups of laws by name, in the order in which they are held. */
export const groups = {
  cell: ({ name, cell, own, batch, steps, tolerance }: Examination) =>
    cellLaws(cell, { ...own, name, batch, steps, tolerance: own.tolerance ?? tolerance }),
  gradients: gradientLaws,
  rules: ruleLaws,
  truncated: truncatedLaws,
  influence: influenceLaws,
} satisfies Readonly<Record<string, Group>>;

/** The name of a group of laws. */
export type GroupName = keyof typeof groups;
