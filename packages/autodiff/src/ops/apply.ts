import { areApart, type Backend, defaultBackend } from "../tensor/backend.ts";
import { checkAlive } from "../tensor/checks.ts";
import { filled } from "../tensor/create.ts";
import { checkInt32, type DType, isFloat } from "../tensor/dtype.ts";
import type { Recorder } from "../tensor/recorder.ts";
import { alias, allocate, giveOwner, Tensor } from "../tensor/tensor.ts";
import { describeType } from "../tensor/text.ts";
import { describe, nameOfInput, type OpDeclaration, type Operand } from "./declare.ts";

/**
 * Applies an op: on plain values it computes; on tracked ones it computes beneath the highest
 * recorder and has that recorder append an entry.
 */
export function apply(
  declaration: OpDeclaration,
  operands: readonly Operand[],
  attributes: unknown,
): Tensor {
  const inputs = asTensors(declaration, operands);
  try {
    const output = run(declaration, inputs, attributes);
    return output.tape === null ? giveOwner(output) : output;
  } finally {
    if (inputs !== operands) releaseTemporaries(operands, inputs);
  }
}

/** The recursion is as deep as tapes are nested. */
function run(declaration: OpDeclaration, inputs: readonly Tensor[], attributes: unknown): Tensor {
  let tape: Recorder | null = null;
  for (const input of inputs) {
    if (input.tape !== null && (tape === null || input.tape.level > tape.level)) tape = input.tape;
  }
  if (tape === null) return evaluate(declaration, inputs, attributes);
  const primals = new Array<Tensor>(inputs.length);
  for (let i = 0; i < inputs.length; i++) {
    const input = inputs[i]!;
    // A separate handle for a value that nobody tracks: the caller may consume its own while the
    // tape needs the value.
    primals[i] =
      input.tape === tape ? input.primal! : input.tape === null ? alias(input, input.shape) : input;
  }
  return tape.record(
    declaration,
    inputs,
    primals,
    run(declaration, primals, attributes),
    attributes,
  );
}

function evaluate(
  declaration: OpDeclaration,
  inputs: readonly Tensor[],
  attributes: unknown,
): Tensor {
  for (let i = 0; i < inputs.length; i++) {
    if (inputs[i]!.block.holders <= 0) {
      checkAlive(inputs[i]!, `${declaration.name}: argument ${nameOfInput(declaration, i)}`);
    }
  }
  checkDTypes(declaration, inputs);
  if (declaration.compute !== undefined) return declaration.compute(inputs, attributes);
  const first = inputs[0]!;
  const { backend } = first.block;
  const shape = declaration.shape(inputs, attributes);
  const start = declaration.view?.(inputs, attributes);
  if (start !== undefined) return alias(first, shape, start);
  const dtype =
    declaration.dtype === undefined ? first.dtype : declaration.dtype(inputs, attributes);
  const home = inputs.length > 1 ? joint(backend, inputs) : backend;
  const output = allocate(home, shape, dtype);
  declaration.forward!(home, inputs, output, attributes);
  if (declaration.outlives !== true) {
    for (const input of inputs) output.block.window ??= input.block.window;
  }
  return output;
}

/**
 * Where the result lives: where the inputs do; where some are constants of a traced program, in
 * that program.
 */
function joint(backend: Backend, inputs: readonly Tensor[]): Backend {
  let home = backend;
  for (const { block } of inputs) if (block.backend.parent === home) home = block.backend;
  if (home.parent === null) return home;
  for (const input of inputs) if (input.block.backend !== home) home.adopt(input);
  return home;
}

function checkDTypes(declaration: OpDeclaration, inputs: readonly Tensor[]): void {
  const { accepts } = declaration;
  const { backend } = inputs[0]!.block;
  for (let i = 1; i < inputs.length; i++) {
    if (areApart(inputs[i]!.block.backend, backend)) {
      throw new TypeError(
        `${declaration.name}: arguments ${nameOfInput(declaration, 0)} and ${nameOfInput(declaration, i)} belong to different backends; make both on one, for example tensor(x, { backend })`,
      );
    }
  }
  if (typeof accepts === "function") return accepts(inputs, declaration.name);
  const { dtype } = inputs[0]!;
  if (accepts !== "any" && !isFloat(dtype)) {
    throw new TypeError(
      `${declaration.name}: argument ${nameOfInput(declaration, 0)} is ${describeType(inputs[0]!)}, expected float32 or float64; convert it with cast(x, "float32")`,
    );
  }
  for (let i = 1; i < inputs.length; i++) {
    if (inputs[i]!.dtype !== dtype) {
      const [nameA, nameB] = [nameOfInput(declaration, 0), nameOfInput(declaration, i)];
      checkAlike(inputs[0]!, inputs[i]!, declaration.name, nameA, nameB);
    }
  }
}

/** Throws a sentence where two operands are tensors of different dtypes. */
export function checkAlike(a: Operand, b: Operand, where: string, nameA = "a", nameB = "b"): void {
  if (a instanceof Tensor && b instanceof Tensor && a.dtype !== b.dtype) {
    throw new TypeError(
      `${where}: arguments must share a dtype, got ${a.dtype} for ${nameA} and ${b.dtype} for ${nameB}; convert one with cast(x, "${a.dtype}")`,
    );
  }
}

function asTensors(declaration: OpDeclaration, operands: readonly Operand[]): readonly Tensor[] {
  let allTensors = operands.length > 0;
  for (const operand of operands) allTensors &&= operand instanceof Tensor;
  if (allTensors) return operands as readonly Tensor[];
  let like: Tensor | undefined;
  for (let i = 0; i < operands.length; i++) {
    const operand = operands[i];
    if (operand instanceof Tensor) like ??= operand;
    if (operand instanceof Tensor || typeof operand === "number") continue;
    throw new TypeError(
      `${declaration.name}: argument ${nameOfInput(declaration, i)} must be a tensor or a number, got ${describe(operand)}; wrap data with tensor(...)`,
    );
  }
  const backend = like?.block.backend ?? defaultBackend();
  const dtype = like?.dtype ?? "float32";
  if (dtype === "int32") {
    checkInt32(
      operands.filter((operand) => typeof operand === "number"),
      declaration.name,
    );
  }
  return operands.map((operand) =>
    operand instanceof Tensor ? operand : constant(backend, operand, dtype),
  );
}

/**
 * A scalar for a plain number, kept by the backend while there is room; where a program is traced,
 * by the one that will run it. The caller holds it.
 */
function constant(traced: Backend, value: number, dtype: DType): Tensor {
  const backend = traced.parent ?? traced;
  const table = backend.constants[dtype];
  // A Map takes -0 for 0.
  const keepable = !Object.is(value, -0);
  const kept = keepable ? table.get(value) : undefined;
  const result = kept ?? filled(backend, [], value, dtype);
  if (kept === undefined && keepable && backend.hasRoomForConstant(dtype)) {
    result.block.retain();
    table.set(value, result);
  }
  result.block.retain();
  return result;
}

/** Drops the hold on scalars made for one call: from here on the tape, if any, keeps them. */
function releaseTemporaries(operands: readonly Operand[], inputs: readonly Tensor[]): void {
  for (let i = 0; i < operands.length; i++) {
    if (operands[i] !== inputs[i]) inputs[i]!.block.release("it stood for a number in one call");
  }
}
