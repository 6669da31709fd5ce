import { checkOptions } from "@chronograd/autodiff/internal";

const parts: readonly string[] = [
  "name",
  "sizes",
  "choices",
  "numbers",
  "params",
  "state",
  "input",
  "noise",
  "initial",
  "step",
  "equations",
  "linear",
  "example",
];

/** Throws a sentence for a definition of cells with a part that is missing, or is none. */
export function checkDefinition(definition: object): void {
  const where = "defineCell";
  const must = (isRight: boolean, what: string, expected: string, got: unknown): void => {
    if (!isRight) throw new TypeError(`${where}: ${what} must be ${expected}, got ${textOf(got)}`);
  };
  must(definition !== undefined, "the argument", "{ params, state, step }", definition);
  checkOptions(where, definition, parts);
  const given = definition as Readonly<Record<string, unknown>>;
  const isFunction = (x: unknown): boolean => typeof x === "function";
  const optional = ["input", "noise", "initial", "equations"];
  for (const part of ["params", "state", "step", ...optional]) {
    const isAbsent = optional.includes(part) && given[part] === undefined;
    const isRight = isAbsent || isFunction(given[part]);
    must(isRight, part, "a function", given[part]);
  }
  const { name = "", sizes = [], choices = {}, numbers = {}, example = {} } = given;
  must(typeof name === "string", "name", "a word", name);
  must(areWords(sizes), "sizes", 'a list of names such as ["input", "hidden"]', sizes);
  const lists = 'lists of words such as { activation: ["tanh", "relu"] }';
  must(isRecord(choices), "choices", lists, choices);
  must(isRecord(numbers), "numbers", "numbers by name such as { scale: 1 }", numbers);
  for (const [option, value] of Object.entries(numbers as object)) {
    must(Number.isFinite(value), `numbers.${option}`, "a finite number", value);
  }
  for (const [option, words] of Object.entries(choices as object) as [string, unknown[]][]) {
    const isRight = areWords(words) && words.length > 0;
    must(isRight, `choices.${option}`, 'a list of words such as ["tanh", "relu"]', words);
  }
  checkOptions(`${where}: example`, example, ["sizes", "input"]);
  const { sizes: small = {}, input = must } = example as Readonly<Record<string, unknown>>;
  must(typeof small === "object", "example.sizes", "sizes by name", small);
  must(isFunction(input), "example.input", "a function (random, batch) => input", input);
}

function isRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function areWords(list: unknown): boolean {
  return Array.isArray(list) && list.every((word) => typeof word === "string");
}

/** A value in a sentence: words in quotes, objects by their kind. */
export function textOf(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(textOf).join(", ")}]`;
  if (typeof value === "function") return "a function";
  if (typeof value === "bigint") return `${value}n`;
  return typeof value === "object" && value !== null ? "an object" : String(value);
}
