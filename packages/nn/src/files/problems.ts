/// <reference types="node" />

const tooLarge = "the disk, a quota or a limit is full; free some space, and save again";
const forbidden = "this process may not; change the permissions, or choose another folder";

const writing: Readonly<Record<string, string>> = {
  ENOENT: "its folder does not exist; make it first, with mkdir",
  EACCES: forbidden,
  EPERM: forbidden,
  EROFS: forbidden,
  ENOSPC: tooLarge,
  EDQUOT: tooLarge,
  EFBIG: tooLarge,
  EISDIR: "it is a folder; choose another name",
  ENOTDIR: "its folder is a file; choose another one",
  ENAMETOOLONG: "its name is too long; choose a shorter one",
  ELOOP: "symbolic links lead to each other; remove one, or choose another name",
};

const reading: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file; save one first, or correct the name",
  EACCES: "this process may not read it; change its permissions",
  EISDIR: "it is a folder; name a file in it",
  ENOTDIR: "its folder is a file; correct the name",
  ENAMETOOLONG: "its name is too long; correct it",
  ELOOP: "symbolic links lead to each other; remove one, or correct the name",
};

/** What went wrong as a file was written, and a way out. */
export function writeProblem(path: string, error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EEXIST")
    return `"${path}" exists already; choose another name, or pass { overwrite: true }`;
  return `could not write "${path}": ${explained(error, writing)}`;
}

/** What went wrong as a file was read, and a way out. */
export function readProblem(path: string, error: unknown): string {
  return `could not read "${path}": ${explained(error, reading)}`;
}

function explained(error: unknown, ways: Readonly<Record<string, string>>): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const way = code === undefined ? undefined : ways[code];
  return way === undefined ? message : `${code}, ${way}`;
}
