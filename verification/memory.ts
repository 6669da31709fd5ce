import { Memory } from "@chronograd/autodiff/extend";
import { rng } from "@chronograd/nn";
import { lawOver } from "./lawOver.ts";
import type { Subject } from "./subject.ts";

const reserved = 2 ** 16;
const mebibyte = 2 ** 20;

interface Block {
  readonly pointer: number;
  readonly bytes: number;
}

interface Program {
  /** A memory to go on in; else a new one. */
  readonly memory?: Memory;
  readonly least: number;
  readonly most: number;
  /** Most bytes in use. */
  readonly full: number;
  readonly came?: (block: Block) => void;
  readonly goes?: (block: Block) => void;
}

/** Asks for blocks of a few sizes and returns them in any order, then of other sizes. */
function run(seed: number, { memory = new Memory(), least, most, full, ...on }: Program) {
  const random = rng(seed, "memory");
  const size = () => Math.floor(least * (most / least) ** random.uniform());
  let live: Block[] = [];
  const release = (block: Block) => {
    on.goes?.(block);
    memory.release(block.pointer, block.bytes);
  };
  for (let phase = 0; phase < 5; phase++) {
    const sizes = Array.from({ length: random.integer(1, 8) }, size);
    for (let i = random.integer(50, 400); i > 0; i--) {
      const bytes = sizes[random.integer(0, sizes.length)]!;
      const isFull = () => memory.bytesInUse + Memory.sizeOf(bytes) > full;
      for (let drop = random.uniform() < 0.3; drop || isFull(); drop = false) {
        if (live.length === 0) break;
        release(live.splice(random.integer(0, live.length), 1)[0]!);
      }
      const block = { pointer: memory.allocate(bytes), bytes };
      on.came?.(block);
      live.push(block);
    }
    const keep = random.integer(2, 40);
    for (const [i, block] of live.entries()) if (i % keep !== 0) release(block);
    live = live.filter((_, i) => i % keep === 0);
  }
  for (const block of live) release(block);
  return memory;
}

/** Bytes below the blocks: in the second case they lie above 2 GiB. */
const below = [0, 2 ** 31];

const apart = lawOver(
  1,
  "blocks apart",
  "no two blocks overlap, below and above 2 GiB, and bytes in use are counted",
  0,
  (seed, tally) => {
    for (const low of below) {
      const memory = new Memory();
      if (low > 0) memory.allocate(low);
      const origin = reserved + low;
      const before = memory.bytesInUse;
      const taken = new Uint8Array((32 * mebibyte) / 16);
      let [use, peak] = [before, before];
      const units = ({ pointer, bytes }: Block) =>
        taken.subarray((pointer - origin) / 16, (pointer - origin + Memory.sizeOf(bytes)) / 16);
      const came = (block: Block) => {
        const { pointer, bytes } = block;
        const isFree = pointer >= origin && pointer % 16 === 0 && !units(block).includes(1);
        tally.check(isFree, () => `a block of ${bytes} bytes at ${pointer}`);
        if (pointer >= origin) units(block).fill(1);
        use += Memory.sizeOf(bytes);
        peak = Math.max(peak, use);
        tally.number(memory.bytesInUse, use, () => "bytes in use");
      };
      const goes = (block: Block) => {
        if (block.pointer >= origin) units(block).fill(0);
        use -= Memory.sizeOf(block.bytes);
      };
      run(seed, { memory, least: 1, most: 20_000, full: before + mebibyte / 2, came, goes });
      tally.number(memory.peakBytes, peak, () => "the peak");
    }
  },
);

