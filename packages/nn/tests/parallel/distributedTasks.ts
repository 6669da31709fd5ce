// What the workers of `distributedValueAndGrad.test.ts` do.
import { type DType, type Tensor, tensor } from "@chronograd/autodiff";
import { type Communicator, selfCommunicator } from "../../src/index.ts";
import { distributedValueAndGrad, shardList } from "../../src/parallel.ts";
import { failure } from "./conformance.ts";

/** A row: tokens of a sequence, with numbers that are to be met. */
export type Row = readonly { readonly x: number; readonly target: number }[];

/** Batches of rows, and by what the losses are multiplied. */
export interface Given {
  readonly dtype: DType;
  readonly batches: readonly (readonly Row[])[];
  readonly scale: number;
}

/** What a batch came to. */
export interface Found {
  readonly value: number;
  readonly gradient: { readonly W: number[]; readonly b: number };
}

/** The mean over tokens of `scale (W_0 x + W_1 x^2 + b - target)^2`. */
function problem({ dtype, scale }: Given) {
  const params = { W: tensor([0.3, -0.2], { dtype }), b: tensor(0.1, { dtype }) };
  const weight = (rows: readonly Row[]) => rows.reduce((sum, row) => sum + row.length, 0);
  const loss = ({ W, b }: typeof params, rows: readonly Row[]): Tensor => {
    const tokens = rows.flat();
    const powers = tensor(
      tokens.map(({ x }) => [x, x * x]),
      { dtype },
    );
    const targets = tensor(
      tokens.map(({ target }) => target),
      { dtype },
    );
    return powers.matmul(W).add(b).sub(targets).square().mul(scale).mean();
  };
  return { params, loss, weight };
}

/** Value and gradient of each batch, whose rows the workers share. */
export function means(given: Given, communicator: Communicator = selfCommunicator): Found[] {
  const { params, loss, weight } = problem(given);
  const lossOf = distributedValueAndGrad(loss, { communicator, weight });
  return given.batches.map((rows) => {
    const [value, { W, b }] = lossOf(params, shardList(rows, communicator));
    return { value, gradient: { W: [...W.toTypedArray()], b: b.item() } };
  });
}

/** What all say when they cannot agree. */
function refusals(given: Given, communicator: Communicator): string[] {
  const { params, loss, weight } = problem(given);
  const [rows] = given.batches as [readonly Row[]];
  const b = communicator.rank === 1 ? tensor([0.1], { dtype: given.dtype }) : params.b;
  const weighing = (own: number) =>
    distributedValueAndGrad(loss, { communicator, weight: () => own })(params, rows);
  const lossOf = distributedValueAndGrad(loss, { communicator, weight });
  return [
    failure(() => weighing(0)),
    failure(() => weighing(1e308)),
    failure(() => lossOf({ ...params, b }, rows)),
  ];
}

/** What the workers are given: several runs, or one in which worker 1 counts wrongly. */
export type Input = readonly Given[] | "a wrong weight";

export interface Output {
  readonly found: readonly Found[][];
  readonly refused: readonly string[];
}

export default function run(communicator: Communicator, input: Input): Output {
  if (input !== "a wrong weight") {
    const found = input.map((given) => means(given, communicator));
    return { found, refused: refusals(input[0]!, communicator) };
  }
  const weight = () => (communicator.rank === 1 ? Number.NaN : 1);
  const square = (x: Tensor) => x.square();
  distributedValueAndGrad(square, { communicator, weight })(tensor(1));
  throw new Error("nothing was thrown");
}
