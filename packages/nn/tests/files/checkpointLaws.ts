import { isDeepStrictEqual } from "node:util";
import { Tensor, tree } from "@chronograd/autodiff";
import { decodeCheckpoint, encodeCheckpoint } from "../../src/files/checkpoint.ts";
import { firstDifference, StoredTensor, typeOf } from "../../src/files/difference.ts";
import { type Communicator, gather, type Rng, rng } from "../../src/index.ts";
import { bits, randomTree } from "./trees.ts";

/** What is wrong for a seed, if anything. */
type Check = (seed: number) => string | undefined;

const drawn = (random: Rng) => randomTree(random, { areNamed: true });

/** The bits of a tree whose tensors are stored ones. */
function storedBits(values: unknown): unknown {
  return tree.map<unknown, unknown, StoredTensor>(
    values,
    ({ stored: { dtype, shape, data } }) => ({
      dtype,
      shape: [...shape],
      bytes: Buffer.from(data.buffer).toString("hex"),
    }),
    (value) => value instanceof StoredTensor,
  );
}

const isRight = (bytes: Uint8Array, expected: unknown) =>
  isDeepStrictEqual(storedBits(decodeCheckpoint(bytes).tree), expected);

/** A tree comes back bit for bit. */
export const roundTrip: Check = (seed) => {
  const values = drawn(rng(seed, "round trip"));
  const model = { seed, name: "a model" };
  const bytes = encodeCheckpoint(values, model, "saveCheckpoint");
  if (!isRight(bytes, bits(values))) return "the tree is another one";
  return isDeepStrictEqual(decodeCheckpoint(bytes).model, model)
    ? undefined
    : "the model is another";
};

/** A flipped bit, or bytes cut off, are refused, or change nothing. */
export const damage: Check = (seed) => {
  const random = rng(seed, "damage");
  const values = drawn(random);
  const bytes = encodeCheckpoint(values, undefined, "saveCheckpoint");
  const expected = bits(values);
  for (let i = 0; i < 40; i++) {
    const at = random.integer(0, bytes.length);
    const damaged = i % 8 === 0 ? bytes.slice(0, at) : bytes.slice();
    if (i % 8 !== 0) damaged[at]! ^= 1 << random.integer(0, 8);
    try {
      if (!isRight(damaged, expected)) return `byte ${at} of ${bytes.length} is not missed`;
    } catch (error) {
      if (!/^is (damaged|no checkpoint|empty)/.test((error as Error).message)) return String(error);
    }
  }
  return undefined;
};

/** The first difference is found where one was made, wherever that is, and none where none was. */
export const differences: Check = (seed) => {
  const random = rng(seed, "differences");
  const values = { root: drawn(random), list: [drawn(random), 1] };
  const copy = () => tree.map(values, (x) => x) as typeof values;
  if (firstDifference(values, copy(), typeOf) !== undefined) return "equal trees differ";
  for (let place = 0; ; place++) {
    const changed = copy();
    const found = changes(changed)[place];
    if (found === undefined) return undefined;
    found.change();
    for (const [a, b] of [
      [values, changed],
      [changed, values],
    ]) {
      const first = firstDifference(a, b, typeOf)?.path;
      if (first !== found.path) return `${found.path} was changed, ${first} was found`;
    }
  }
};

/** All that can be changed in a tree: each key goes, or holds something of another kind. */
function changes(values: unknown, above = ""): { path: string; change: () => void }[] {
  if (typeof values !== "object" || values === null || values instanceof Tensor) return [];
  const parts = values as Record<string, unknown>;
  return Object.entries(parts).flatMap(([key, part]) => {
    const path = above === "" ? key : `${above}.${key}`;
    const other = part instanceof Tensor ? part.expandDims(0) : typeof part === "number" ? "7" : 7;
    const replace = () => Object.defineProperty(parts, key, { value: other });
    const remove = () => delete parts[key];
    const all = [{ path, change: replace }, ...changes(part, path)];
    return Array.isArray(parts) ? all : [{ path, change: remove }, ...all];
  });
}

/** Every worker gathers every worker's tree. */
export const gathering: Check = (seed) => {
  const random = rng(seed, "gathering");
  const trees = Array.from({ length: random.integer(1, 4) }, () => drawn(random));
  const expected = trees.map(bits);
  const found = together(trees.length, (communicator) =>
    gather(communicator, trees[communicator.rank]!),
  );
  const wrong = found.findIndex((each) => !isDeepStrictEqual(each.map(bits), expected));
  return wrong === -1 ? undefined : `worker ${wrong} of ${trees.length} gathered other trees`;
};

/** Runs workers in turn, each from its start until it needs what another has not sent yet. */
function together<T>(size: number, work: (communicator: Communicator) => T): T[] {
  const sent = new Map<string, unknown>();
  const missing = new Error("not sent yet");
  const results: T[] = [];
  for (let turn = 0; turn < size * size; turn++) {
    const rank = turn % size;
    let calls = 0;
    const broadcast = <V>(values: V, root = 0): V => {
      const call = `${calls++} from ${root}`;
      if (root === rank) sent.set(call, values);
      if (!sent.has(call)) throw missing;
      const other = firstDifference(sent.get(call), values, typeOf);
      if (other !== undefined) throw new Error(`"${other.path}": ${other.found} has no room`);
      return tree.map(sent.get(call), (x) => x) as V;
    };
    try {
      results[rank] = work({ rank, size, broadcast, allReduce: refuse, barrier: refuse });
    } catch (error) {
      if (error !== missing) throw error;
    }
  }
  return results;
}

function refuse(): never {
  throw new Error("a broadcast is all that it needs");
}
