// Packs one package as it would be published and asks `attw` whether its types resolve for consumers.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const [name, folder] = process.argv.slice(2);
const windows = process.platform === "win32";
const pack = spawnSync(
  "npm",
  ["pack", "--json", "--ignore-scripts", "--pack-destination", folder],
  {
    cwd: `packages/${name}`,
    encoding: "utf8",
    shell: windows,
  },
);
if (pack.status !== 0) {
  console.error(pack.stderr);
  process.exit(1);
}
const [{ filename }] = Object.values(JSON.parse(pack.stdout));
const { status } = spawnSync(
  join("node_modules", ".bin", "attw"),
  [join(folder, filename), "--profile", "esm-only"],
  { stdio: "inherit", shell: windows },
);
process.exit(status ?? 1);
