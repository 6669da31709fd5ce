import * as z from "zod";

/** Options of every command that makes a run folder; spread them into a schema. */
export const runFlags: {
  readonly name: z.ZodOptional<z.ZodString>;
  readonly force: z.ZodDefault<z.ZodBoolean>;
  readonly seed: z.ZodDefault<z.ZodInt>;
} = {
  name: z
    .string()
    .optional()
    .describe("name of the folder below runs/; numbered unless given")
    .meta({ value: "NAME" }),
  force: z
    .boolean()
    .default(false)
    .describe("replace an earlier run of that name, which is kept as NAME.previous"),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(1)
    .describe("seed of every random draw"),
};
