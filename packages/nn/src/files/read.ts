/// <reference types="node" />
import { open } from "node:fs/promises";
import { checkKind } from "./place.ts";

/** Systems read less than 2 GiB at a time. */
const part = 2 ** 30;

/** The bytes of a file, of any size: all, or the first `most`. Only regular files are opened. */
export async function readBytes(path: string, most: number = Infinity): Promise<Uint8Array> {
  await checkKind(path);
  const file = await open(path, "r");
  try {
    const bytes = new Uint8Array(Math.min((await file.stat()).size, most));
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, at, Math.min(part, bytes.length - at), at);
      if (bytesRead === 0) return bytes.subarray(0, at);
      at += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}
