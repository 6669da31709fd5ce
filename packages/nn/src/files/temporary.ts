/// <reference types="node" />
import { createHash, randomUUID } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import process from "node:process";

/** A new name beside a file, which says whose it is: `.SUM.PROCESS.UUID.tmp`. */
export function temporaryBeside(path: string): string {
  return join(dirname(path), `${start(path)}${process.pid}.${randomUUID()}.tmp`);
}

/** A sum stands for the name: what comes behind must not make a long name too long. */
function start(path: string): string {
  return `.${createHash("sha256").update(basename(path)).digest("hex").slice(0, 16)}.`;
}

/**
 * Removes what processes that are no more have left beside a file: only temporaries of this file,
 * and none of a process that runs. A path belongs to the processes of one machine.
 */
export async function removeAbandoned(path: string): Promise<void> {
  const folder = dirname(path);
  const own = start(path);
  for (const name of await readdir(folder).catch(() => [])) {
    const [, id] = (name.startsWith(own) && pattern.exec(name.slice(own.length))) || [];
    if (id === undefined) continue;
    const temporary = join(folder, name);
    if (await isAbandoned(temporary, Number(id))) await rm(temporary, { force: true });
  }
}

const pattern = /^(\d+)\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/;

async function isAbandoned(path: string, id: number): Promise<boolean> {
  if (id === process.pid) {
    // Numbers of processes come again, in containers always: an older file is not this one's.
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
    return mtimeMs < Date.now() - 1000 * process.uptime() - 1000;
  }
  try {
    process.kill(id, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
