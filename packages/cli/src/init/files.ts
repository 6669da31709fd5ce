import { cell } from "./cell.ts";
import { cellTest } from "./cellTest.ts";
import { manifest } from "./manifest.ts";
import { readme } from "./readme.ts";
import { train } from "./train.ts";
import { workflow } from "./workflow.ts";

const tsconfig = `${JSON.stringify(
  {
    compilerOptions: {
      target: "es2023",
      module: "nodenext",
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      allowImportingTsExtensions: true,
      erasableSyntaxOnly: true,
    },
    include: ["src", "tests"],
  },
  null,
  2,
)}\n`;

/** Versions that a new project takes. */
export interface Versions {
  readonly own: string;
  readonly jiti: string;
}

/** The files of a new project by path. */
export function projectFiles(
  name: string,
  { own, jiti }: Versions,
): Readonly<Record<string, string>> {
  return {
    "package.json": manifest(name, own, jiti),
    "README.md": readme(name),
    "tsconfig.json": tsconfig,
    ".gitignore": "node_modules/\nruns/\n*.tape.svg\n",
    ".github/workflows/test.yml": workflow,
    "src/cell.ts": cell,
    "src/train.ts": train,
    "tests/cell.test.ts": cellTest,
  };
}
