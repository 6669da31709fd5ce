// The page of derivative rules: each rule is run on a tape, and what it recorded is written as a
// formula.
import { scope, Tape, tensor } from "@chronograd/autodiff";

/**
 * Markdown with one row per op of a table, page by page: the cotangent of each input, or what a
 * composite is written with.
 */
export function derivatives(table, pages) {
  const declarations = new Map(table.map(({ name, declaration }) => [name, declaration]));
  const parts = [
    "# Derivatives of ops",
    `This page was made by running every rule of the op table (\`opTable()\` of \`@chronograd/autodiff/extend\`) on a tape, and writing
the recorded entries as a formula. $g$ is the cotangent of the output $y$, and $\\bar x$ is that of the input $x$. Products are
element by element, except for \`matmul\`, where they are matrix products. Where operands broadcast, a cotangent is summed
over the axes along which its input was repeated. $[\\,\\cdot\\,]$ is 1 where the comparison holds and 0 elsewhere.`,
  ];
  for (const { title, members } of pages) {
    const ops = members.filter(({ name }) => declarations.has(name));
    const lines = ops.map(({ name, url }) => {
      const declaration = declarations.get(name);
      const cell = scope(() =>
        declaration.composite ? composition(declaration) : backward(declaration),
      );
      return `| [\`${name}\`](${url}) | ${cell} |`;
    });
    parts.push(`## ${title}`, ["| op | backward |", "| --- | --- |", ...lines].join("\n"));
  }
  return parts.join("\n\n");
}

/** Inputs of a sample, from the middle of the domain, so that every rule can be run. */
function inputsOf({ inputs }) {
  return inputs.map(({ shape, domain: [low, high] = [0, 1], integers }) => {
    const size = shape.reduce((product, length) => product * length, 1);
    if (integers) return tensor(new Int32Array(size).fill(integers[0]), { shape });
    return tensor(new Float32Array(size).fill((low + high) / 2), { shape });
  });
}

/** The entries that a sample of an op records. */
function recorded(sample) {
  const tape = new Tape();
  sample.call(tape.watch(inputsOf(sample)));
  return [...tape.entries];
}

function composition({ samples }) {
  const names = new Set(samples.flatMap(recorded).map((entry) => `\`${entry.declaration.name}\``));
  return `composed of ${[...names].join(", ")}`;
}

/** The cotangent of every input, or why it has none. */
function backward(declaration) {
  const { vjp, name } = declaration;
  const first = Array.isArray(vjp)
    ? (vjp.find((rule) => typeof rule === "function") ?? vjp[0])
    : vjp;
  if (typeof first !== "function") return `none: ${first.none.split(":")[0]}`;
  const entry = recorded(declaration.samples[0]).find((found) => found.declaration.name === name);
  const names = entry.inputs.map((_, i) => declaration.inputs[i] ?? declaration.inputs.at(-1));
  const cells = names.map((input, i) => {
    const rule = Array.isArray(vjp) ? vjp[i] : vjp;
    if (typeof rule !== "function")
      return `$${cotangentOf(input)}$: none, ${rule.none.split(":")[0]}`;
    const tape = new Tape();
    const { shape, dtype, size } = entry.output;
    const g = tensor(new Float64Array(size).fill(1), { shape, dtype });
    const known = tape.watch({ g, inputs: entry.inputs, y: entry.output });
    const result = rule(
      known.g,
      { inputs: known.inputs, output: known.y, attributes: entry.attributes },
      i,
    );
    const leaves = new Map([[known.g.block, "g"]]);
    for (const [k, x] of known.inputs.entries()) leaves.set(x.block, symbolOf(names[k]));
    if (!leaves.has(known.y.block)) leaves.set(known.y.block, "y");
    const formula = new Formula(tape, leaves, entry.attributes).of(result, result.id);
    return `$${cotangentOf(input)} = ${formula.text}$`;
  });
  return [...new Set(cells)].join("<br>");
}

/** `x` as it is, longer names upright. */
function symbolOf(name) {
  return name.length === 1 ? name : `\\text{${name}}`;
}

