/// <reference types="node" />
import { createHash } from "node:crypto";
import { putTogether, takeApart } from "./apart.ts";
import { decodeSafetensors } from "./decode.ts";
import { StoredTensor } from "./difference.ts";
import { encodeSafetensors } from "./encode.ts";
import { headerLimit } from "./safetensors.ts";

/** The version of the format. A file of another one has its sum in the same place. */
const version = "1";

/** How the header of every checkpoint begins: the sum follows, at a place that is known. */
const opening = '{"__metadata__":{"chronograd.sha256":"';
const [sumStart, sumLength] = [8 + opening.length, 64];

/** A file that is no whole checkpoint of this version; the message completes "PATH ...". */
export class Unreadable extends Error {}

/** What a checkpoint holds. */
export interface Checkpoint {
  /** Its tensors are instances of `StoredTensor`. */
  readonly tree: unknown;
  /** What was saved to say which model it is of; `undefined` without it. */
  readonly model: unknown;
}

/**
 * A tree as the bytes of a safetensors file, whose metadata holds the version of the format, the
 * structure with all plain values, the model, and the sha256 of every byte but its own.
 */
export function encodeCheckpoint(tree: unknown, model: unknown, where: string): Uint8Array {
  const { text, tensors } = takeApart(tree, where);
  const about = model === undefined ? undefined : takeApart(model, `${where}: model`);
  const [named] = Object.keys(about?.tensors ?? {});
  if (named !== undefined) {
    throw new TypeError(
      `${where}: model has a tensor at ${JSON.stringify(named)}; describe the model by names and sizes`,
    );
  }
  const size = JSON.stringify(text).length;
  if (size > headerLimit) {
    throw new RangeError(
      `${where}: the plain values take ${size} letters, and a file holds ${headerLimit} at most; make tensors of long lists of numbers`,
    );
  }
  const bytes = encodeSafetensors(tensors, {
    "chronograd.sha256": "0".repeat(sumLength),
    "chronograd.checkpoint": version,
    ...(about && { "chronograd.model": about.text }),
    "chronograd.tree": text,
  });
  bytes.set(new TextEncoder().encode(sumOf(bytes)), sumStart);
  return bytes;
}

/** The contents of a file. Throws `Unreadable` unless they are those of a whole checkpoint. */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  if (!isWhole(bytes)) {
    throw new Unreadable(
      bytes.length === 0
        ? "is empty; copy it again, or begin a new run"
        : beginsAsCheckpoint(bytes)
          ? "is damaged: its sha256 is not that of its contents, so it was cut off or changed; copy it again, or begin a new run"
          : `is no checkpoint: ${otherFormat(bytes)}; pass a file that saveCheckpoint wrote`,
    );
  }
  const { tensors, metadata } = decodeSafetensors(bytes);
  const found = metadata["chronograd.checkpoint"];
  if (found !== version) {
    throw new Unreadable(
      `is a checkpoint of format version ${found}, not ${version}; read it with the release of @chronograd/nn that wrote it`,
    );
  }
  const model = metadata["chronograd.model"];
  const tree = putTogether(
    metadata["chronograd.tree"]!,
    (path) => new StoredTensor(tensors[path]!),
  );
  return { tree, model: model && putTogether(model, () => undefined) };
}

/** Whether a file is a checkpoint, of any version, whose every byte is as it was written. */
export function isWhole(bytes: Uint8Array): boolean {
  if (!beginsAsCheckpoint(bytes)) return false;
  return textOf(bytes.subarray(sumStart, sumStart + sumLength)) === sumOf(bytes);
}

/** Whether a file begins as every checkpoint does, as far as it goes. */
export function beginsAsCheckpoint(bytes: Uint8Array): boolean {
  return bytes.length > 8 && opening.startsWith(textOf(bytes.subarray(8, sumStart)));
}

function otherFormat(bytes: Uint8Array): string {
  try {
    decodeSafetensors(bytes);
    return "it is another safetensors file, which readSafetensors reads";
  } catch (error) {
    return (error as Error).message;
  }
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}

/** Digests take less than 2 GiB at a time. */
const part = 2 ** 30;

/** The sha256 of all bytes but those of the sum itself. */
function sumOf(bytes: Uint8Array): string {
  const hash = createHash("sha256").update(bytes.subarray(0, sumStart));
  for (let at = sumStart + sumLength; at < bytes.length; at += part)
    hash.update(bytes.subarray(at, at + part));
  return hash.digest("hex");
}
