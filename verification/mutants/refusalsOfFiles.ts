import { inFile, type Mutant } from "./mutant.ts";

/** Refusals of files, messages and layers that are lost. */
export const refusalsOfFiles = [
  ...inFile("packages/nn/src/files/decode.ts", [
    {
      name: "files: whole numbers cut to 32 bits",
      kind: "guard lost",
      find: "if (narrow[i] !== Number(wide[i])) return wide[i]!;",
      replace: "if (narrow[i] === undefined) return wide[i]!;",
    },
    {
      name: "files: unsigned bytes with a sign",
      kind: "wrong function",
      find: "narrowed(new Uint8Array(buffer))",
      replace: "narrowed(new Int8Array(buffer))",
    },
    {
      name: "files: booleans as bytes",
      kind: "wrong function",
      find: "Math.min(byte, 1)",
      replace: "byte",
    },
  ]),
  ...inFile("packages/nn/src/files/header.ts", [
    {
      name: "files: names in the order of data",
      kind: "swapped operands",
      find: "const inOrder = [...entries].sort(",
      replace: "const inOrder = (entries as Entry[]).sort(",
    },
    {
      name: "files: null metadata refused",
      kind: "guard lost",
      find: "if (value === undefined || value === null) return {};",
      replace: "if (value === undefined) return {};",
    },
    {
      name: "files: half a character read",
      kind: "guard lost",
      find: "checkText(outermost);",
      replace: "",
    },
  ]),
  ...inFile("packages/nn/src/parallel/checkedTransport.ts", [
    {
      name: "transport: too many messages taken for those of all workers",
      kind: "guard lost",
      find: "messages.length !== count",
      replace: "messages.length < count",
    },
    {
      name: "transport: a message may end before the worker's own part",
      kind: "guard lost",
      find: "const end = Math.min((rank + 1) * bytes, messageBytes);",
      replace: "const end = Math.min(rank * bytes, messageBytes);",
    },
    {
      name: "transport: messages at any byte are not copied",
      kind: "guard lost",
      find: "return byteOffset % 8 === 0;",
      replace: "return byteOffset >= 0;",
    },
  ]),
  ...inFile("packages/nn/src/layers/layer.ts", [
    {
      name: "layers: parameters of any size",
      kind: "guard lost",
      find: "a[0] === b[0] && a[1] === b[1]",
      replace: "a[0] === b[0]",
    },
  ]),
  ...inFile("packages/nn/src/parallel/sharedMemory.ts", [
    {
      name: "shared memory: any memory is taken",
      kind: "guard lost",
      find: "if (found !== mark) {",
      replace: "if (!isShared) {",
    },
  ]),
  ...inFile("packages/nn/src/files/encode.ts", [
    {
      name: "files: half a character written",
      kind: "guard lost",
      find: "if (text.isWellFormed()) return;",
      replace: "return;",
    },
  ]),
  ...inFile("packages/nn/src/init/initialize.ts", [
    {
      name: "whole numbers: floats instead",
      kind: "wrong function",
      find: "const own = initializer.dtype ?? dtype;",
      replace: "const own = dtype;",
    },
    {
      name: "initialize: a draw that overflows float32",
      kind: "guard lost",
      find: 'own === "float32" ? Math.fround : Number',
      replace: "Number",
    },
  ]),
] satisfies Mutant[];