function cotangentOf(name) {
  return name.length === 1 ? `\\bar{${name}}` : `\\overline{${symbolOf(name)}}`;
}

/**
 * The precedence of a formula: one with a lower precedence than its place asks for gets
 * parentheses.
 */
const atom = 0;
const power = 1;
const product = 2;
const sum = 3;

const comparisons = {
  less: "<",
  lessEqual: "\\le",
  greater: ">",
  greaterEqual: "\\ge",
  equal: "=",
  notEqual: "\\ne",
};
const functions = new Set(["sin", "cos", "tan", "sinh", "cosh", "tanh", "log", "exp"]);

/** Entries of a tape as one LaTeX formula. */
class Formula {
  constructor(tape, leaves, alpha) {
    this.tape = tape;
    this.leaves = leaves;
    this.alpha = alpha;
  }

  /** The value `x`, made by entry `id` or known by name. */
  of(x, id) {
    if (id >= 0) return this.entry([...this.tape.entries][id]);
    const name = this.leaves.get(x.block);
    if (name !== undefined) return { text: name, level: atom };
    return this.number(x.size === 1 ? x.item() : Number.NaN);
  }

  number(value) {
    if (value === this.alpha) return { text: "\\alpha", level: atom };
    const text = String(Number(value.toPrecision(5))).replace("Infinity", "\\infty");
    return { text, level: value < 0 ? sum : atom };
  }

  entry({ declaration: { name }, inputs, ids, attributes }) {
    const parts = inputs.map((x, i) => this.of(x, ids[i]));
    const [a, b] = parts;
    const at = (part, level) => (part.level <= level ? part.text : `(${part.text})`);
    const times = (left, right) => ({
      text: `${at(left, product)}\\,${at(right, product)}`,
      level: product,
    });
    const plus = (left, right) => ({ text: `${left.text} + ${right.text}`, level: sum });
    const minus = (left, right) => ({ text: `${left.text} - ${at(right, product)}`, level: sum });
    const isNegative = (part) => part.text.startsWith("-");
    const positive = (part) => ({ text: part.text.slice(1), level: product });
    if (name === "add" && b === undefined) {
      const number = this.number(attributes);
      if (isNegative(number)) return minus(a, positive(number));
      return isNegative(a) ? minus(number, positive(a)) : plus(a, number);
    }
    if (name === "mul" && b === undefined) {
      const { text, level } = this.number(attributes);
      return { text: `${text}\\,${at(a, product)}`, level: Math.max(level, product) };
    }
    if (name === "add") return isNegative(b) ? minus(a, positive(b)) : plus(a, b);
    if (name === "sub") return minus(a, b);
    if (name === "mul") return times(a, b);
    if (name === "neg") return { text: `-${at(a, product)}`, level: sum };
    if (name === "div") return { text: `\\dfrac{${a.text}}{${b.text}}`, level: power };
    if (name === "reciprocal") return { text: `\\dfrac{1}{${a.text}}`, level: power };
    if (name === "sqrt") return { text: `\\sqrt{${a.text}}`, level: atom };
    if (name === "rsqrt") return { text: `\\dfrac{1}{\\sqrt{${a.text}}}`, level: power };
    if (name === "square") return { text: `${at(a, atom)}^2`, level: power };
    if (name === "pow") return { text: `${at(a, atom)}^{${b.text}}`, level: power };
    if (name in comparisons)
      return { text: `[${a.text} ${comparisons[name]} ${b.text}]`, level: atom };
    if (name === "sigmoid") return { text: `\\sigma(${a.text})`, level: atom };
    if (functions.has(name)) return { text: `\\${name}(${a.text})`, level: atom };
    if (name === "matmul") {
      const factor = (part, isTransposed) => at(part, product) + (isTransposed ? "^\\top" : "");
      return {
        text: `${factor(a, attributes.transposeA)}\\,${factor(b, attributes.transposeB)}`,
        level: product,
      };
    }
    return {
      text: `\\operatorname{${name}}(${parts.map(({ text }) => text).join(", ")})`,
      level: atom,
    };
  }
}
