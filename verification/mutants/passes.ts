import { inFile, type Mutant } from "./mutant.ts";

const backward = inFile("packages/autodiff/src/passes/backward.ts", [
  {
    name: "backward: since ignored",
    kind: "boundary not cut",
    find: "const low = Math.max(since, recording.base);",
    replace: "const low = recording.base;",
  },
  {
    name: "backward: a sweep that is not recorded gives tracked values",
    kind: "guard lost",
    find: "if (!this.record && cotangent?.tape)",
    replace: "if (false)",
  },
  {
    name: "backward: cut one entry late",
    kind: "cut in the wrong place",
    find: "const low = Math.max(since, recording.base);",
    replace: "const low = Math.max(since + 1, recording.base);",
  },
  {
    name: "backward: cut one entry early",
    kind: "cut in the wrong place",
    find: "const low = Math.max(since, recording.base);",
    replace: "const low = Math.max(since - 1, recording.base);",
  },
  {
    name: "backward: nothing arrives at a value before the cut",
    kind: "lost gradient",
    find: "return this.beyond.has(id);",
    replace: "return false;",
  },
  {
    name: "backward: the last target alone counts",
    kind: "off by one",
    find: "if (tape === recording && id > high) high = id;",
    replace: "if (tape === recording) high = id;",
  },
  {
    name: "backward: values asked for lead nowhere",
    kind: "lost gradient",
    find: "this.needed[id - low] = 1;",
    replace: "",
  },
  {
    name: "backward: the first entry leads nowhere",
    kind: "off by one",
    find: "for (let i = 0; i < count; i++) {\n      for (const id of entries",
    replace: "for (let i = 1; i < count; i++) {\n      for (const id of entries",
  },
  {
    name: "backward: the first entry not visited",
    kind: "off by one",
    find: "position >= this.low; position--",
    replace: "position > this.low; position--",
  },
  {
    name: "backward: the cotangent of an asked value dropped",
    kind: "lost gradient",
    find: "if (!this.kept.has(position)) {",
    replace: "if (g !== undefined) {",
  },
  {
    name: "backward: the last contribution replaces the sum",
    kind: "stale value reused",
    find: "const total = add(there, cotangent);",
    replace: "const total = cotangent;",
  },
  {
    name: "backward: in place, the new contribution twice",
    kind: "stale value reused",
    find: "kernel(1, n, there.pointer, n, 1, cotangent.pointer, n, 1, there.pointer);",
    replace: "kernel(1, n, cotangent.pointer, n, 1, cotangent.pointer, n, 1, there.pointer);",
  },
  {
    name: "backward: adds into a cotangent that others hold",
    kind: "aliased memory",
    find: "there.block.holders === 1 &&",
    replace: "",
  },
  {
    name: "backward: a rule adds into a cotangent that others hold",
    kind: "aliased memory",
    find: "if (there.block.holders !== 1 || g.tape !== null) return false;",
    replace: "if (g.tape !== null) return false;",
  },
  {
    name: "backward: a rule adds in place under an outer tape",
    kind: "levels confused",
    find: "for (const input of inputs) if (input.tape !== null) return false;",
    replace: "",
  },
  {
    name: "backward: a rule adds in place while the sweep is recorded",
    kind: "levels confused",
    find: "return !this.record && this.observer?.contribute === undefined;",
    replace: "return this.observer?.contribute === undefined;",
  },
  {
    name: "backward: sums in place while the sweep is recorded",
    kind: "levels confused",
    find: "there.block.holders === 1 &&\n      cotangent.tape === null",
    replace: "there.block.holders === (this.record ? 2 : 1)",
  },
  {
    name: "backward: changed values go unnoticed",
    kind: "guard lost",
    find: "entry.checkVersions(position);",
    replace: "",
  },
  {
    name: "backward: the first input's rule in place for all",
    kind: "swapped operands",
    find: "declaration.accumulate?.[i]",
    replace: "declaration.accumulate?.[0]",
  },
  {
    name: "backward: the first input's rule for all",
    kind: "swapped operands",
    find: "const rule = vjpRule(declaration, i);",
    replace: "const rule = vjpRule(declaration, 0);",
  },
  {
    name: "backward: rules for several inputs told that it is the first",
    kind: "off by one",
    find: "cotangent = rule(g, application, i);",
    replace: "cotangent = rule(g, application, 0);",
  },
  {
    name: "backward: what a rule returns is taken as it is",
    kind: "guard lost",
    find: "if (!fits(cotangent, entry.inputs[i]!)) {",
    replace: "if (cotangent === null) {",
  },
  {
    name: "backward: outputs are constants of a recorded sweep",
    kind: "lost gradient",
    find: "output: recording.handle(entry.output, position),",
    replace: "output: entry.output,",
  },
  {
    name: "backward: inputs are constants of a recorded sweep",
    kind: "lost gradient",
    find: "inputs: entry.inputs.map((input, i) => recording.handle(input, entry.ids[i]!)),",
    replace: "inputs: entry.inputs,",
  },
]);

const forward = inFile("packages/autodiff/src/passes/forward.ts", [
  {
    name: "forward: the last output not reached",
    kind: "off by one",
    find: "const count = 1 + outputs.reduce(",
    replace: "const count = outputs.reduce(",
  },
  {
    name: "forward: tangents dropped at their first use",
    kind: "stale value reused",
    find: "if (id < base || lastUse[id - base] !== i) continue;",
    replace: "if (id < base || lastUse[id - base] === -1) continue;",
  },
  {
    name: "forward: outputs dropped when something else reads them",
    kind: "lost gradient",
    find: "for (const { id } of outputs) if (id >= base) last[id - base] = -1;",
    replace: "",
  },
  {
    name: "forward: constants of a linear op as their own tangents",
    kind: "wrong function",
    find: "tangents[i] ?? giveOwner(filled(input.backend, input.shape, 0, input.dtype))",
    replace: "tangents[i] ?? input",
  },
  {
    name: "forward: what a rule returns is taken as it is",
    kind: "guard lost",
    find: "if (!fits(tangent, entry.output)) throw",
    replace: "if (tangent === null) throw",
  },
  {
    name: "forward: changed values go unnoticed",
    kind: "guard lost",
    find: "entry.checkVersions(position);",
    replace: "",
  },
]);

/** Bugs in the sweeps. */
export const passes: readonly Mutant[] = [...backward, ...forward];
