import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";

/** A folder outside of the repository, gone after the tests of a file. */
export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "chronograd-cli-"));
  afterAll(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** Writes files by name; returns a path by name. */
export function write(
  into: string,
  files: Readonly<Record<string, string>>,
): (name: string) => string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(into, name)), { recursive: true });
    writeFileSync(join(into, name), text);
  }
  return (name) => join(into, name);
}

/** A cell as a user writes it. */
export const elmanCell = `import { init } from "@chronograd/nn";
import { defineCell } from "@chronograd/rnn";

export const elman = defineCell({
  name: "elman",
  params: ({ input, hidden }: { input: number; hidden: number }) => ({
    W: init.glorot(input, hidden),
    U: init.orthogonal(hidden),
    b: init.zeros(hidden),
  }),
  state: ({ hidden }) => ({ h: init.zeros(hidden) }),
  step: ({ W, U, b }, x, { h }) => {
    const next = x.matmul(W).add(h.matmul(U)).add(b).tanh();
    return [next, { h: next }];
  },
});
`;
