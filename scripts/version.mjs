import { spawnSync } from "node:child_process";

/** The version of a Node, without its v. */
export function version(node) {
  return spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim().slice(1);
}
