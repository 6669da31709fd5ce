import { setTimeout } from "node:timers/promises";
import { disagreements, type Trace } from "./agreement.ts";
import type { Block, Entry } from "./cases.ts";
import type { Options } from "./options.ts";
import type { Progress } from "./progress.ts";
import { type Config, checkedSteps, type Reply, type Request, trains } from "./protocol.ts";
import { median, round, spread } from "./statistics.ts";
import type { Worker } from "./worker.ts";

/** A case as the JSON has it. */
export interface Result {
  readonly name: string;
  readonly system: string;
  readonly config: Config;
  readonly median_ms: number;
  /** The interquartile range over rounds, in milliseconds. */
  readonly spread: number;
}

/** A result, and what each round had, from which ratios are made. */
export interface Measured extends Result {
  /** The median of each turn in milliseconds, by round. */
  readonly rounds: ReadonlyMap<number, number>;
}

/** Where systems' processes come from, and problems' files. */
export interface Place {
  worker(entry: Entry): Promise<Worker>;
  /** A new process; the caller ends it. */
  freshWorker(entry: Entry): Promise<Worker>;
  problem(entry: Entry): Promise<string | undefined>;
}

/** A system that is measured in the rounds of a block. */
interface Participant {
  readonly entry: Entry;
  readonly label: string;
  readonly request: Omit<Request, "warm" | "steps">;
  /** The median of each turn, by round; a cold start also has one before the first round. */
  readonly samples: Map<number, number>;
  readonly starts: number[];
  begun: Reply;
  facts: Config;
  /** Milliseconds that a step takes, about. */
  estimate: number;
}

/** Milliseconds between two turns, in which threads that wait for work in a loop go to sleep. */
const pause = 40;

export class Measurement {
  readonly #place: Place;
  readonly #options: Options;
  readonly #progress: Progress;
  readonly #failures = new Set<string>();

  constructor(place: Place, options: Options, progress: Progress) {
    this.#place = place;
    this.#options = options;
    this.#progress = progress;
  }

  /**
   * Measures a block in rounds; in each round every system has one turn. Systems that fail or
   * differ are left out.
   */
  async block(block: Block, status: string): Promise<Measured[]> {
    let participants: Participant[] = [];
    for (const entry of block.entries) {
      const label = labelOf(entry);
      this.#progress.status(`${status} ${block.name}: ${label} gets ready`);
      const begun = await this.#attempt(entry, label, () => this.#begin(entry, label));
      if (begun !== undefined) participants.push(begun);
    }
    participants = this.#agreeing(participants, block.name);
    const rounds = this.#rounds(block);
    for (let r = 0; r < rounds; r++) {
      // Each round begins with another system, so that no system always follows the same one.
      const first = r % Math.max(1, participants.length);
      const order = [...participants.slice(first), ...participants.slice(0, first)];
      for (const participant of order) {
        if (!hasTurn(r, rounds, this.#turns(participant, rounds))) continue;
        const { label } = participant;
        this.#progress.status(`${status} ${block.name}: round ${r + 1} of ${rounds}, ${label}`);
        await setTimeout(pause);
        const done = await this.#attempt(participant.entry, label, () =>
          this.#turn(participant, r),
        );
        if (done === undefined) participants = participants.filter((p) => p !== participant);
      }
    }
    return bestThreads(participants.filter(({ samples }) => samples.size > 0).map(resultOf));
  }

  /** A failure is reported once, because a system that does not start fails in every case. */
  async #attempt<T>(entry: Entry, label: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      const { message } = error as Error;
      const failure = `${entry.system.name}: ${message}`;
      if (!this.#failures.has(failure)) this.#progress.say(`left out: ${label}: ${message}`);
      this.#failures.add(failure);
      return undefined;
    }
  }

