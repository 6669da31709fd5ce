import { type Call, touches } from "./call.ts";

/** Calls and which have to come before which; calls that were merged count as one. */
export class Graph {
  readonly #after: number[][];
  /** By call, the first of those that it was merged with. */
  readonly #leader: Int32Array;
  readonly #members: (readonly number[])[];
  readonly #seen: Int32Array;
  #round = 0;

  /** A reader comes after the writer, a writer after readers and writers. */
  constructor(calls: readonly Call[], buffers: number) {
    this.#after = calls.map(() => []);
    this.#leader = Int32Array.from(calls, (_, at) => at);
    this.#members = calls.map((_, at) => [at]);
    this.#seen = new Int32Array(calls.length);
    const writer = new Int32Array(buffers).fill(-1);
    const readers: number[][] = Array.from({ length: buffers }, () => []);
    const edge = (from: number, to: number): void => {
      if (from >= 0 && from !== to) this.#after[from]!.push(to);
    };
    for (const [at, call] of calls.entries()) {
      const { reads, writes } = touches(call);
      for (const buffer of reads) {
        edge(writer[buffer]!, at);
        readers[buffer]!.push(at);
      }
      for (const buffer of writes) {
        edge(writer[buffer]!, at);
        for (const reader of readers[buffer]!) edge(reader, at);
        readers[buffer] = [];
        writer[buffer] = at;
      }
    }
  }

  /**
   * Whether some calls can run as one: no path leads from one to another, except direct ones where
   * they are a chain.
   */
  canMerge(members: readonly number[], isChain: boolean): boolean {
    const own = new Set(members);
    const round = ++this.#round;
    const stack: number[] = [];
    for (const member of members) {
      for (const next of this.#after[member]!) {
        if (own.has(next)) {
          if (!isChain) return false;
        } else this.#visit(next, round, stack);
      }
    }
    while (stack.length > 0) {
      for (const member of this.#members[stack.pop()!]!) {
        for (const next of this.#after[member]!) {
          if (own.has(next)) return false;
          this.#visit(next, round, stack);
        }
      }
    }
    return true;
  }

  #visit(call: number, round: number, stack: number[]): void {
    const leader = this.#leader[call]!;
    if (this.#seen[leader] === round) return;
    this.#seen[leader] = round;
    stack.push(leader);
  }

  merge(members: readonly number[]): void {
    const [leader] = members;
    for (const member of members) this.#leader[member] = leader!;
    this.#members[leader!] = members;
  }

  /** Leaders in an order that respects every edge, otherwise by the place of their last member. */
  order(): number[] {
    const count = this.#leader.length;
    const waits = new Int32Array(count);
    const leaders: number[] = [];
    for (let at = 0; at < count; at++) {
      if (this.#leader[at] === at) leaders.push(at);
      for (const next of this.#after[at]!) {
        if (this.#leader[next] !== this.#leader[at]) waits[this.#leader[next]!]!++;
      }
    }
    const ready = new Heap((leader) => this.#members[leader]!.at(-1)!);
    for (const leader of leaders) if (waits[leader] === 0) ready.push(leader);
    const sorted: number[] = [];
    for (let leader = ready.pop(); leader !== undefined; leader = ready.pop()) {
      sorted.push(leader);
      for (const member of this.#members[leader]!) {
        for (const next of this.#after[member]!) {
          const to = this.#leader[next]!;
          if (to !== leader && --waits[to]! === 0) ready.push(to);
        }
      }
    }
    return sorted;
  }
}

/** A binary heap: the smallest key first. */
class Heap {
  readonly #key: (item: number) => number;
  readonly #items: number[] = [];

  constructor(key: (item: number) => number) {
    this.#key = key;
  }

  push(item: number): void {
    const items = this.#items;
    let at = items.push(item) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (this.#key(items[up]!) <= this.#key(item)) break;
      items[at] = items[up]!;
      at = up;
    }
    items[at] = item;
  }

  pop(): number | undefined {
    const items = this.#items;
    const [top] = items;
    const last = items.pop();
    if (last === undefined || items.length === 0) return top;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= items.length) break;
      if (down + 1 < items.length && this.#key(items[down + 1]!) < this.#key(items[down]!)) down++;
      if (this.#key(items[down]!) >= this.#key(last)) break;
      items[at] = items[down]!;
      at = down;
    }
    items[at] = last;
    return top;
  }
}
