/** The `package.json` of a new project, with the packages in this very version. */
export function manifest(name: string, version: string, jiti: string): string {
  const own = ["@chronograd/autodiff", "@chronograd/nn", "@chronograd/rnn", "chronograd"];
  const dependencies = {
    ...Object.fromEntries(own.map((each) => [each, version])),
    // Runs TypeScript on Node 20, which does not do so by itself.
    jiti,
  };
  const run = "node --import jiti/register";
  const scripts = {
    test: `chronograd check src/cell.ts && ${run} --test tests/cell.test.ts`,
    train: `${run} src/train.ts`,
    picture: "chronograd tape src/cell.ts --force",
  };
  const engines = { node: ">=20.19" };
  const written = {
    name,
    version: "0.0.0",
    private: true,
    type: "module",
    engines,
    scripts,
    dependencies,
  };
  return `${JSON.stringify(written, null, 2)}\n`;
}
