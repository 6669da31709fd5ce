import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { UsageError } from "../command/errors.ts";
import { ownPackages } from "./ownPackages.ts";
import { ownLine, placeOf } from "./place.ts";

/**
 * The exports of a TypeScript or JavaScript file. Types are taken away, not checked. Whatever the
 * file imports of `@chronograd` are the very packages that this process runs.
 *
 * Throws a `UsageError` where there is no such file, and where the file cannot be loaded: a syntax
 * error, an import that is not found, an exception.
 */
export async function loadModule(path: string): Promise<Readonly<Record<string, unknown>>> {
  const file = resolve(path);
  const found = existsSync(file) ? statSync(file) : undefined;
  if (found === undefined) throw new UsageError(`cannot load ${path}: there is no such file`);
  if (!found.isFile()) {
    throw new UsageError(`cannot load ${path}: it is a folder; name the file with the cell`);
  }
  if (!/\.[cm]?[jt]s$/.test(file)) {
    throw new UsageError(`cannot load ${path}: expected a .ts, .mts, .js or .mjs file`);
  }
  const { createJiti } = await import("jiti");
  const jiti = createJiti(pathToFileURL(file).href, {
    fsCache: false,
    moduleCache: false,
    interopDefault: false,
    virtualModules: await ownPackages(),
  });
  try {
    const loaded = await jiti.import<unknown>(file);
    // What `module.exports = ...` makes of a CommonJS file may be anything.
    const isRecord = typeof loaded === "object" && loaded !== null;
    return isRecord ? { ...loaded } : { default: loaded };
  } catch (error) {
    throw new UsageError(`cannot load ${path}: ${whyOf(error)}`);
  }
}

/** What went wrong while a file was loaded, and where, without the path through the loader. */
function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return `it threw ${JSON.stringify(error) ?? String(error)}`;
  const [first = ""] = error.message.split("\n");
  const syntax = /^ParseError: \W*([\s\S]*?)\s*\n (.+):(\d+):(\d+)/.exec(error.message);
  if (syntax !== null) {
    const [, what = "", file = "", line, column] = syntax;
    return `${placeOf(file)}:${line}:${Number(column) + 1}: ${what.trim()}`;
  }
  const importer = (error as { readonly requireStack?: readonly string[] }).requireStack?.[0];
  if (/^Cannot find (module|package)/.test(first)) {
    const what = /['"](.+?)['"]/.exec(first)?.[1] ?? "a module";
    const by = importer === undefined ? "" : `, which ${placeOf(importer)} imports,`;
    const isPackage = !/^[./]|^\w:/.test(what);
    return `${what}${by} is not found${isPackage ? `; is it installed, as by npm install ${what}?` : ""}`;
  }
  const line = ownLine(error);
  return `${line === undefined ? "" : `${line}: `}${error.name}: ${first.replace(/\(0 , \w+\.(\w+)\)/g, "$1")}`;
}