  async #begin(entry: Entry, label: string): Promise<Participant> {
    const problem = await this.#place.problem(entry);
    const participant: Participant = {
      entry,
      label,
      request: {
        case: `${label} ${JSON.stringify(entry.config)}`,
        kind: entry.kind,
        config: entry.config,
        ...(problem !== undefined && { problem }),
      },
      samples: new Map(),
      starts: [],
      begun: { ms: [] },
      facts: {},
      estimate: 0,
    };
    if (entry.cold === true) {
      await this.#turn(participant, -1);
      return participant;
    }
    const worker = await this.#place.worker(entry);
    participant.begun = await worker.ask({ ...participant.request, warm: 0, steps: 0 });
    // First steps give engines time to compile; then one step shows how long a step takes.
    const estimate = Math.min(...participant.begun.ms);
    const budget = this.#options.quick ? 200 : 400;
    const warm = Math.min(100, Math.floor(budget / estimate / chunkOf(entry)));
    participant.estimate = estimate;
    if (warm > 0) {
      const { ms } = await worker.ask({ ...participant.request, warm, steps: 1 });
      participant.estimate = ms[0]!;
    }
    return participant;
  }

  #agreeing(participants: readonly Participant[], block: string): Participant[] {
    const traces: Trace[] = participants
      .filter(({ entry }) => trains(entry.kind))
      .map(({ label, begun }) => ({
        label,
        losses: begun.losses ?? [],
        norms: begun.norms ?? [],
      }));
    const odd = disagreements(traces);
    for (const [label, why] of odd) this.#progress.say(`invalid: ${block}, ${label}: ${why}`);
    return participants.filter(({ label }) => !odd.has(label));
  }

  /** Blocks that no goal depends on have fewer rounds. */
  #rounds({ brief = false }: Block): number {
    const { rounds, quick } = this.#options;
    return brief && !quick ? Math.ceil(rounds / 2) : rounds;
  }

  /** Timed steps in a turn. */
  #steps({ entry, estimate }: Participant): number {
    const turn = this.#options.quick ? 30 : 60;
    if (entry.cold === true) return 1;
    const step = Math.max(estimate, 1e-3) * chunkOf(entry);
    return Math.min(50, Math.max(1, Math.round(turn / step)));
  }

  /** Turns over all rounds: slow systems get fewer. */
  #turns(participant: Participant, rounds: number): number {
    const { quick } = this.#options;
    const { entry, estimate } = participant;
    // One turn ran while the case was prepared.
    if (entry.cold === true) return quick ? 0 : Math.min(rounds, 3);
    const budget = quick ? 2000 : 6000;
    const turn = estimate * chunkOf(entry) * (this.#steps(participant) + 1);
    return Math.min(rounds, Math.max(quick ? 2 : 3, Math.floor(budget / turn)));
  }

  async #turn(participant: Participant, round: number): Promise<true> {
    const { entry, request } = participant;
    if (entry.cold === true) {
      const worker = await this.#place.freshWorker(entry);
      try {
        const reply = await worker.ask({ ...request, warm: 0, steps: 2 });
        if (participant.estimate === 0) participant.begun = reply;
        participant.facts = reply.facts ?? {};
        participant.starts.push(worker.startMs);
        participant.samples.set(round, reply.first_ms!);
        participant.estimate = worker.startMs + reply.first_ms! + checkedSteps * reply.ms[0]!;
      } finally {
        worker.stop();
      }
      return true;
    }
    const worker = await this.#place.worker(entry);
    // The first step after a pause finds cold caches.
    const warm = participant.estimate * chunkOf(entry) < 150 ? 1 : 0;
    const reply = await worker.ask({ ...request, warm, steps: this.#steps(participant) });
    participant.facts = reply.facts ?? {};
    participant.samples.set(round, median(reply.ms));
    participant.estimate = median([...participant.samples.values()]);
    return true;
  }
}

/** How many times its milliseconds a step takes: a step of `start` is many windows. */
function chunkOf({ config }: Entry): number {
  return Number(config.windows ?? 1);
}

/** Spreads `turns` evenly over `rounds`. */
function hasTurn(r: number, rounds: number, turns: number): boolean {
  return Math.floor(((r + 1) * turns) / rounds) > Math.floor((r * turns) / rounds);
}

function labelOf({ case: name, system, threads }: Entry): string {
  return `${name} ${system.name}${threads === undefined ? "" : `, ${threads} threads`}`;
}

function resultOf({ entry, begun, samples, starts, facts }: Participant): Measured {
  const times = [...samples.values()];
  const extra: Record<string, number | string> = {};
  if (entry.threads !== undefined) extra.threads = entry.threads;
  if (starts.length > 0) extra.start_ms = round(median(starts));
  else if (begun.first_ms !== undefined && trains(entry.kind)) {
    extra.first_ms = round(begun.first_ms);
  }
  // A process that was used before still has the memory of earlier cases.
  for (const [name, value] of Object.entries(facts)) {
    if (name !== "peak_mib" || entry.cold === true) extra[name] = value;
  }
  return {
    name: entry.case,
    system: entry.system.name,
    config: { ...entry.config, ...extra, turns: times.length },
    median_ms: round(median(times)),
    spread: round(spread(times), 3),
    rounds: samples,
  };
}

/** Of one system with several numbers of threads, the fastest. */
function bestThreads(results: readonly Measured[]): Measured[] {
  const best = new Map<string, Measured>();
  for (const result of results) {
    const key = `${result.name} ${result.system}`;
    const other = best.get(key);
    if (other === undefined || result.median_ms < other.median_ms) best.set(key, result);
  }
  return [...best.values()];
}
