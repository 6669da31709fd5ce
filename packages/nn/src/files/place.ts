/// <reference types="node" />
import { readlinkSync, type Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, isAbsolute, sep } from "node:path";
import { shown } from "../checks.ts";

/** Throws a sentence unless a path is text. */
export function checkPath(path: string, where: string): void {
  if (typeof path === "string" && path !== "") return;
  throw new TypeError(`${where}: path must be the name of a file, got ${shown(path)}`);
}

/** No system follows more links than these. */
const mostLinks = 64;

/**
 * Where a file is that has this path: the target of a symbolic link, also one that is still to be
 * made.
 */
export function placeOf(path: string): string {
  let place = path;
  try {
    for (let links = 0; links < mostLinks; links++) {
      const target = readlinkSync(place);
      // The folder may be a link, from which ".." leads elsewhere than in the text: not `join`.
      place = isAbsolute(target) ? target : `${dirname(place)}${sep}${target}`;
    }
  } catch {
    return place;
  }
  // A circle: whoever opens the path is told so.
  return path;
}

const kinds = {
  isFIFO: "a named pipe",
  isSocket: "a socket",
  isCharacterDevice: "a device",
  isBlockDevice: "a device",
  isSymbolicLink: "a symbolic link",
} as const;

/**
 * Throws for what is there and neither a file nor a folder: to open it may block or act, and to
 * write to its name would replace it. Systems refuse folders by themselves.
 *
 * @param look `lstat` refuses symbolic links too
 * @returns whether something is there
 */
export async function checkKind(
  path: string,
  look: (path: string) => Promise<Stats> = stat,
): Promise<boolean> {
  const found = await look(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  for (const [is, kind] of Object.entries(kinds)) {
    if (found?.[is as keyof typeof kinds]())
      throw new Error(`it is ${kind}, no regular file; choose another name`);
  }
  return found !== undefined;
}
