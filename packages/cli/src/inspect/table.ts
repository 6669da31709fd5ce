import { bytesText } from "../command/bytes.ts";
import { counted } from "../command/counted.ts";
import { short } from "../command/short.ts";
import { textTable } from "../command/textTable.ts";
import type { TensorDescription } from "./describe.ts";

/** What a file holds. */
export interface FileDescription {
  readonly file: string;
  readonly bytes: number;
  readonly tensors: readonly TensorDescription[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Characters of a value of the metadata that are shown. */
const most = 100;

const extreme = (value: number | null | undefined): string =>
  value === null || value === undefined ? "" : short(value);

/** A file as lines of text: a table of its tensors, what is not finite, and its metadata. */
export function tableOf({ file, bytes, tensors, metadata }: FileDescription): string[] {
  const elements = tensors.reduce((sum, { shape }) => sum + shape.reduce((n, m) => n * m, 1), 0);
  const rows = tensors.map(
    ({ name, type, shape, bytes: own, norm, min, max, nonFinite, problem }) => [
      name,
      type,
      `[${shape}]`,
      bytesText(own),
      ...(problem === undefined
        ? [extreme(norm), extreme(min), extreme(max), nonFinite ? String(nonFinite) : ""]
        : ["", "", "", ""]),
    ],
  );
  const head = ["tensor", "type", "shape", "size", "norm", "min", "max", "not finite"];
  const problems = tensors.flatMap(({ problem }) =>
    problem === undefined ? [] : [`  ${problem}`],
  );
  const odd = tensors.flatMap(({ name, odd: found = [] }) =>
    found.map(({ value, count, first }) => `  ${name}: ${count} ${value}, the first at [${first}]`),
  );
  const texts = Object.entries(metadata).map(
    ([key, text]) => `  ${key}: ${text.length > most ? `${text.slice(0, most)} ...` : text}`,
  );
  const part = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ["", title, ...lines];
  return [
    `${file}: ${counted(tensors.length, "tensor")}, ${counted(elements, "number")}, ${bytesText(bytes)}`,
    "",
    ...textTable([head, ...rows]).map((line) => `  ${line}`),
    ...part("not finite", odd),
    ...part("not readable", problems),
    ...part("metadata", texts),
  ];
}
