import { editDistance } from "@chronograd/nn/metrics";

/** The name that a mistyped one may have meant, whatever its case; nothing where none is near. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "");
  const wanted = plain(name);
  const [best] = names
    .map((other) => ({ other, edits: editDistance(wanted, plain(other)) }))
    .sort((a, b) => a.edits - b.edits);
  return best !== undefined && best.edits <= Math.max(1, wanted.length / 3)
    ? best.other
    : undefined;
}
