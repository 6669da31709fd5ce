/// <reference types="node" />
import { open } from "node:fs/promises";

/** Systems read less than 2 GiB at a time. */
const part = 2 ** 30;

/** All bytes of a file, of any size. */
export async function readWhole(path: string): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    const bytes = new Uint8Array((await file.stat()).size);
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
