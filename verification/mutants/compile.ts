import { inFile, type Mutant } from "./mutant.ts";

/** Bugs in the compiler, and in streams that run as plans. */
export const compiling: readonly Mutant[] = [
  ...inFile("packages/autodiff/src/compile/batchings.ts", [
    {
      name: "batch: a weight's gradient from the first step alone",
      kind: "off by one in time",
      find: "withArgs(calls[0]!, { k: k * calls.length, accumulate })",
      replace: "withArgs(calls[0]!, { k, accumulate })",
    },
    {
      name: "batch: rows of the first step alone",
      kind: "off by one in time",
      find: "return { call: withArgs(first!, { m: m * calls.length }), columns };",
      replace: "return { call: first!, columns };",
    },
    {
      name: "batch: a gradient added to what was there before",
      kind: "stale value reused",
      find: "k: k * calls.length, accumulate })",
      replace: "k: k * calls.length, accumulate: 1 })",
    },
  ]),
  ...inFile("packages/autodiff/src/compile/graph.ts", [
    {
      name: "graph: calls of a recurrence run as one",
      kind: "off by one in time",
      find: "if (own.has(next)) return false;\n          this.#visit",
      replace: "this.#visit",
    },
  ]),
  ...inFile("packages/autodiff/src/compile/layout.ts", [
    {
      name: "layout: a result over its own operand",
      kind: "aliased memory",
      find: "if (other.first > last[i]! || other.last < first[i]!) continue;",
      replace: "if (other.first >= last[i]! || other.last < first[i]!) continue;",
    },
    {
      name: "layout: nothing kept for the backward run",
      kind: "wrong saved value",
      find: "isKept[buffer] = true;",
      replace: "",
    },
  ]),
  ...inFile("packages/autodiff/src/compile/emit.ts", [
    {
      name: "emit: every kept value at the beginning of the record",
      kind: "wrong saved value",
      find: "slot < 0 ? layout.offsets[buffer]! + offset : offset",
      replace: "offset",
    },
    {
      name: "emit: JavaScript gets addresses with a sign",
      kind: "wrong function",
      find: "put(op.f64FromUnsigned);",
      replace: "put([0xb7]);",
    },
  ]),
  ...inFile("packages/autodiff/src/kernels/contract.ts", [
    {
      name: "linkage: of a kernel that the set has replaced",
      kind: "wrong function",
      find: "linkage !== undefined && own(set) === own(linkage.kernels) ? linkage : undefined",
      replace: "linkage",
    },
  ]),
  ...inFile("packages/autodiff/src/compile/prepack.ts", [
    {
      name: "prepack: products that the set has replaced",
      kind: "wrong function",
      find: " || !areTogether(kernels, call)",
      replace: "",
    },
  ]),
  ...inFile("packages/autodiff/src/compile/fuse.ts", [
    {
      name: "fuse: values that others read are not written",
      kind: "wrong saved value",
      find: "readers[buffer] === (own.get(buffer) ?? 0)",
      replace: "readers[buffer]! >= (own.get(buffer) ?? 0)",
    },
  ]),
  ...inFile("packages/autodiff/src/compile/group.ts", [
    {
      name: "fuse: a value as it was before it was added to",
      kind: "stale value reused",
      find: "values.set(key, value);\n      if (last",
      replace: "if (!values.has(key)) values.set(key, value);\n      if (last",
    },
  ]),
  ...inFile("packages/autodiff/src/compile/fuse.ts", [
    {
      name: "fuse: loops told apart by numbers in which -0 is 0",
      kind: "stale value reused",
      find: 'Object.is(one.alpha, -0) ? "-0" : String(one.alpha)',
      replace: "String(one.alpha)",
    },
  ]),
  ...inFile("packages/autodiff/src/compile/signature.ts", [
    {
      name: "compile: -0 has the plan of 0",
      kind: "stale value reused",
      find: 'return Object.is(value, -0) ? "-0" : String(value);',
      replace: "return String(value);",
    },
  ]),
  ...inFile("packages/autodiff/src/compile/traceFunction.ts", [
    {
      name: "recorded: one argument in two places is two values",
      kind: "stale value reused",
      find: "return given.get(x)!;",
      replace: "return own;",
    },
  ]),
  ...inFile("packages/autodiff/src/tape/recording.ts", [
    {
      name: "recording: a plan loses the derivative by a value that it closes over",
      kind: "lost gradient",
      find: "if (tracingDepth() > this.#depth) {",
      replace: "if (tracingDepth() < 0) {",
    },
  ]),
  ...inFile("packages/rnn/src/truncated/unchanged.ts", [
    {
      name: "source: a step that changed since it came is read as it is now",
      kind: "stale value reused",
      find: "if (isUnchanged(step)) return;",
      replace: "return;",
    },
  ]),
  ...inFile("packages/autodiff/src/compile/checkSchedule.ts", [
    {
      name: "trust: what was recorded is never held to what is",
      kind: "stale value reused",
      find: "return true;",
      replace: "return false;",
    },
  ]),
  ...inFile("packages/autodiff/src/compile/traceSnapshot.ts", [
    {
      name: "transcript: only the first byte of a constant is compared",
      kind: "stale value reused",
      find: "a.every((byte, i) => byte === b[i])",
      replace: "a[0] === b[0]",
    },
    {
      name: "transcript: numbers are compared by ===",
      kind: "stale value reused",
      find: "if (!Object.is(value, now))",
      replace: "if (value !== now)",
    },
    {
      name: "transcript: results are not compared",
      kind: "stale value reused",
      find: "return this.#differenceOfResults(this.#result, other.#result, other);",
      replace: "return undefined;",
    },
  ]),
  ...inFile("packages/autodiff/src/compile/lanewise.ts", [
    {
      name: "lanewise: a sum that begins with 0 keeps the sign of -0",
      kind: "sign",
      find: 'code: "offset", alpha: 0 }',
      replace: 'code: "copy", alpha: undefined }',
    },
    {
      name: "lanewise: every block of columns is the first",
      kind: "swapped operands",
      find: "const offset = access.offset + block * cols * col * call.size;",
      replace: "const { offset } = access;",
    },
  ]),
  ...inFile("packages/autodiff/src/compile/loop.ts", [
    {
      name: "loop: a function in the place of a call takes its operands in the other order",
      kind: "swapped operands",
      find: "op.localSet(own + i)).reverse()",
      replace: "op.localSet(own + i))",
    },
    {
      name: "loop: a function in the place of a call has the locals of values",
      kind: "wrong saved value",
      find: "const own = first + values;",
      replace: "const own = first;",
    },
    {
      name: "loop: the last columns of a row are left out",
      kind: "off by one in time",
      find: "const rest = cols % lanes;",
      replace: "const rest = cols > lanes ? 0 : cols % lanes;",
    },
    {
      name: "loop: b - a for a - b",
      kind: "sign",
      find: "const all = operands.flat();",
      replace: 'const all = (code === "sub" ? operands.reverse() : operands).flat();',
    },
  ]),
  ...inFile("packages/autodiff/src/compile/tables.ts", [
    {
      name: "tables: every step looks up what the first did",
      kind: "off by one in time",
      find: "x: product, indices, y }",
      replace: "x: product, indices: lookups[0]!.indices, y }",
    },
    {
      name: "tables: the table's gradient replaces what was there",
      kind: "lost gradient",
      find: "c: table, accumulate: 1 }",
      replace: "c: table, accumulate: 0 }",
    },
    {
      name: "tables: only the first step's rows are added up",
      kind: "off by one in time",
      find: "return { pointer: y, calls: [zero, ...calls] };",
      replace: "return { pointer: y, calls: [zero, ...calls.slice(0, 1)] };",
    },
  ]),
  ...inFile("packages/autodiff/src/compile/prepack.ts", [
    {
      name: "prepack: transposed weights packed as they lie",
      kind: "transposed product",
      find: "{ n, k, b, ldb, bTransposed, y }",
      replace: "{ n, k, b, ldb, bTransposed: 0, y }",
    },
  ]),
  ...inFile("packages/rnn/src/truncated/engines/choosing.ts", [
    {
      name: "choosing: a change in the last windows is never noticed",
      kind: "stale value reused",
      find: "finish: () => engine.finish(),",
      replace: "finish() {},",
    },
  ]),
  ...inFile("packages/rnn/src/truncated/engines/recordedChunk.ts", [
    {
      name: "chunk: counts of tokens are those of the recording",
      kind: "stale value reused",
      find: "tokens: sizes.counts",
      replace: "tokens: []",
    },
  ]),
  ...inFile("packages/rnn/src/truncated/engines/shards.ts", [
    {
      name: "chunk: swept without its losses",
      kind: "lost gradient",
      find: "recorded.backwardShards(runs, cotangents, weights ? 0 : 1)",
      replace: "recorded.backwardShards(runs, states.map((state) => ({ state })), 1)",
    },
    {
      name: "shards: all get the gradient by the state of the first rows",
      kind: "stale value reused",
      find: "const gradients = pullback(partsOf(arriving, rows, count), weights);",
      replace:
        "const gradients = pullback(partsOf(arriving, rows, count).map((_, i, all) => all[0]!), weights);",
    },
  ]),
  ...inFile("packages/rnn/src/truncated/engines/chunk.ts", [
    {
      name: "chunk: nothing flows back from the state after it",
      kind: "lost gradient",
      find: "cotangents.push(g);",
      replace: "cotangents.push(g.mul(0));",
    },
  ]),
  ...inFile("packages/rnn/src/truncated/engines/plan.ts", [
    {
      name: "plan: the chunk at the cut left out",
      kind: "cut in the wrong place",
      find: "this.#drop(end - this.#settings.k2);",
      replace: "this.#drop(end - this.#settings.k2 + 1);",
    },
    {
      name: "plan: not cut at all",
      kind: "boundary not cut",
      find: "this.#drop(end - this.#settings.k2);",
      replace: "this.#drop(start - this.#settings.k2);",
    },
    {
      name: "plan: weights of losses one step late",
      kind: "off by one in time",
      find: "values[t - 1 - start] = weight;",
      replace: "values[t - start] = weight;",
    },
    {
      name: "plan: today's weights for what is run again",
      kind: "weights of the wrong age",
      find: "engine.take(\n        params,",
      replace: "engine.take(\n        this.#chunks.at(-1)!.inputs.params,",
    },
    {
      name: "plan: the gradients of earlier chunks forgotten",
      kind: "lost gradient",
      find: "totals?.map((total, shard) => addGradients(total, params[shard]!)) ?? params",
      replace: "totals ?? params",
    },
  ]),
];