const regained = lawOver(
  1,
  "regained",
  "what was returned can be had as one block without more memory",
  0,
  (seed, tally) => {
    for (const low of below) {
      const memory = new Memory();
      if (low > 0) memory.allocate(low);
      const origin = reserved + low;
      let end = origin;
      const came = ({ pointer, bytes }: Block) => {
        end = Math.max(end, pointer + Memory.sizeOf(bytes));
      };
      const full = memory.bytesInUse + 8 * mebibyte;
      run(seed, { memory, least: 2 ** 14, most: 2 ** 19, full, came });
      const { byteLength } = memory.wasm.buffer;
      // A class is at most a quarter above what is asked for.
      const bytes = 0.8 * (end - origin);
      const pointer = memory.allocate(bytes);
      tally.check(pointer >= origin, () => `a block at ${pointer}`);
      tally.number(memory.wasm.buffer.byteLength, byteLength, () => `memory after ${bytes} bytes`);
    }
  },
);

const within = lawOver(
  1,
  "memory within its peak",
  "a memory has at most 3 times its peak and 2 MiB, and where nothing was returned 16 MiB more than is in use",
  0,
  (seed, tally) => {
    const { wasm, peakBytes } = run(seed, { least: 2 ** 8, most: 2 ** 20, full: 2 ** 24 });
    const asked = 3 * peakBytes + 2 * mebibyte;
    tally.check(wasm.buffer.byteLength <= asked, () => {
      return `${wasm.buffer.byteLength} bytes for a peak of ${peakBytes}`;
    });
    const memory = new Memory();
    const bytes = rng(seed, "growth").integer(2 ** 19, 2 ** 21);
    for (let i = 0; i < 256; i++) {
      memory.allocate(bytes);
      const end = reserved + memory.bytesInUse;
      const more = memory.wasm.buffer.byteLength - end;
      const bound = Math.min(end / 8, 16 * mebibyte) + reserved;
      tally.check(more >= 0 && more < bound, () => `${more} bytes above ${end}`);
    }
  },
);

const phases = lawOver(
  1,
  "phases",
  "a memory whose blocks are all returned holds others without growing",
  0,
  (seed, tally) => {
    const memory = new Memory();
    const random = rng(seed, "phases");
    const whole = 32 * mebibyte;
    memory.release(memory.allocate(whole), whole);
    const { byteLength } = memory.wasm.buffer;
    for (let i = 0; i < 10; i++) {
      const bytes = 2 ** random.integer(19, 26);
      const blocks = Array.from({ length: whole / bytes }, () => memory.allocate(bytes));
      tally.number(memory.wasm.buffer.byteLength, byteLength, () => `blocks of ${bytes}`);
      for (const pointer of blocks) memory.release(pointer, bytes);
    }
  },
);

const peaks = lawOver(
  1,
  "peaks of calls",
  "the peak of a call is the most in use during it, and one call may be in another",
  0,
  (seed, tally) => {
    const random = rng(seed, "peaks");
    for (let i = 0; i < 40; i++) {
      const memory = new Memory();
      const counts = Array.from({ length: 6 }, () => random.integer(0, 9));
      const hold = (count: number, body: () => void) => {
        const blocks = Array.from({ length: count }, () => memory.allocate(64));
        body();
        for (const pointer of blocks) memory.release(pointer, 64);
      };
      const [a, b, c, d, e, f] = counts as [number, number, number, number, number, number];
      hold(a, () => {});
      hold(b, () => {
        let inner = 0;
        const outer = memory.peakDuring(() => {
          hold(c, () => {});
          hold(d, () => {
            inner = memory.peakDuring(() => hold(e, () => {}));
          });
        });
        tally.number(inner, 64 * (b + d + e), () => `the inner of ${counts}`);
        tally.number(outer, 64 * (b + Math.max(c, d + e)), () => `the outer of ${counts}`);
      });
      hold(f, () => {});
      const most = 64 * Math.max(a, b + c, b + d + e, f);
      tally.number(memory.peakBytes, most, () => `all of ${counts}`);
    }
  },
);

/** What holds for the memory of a backend and its allocator. */
export function memorySubject(): Subject {
  return { name: "memory", group: "memory", laws: [apart, regained, within, phases, peaks] };
}
