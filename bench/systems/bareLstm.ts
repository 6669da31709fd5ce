import { type Backend, createBackend } from "@chronograd/autodiff";
import type { Problem } from "../problem.ts";
import { type Config, sizeOf } from "../protocol.ts";
import { BareAdam } from "./bareAdam.ts";
import { Vectors } from "./bareKernels.ts";

/** The parameters in the order in which they lie in memory. */
export const parameterNames = ["table", "W", "U", "b", "headW", "headb"] as const;
type Addresses = Record<(typeof parameterNames)[number], number>;

/**
 * A training step of an LSTM with a linear head, on bare kernels: what a step costs without a tape.
 * Each gate has a separate plane, `[T,B,H]`, so that a step's values are contiguous. Products with
 * the input, and all gradients of weights, are one product each over all steps.
 */
export class BareLstm {
  readonly backend: Backend = createBackend();
  /** Where parameters and their gradients are. */
  readonly w: Addresses;
  readonly g: Addresses;
  readonly sizes: Readonly<Record<string, number>>;
  readonly #H: number;
  readonly #B: number;
  readonly #T: number;
  readonly #V: number;
  readonly #problem: Problem;
  readonly #adam: BareAdam;
  readonly #step: Vectors;
  readonly #symbols: number;
  readonly #targets: number;
  readonly #x: number;
  /** Planes of the gates i, f, g, o, and of their cotangents. */
  readonly #gates: readonly number[];
  readonly #dGates: readonly number[];
  /** `[T+1,B,H]`: the states before and after each step. */
  readonly #h: number;
  readonly #c: number;
  readonly #tanhC: number;
  readonly #dh: number;
  readonly #dc: number;
  readonly #logits: number;
  readonly #dLogits: number;
  readonly #losses: number;
  readonly #weights: number;
  readonly #scratch: readonly [number, number];

  constructor(config: Config, problem: Problem) {
    const [H, B, T, V] = ["H", "B", "T", "V"].map((name) => sizeOf(config, name)) as [
      number,
      number,
      number,
      number,
    ];
    [this.#H, this.#B, this.#T, this.#V] = [H, B, T, V];
    this.#problem = problem;
    const { memory, kernels } = this.backend;
    const allocate = (size: number): number => memory.allocate(4 * size);
    this.sizes = Object.fromEntries(
      parameterNames.map((name) => [name, problem.weights[name]!.data.length]),
    );
    const total = Object.values(this.sizes).reduce((a, b) => a + b, 0);
    const place = (start: number): Addresses => {
      const addresses = { ...this.sizes } as Addresses;
      let at = start;
      for (const name of parameterNames) {
        addresses[name] = at;
        at += 4 * this.sizes[name]!;
      }
      return addresses;
    };
    this.w = place(allocate(total));
    this.g = place(allocate(total));
    for (const name of parameterNames) {
      memory.views.float32.set(problem.weights[name]!.data, this.w[name] / 4);
    }
    this.#adam = new BareAdam(kernels.float32, allocate, total);
    this.#step = new Vectors(kernels.float32, B * H);
    const plane = T * B * H;
    const planes = (count: number): number[] =>
      Array.from({ length: count }, () => allocate(plane));
    [this.#symbols, this.#targets, this.#losses, this.#weights] = [0, 0, 0, 0].map(() =>
      allocate(T * B),
    ) as [number, number, number, number];
    [this.#x, this.#tanhC, this.#dh] = planes(3) as [number, number, number];
    [this.#gates, this.#dGates] = [planes(4), planes(4)];
    [this.#h, this.#c] = [allocate(plane + B * H), allocate(plane + B * H)];
    this.#dc = allocate(B * H);
    this.#scratch = [allocate(B * H), allocate(B * H)];
    [this.#logits, this.#dLogits] = [allocate(T * B * V), allocate(T * B * V)];
    kernels.float32.fill(B * H, 0, this.#h);
    kernels.float32.fill(B * H, 0, this.#c);
    kernels.float32.fill(T * B, 1 / (T * B), this.#weights);
  }

  /** One training step. */
  train(batch: number): { loss: number; norm: number } {
    const loss = this.forward(batch);
    this.backward();
    const norm = this.#adam.clip(this.g.table);
    this.#adam.update(this.w.table, this.g.table);
    this.#carry();
    return { loss, norm };
  }

  /** The last state becomes that before the first step. */
  #carry(): void {
    const { float32 } = this.backend.memory.views;
    const size = this.#B * this.#H;
    for (const states of [this.#h, this.#c]) {
      const last = states / 4 + this.#T * size;
      float32.copyWithin(states / 4, last, last + size);
    }
  }

  /** The loss of a batch. */
  forward(batch: number): number {
    const [H, B, T, V] = [this.#H, this.#B, this.#T, this.#V];
    const { memory, kernels } = this.backend;
    const { matmul, add, crossEntropy, sum } = kernels.float32;
    const { w } = this;
    memory.views.int32.set(this.#problem.inputs(batch), this.#symbols / 4);
    memory.views.int32.set(this.#problem.targets(batch), this.#targets / 4);
    kernels.move32.gather(T * B, H, w.table, this.#symbols, this.#x);
    this.#gates.forEach((gate, q) => {
      const columns = 4 * q * H;
      matmul(T * B, H, H, this.#x, H, 0, w.W + columns, 4 * H, 0, gate, H, 0);
      add(T * B, H, gate, H, 1, w.b + columns, 0, 1, gate);
    });
    for (let t = 0; t < T; t++) this.#forwardStep(t);
    const { h } = this.#at(0, 1);
    matmul(T * B, V, H, h, H, 0, w.headW, V, 0, this.#logits, V, 0);
    add(T * B, V, this.#logits, V, 1, w.headb, 0, 1, this.#logits);
    crossEntropy(T * B, V, this.#logits, this.#targets, -100, this.#losses);
    sum(1, T * B, 1, this.#losses, this.#scratch[0]);
    return memory.views.float32[this.#scratch[0] / 4]! / (T * B);
  }

  /** Addresses at step `t`; states `later` steps after the one before it. */
  #at(t: number, later = 0): { h: number; c: number; tanhC: number; dh: number; shift: number } {
    const step = 4 * this.#B * this.#H;
    const shift = t * step;
    return {
      h: this.#h + shift + later * step,
      c: this.#c + shift + later * step,
      tanhC: this.#tanhC + shift,
      dh: this.#dh + shift,
      shift,
    };
  }

  #forwardStep(t: number): void {
    const [H, B, U] = [this.#H, this.#B, this.w.U];
    const { matmul } = this.backend.kernels.float32;
    const { h, c, tanhC, shift } = this.#at(t);
    const next = this.#at(t, 1);
    const [i, f, g, o] = this.#gates.map((gate) => gate + shift) as [
      number,
      number,
      number,
      number,
    ];
    [i, f, g, o].forEach((gate, q) => {
      matmul(B, H, H, h, H, 0, U + 4 * q * H, 4 * H, 0, gate, H, 1);
    });
    const step = this.#step;
    step.sigmoid(i, i);
    step.sigmoid(f, f);
    step.tanh(g, g);
    step.sigmoid(o, o);
    step.mul(f, c, next.c);
    step.mul(i, g, this.#scratch[0]);
    step.add(next.c, this.#scratch[0], next.c);
    step.tanh(next.c, tanhC);
    step.mul(o, tanhC, next.h);
  }

  /** The gradient of the last batch's loss, at `g`. */
  backward(): void {
    const [H, B, T, V] = [this.#H, this.#B, this.#T, this.#V];
    const { matmul, crossEntropyVjp, sum, fill, scatterAdd } = this.backend.kernels.float32;
    const { w, g } = this;
    const rows = T * B;
    const h = this.#at(0, 1).h;
    const [logits, dLogits] = [this.#logits, this.#dLogits];
    crossEntropyVjp(rows, V, logits, this.#targets, -100, this.#weights, dLogits);
    matmul(H, V, rows, h, H, 1, dLogits, V, 0, g.headW, V, 0);
    sum(1, rows, V, dLogits, g.headb);
    matmul(rows, H, V, dLogits, V, 0, w.headW, V, 1, this.#dh, H, 0);
    fill(B * H, 0, this.#dc);
    for (let t = T - 1; t >= 0; t--) this.#backwardStep(t);
    // The planes of x's cotangent go where those of dh were.
    const dx = this.#dh;
    this.#dGates.forEach((dGate, q) => {
      const columns = 4 * q * H;
      matmul(H, H, rows, this.#h, H, 1, dGate, H, 0, g.U + columns, 4 * H, 0);
      matmul(H, H, rows, this.#x, H, 1, dGate, H, 0, g.W + columns, 4 * H, 0);
      sum(1, rows, H, dGate, g.b + columns);
      matmul(rows, H, H, dGate, H, 0, w.W + columns, 4 * H, 1, dx, H, q === 0 ? 0 : 1);
    });
    fill(V * H, 0, g.table);
    scatterAdd(rows, H, dx, this.#symbols, g.table);
  }

  #backwardStep(t: number): void {
    const [H, B, U] = [this.#H, this.#B, this.w.U];
    const { matmul } = this.backend.kernels.float32;
    const { c, tanhC, dh, shift } = this.#at(t);
    const [i, f, g, o] = this.#gates.map((gate) => gate + shift) as [
      number,
      number,
      number,
      number,
    ];
    const dGates = this.#dGates.map((gate) => gate + shift) as [number, number, number, number];
    const [di, df, dg, dO] = dGates;
    const [step, dc, [s, u]] = [this.#step, this.#dc, this.#scratch];
    step.mul(dh, o, s);
    step.throughTanh(s, tanhC, u, s);
    step.add(dc, s, dc);
    step.mul(dc, g, di);
    step.throughSigmoid(di, i, u, di);
    step.mul(dc, c, df);
    step.throughSigmoid(df, f, u, df);
    step.mul(dc, i, dg);
    step.throughTanh(dg, g, u, dg);
    step.mul(dh, tanhC, dO);
    step.throughSigmoid(dO, o, u, dO);
    step.mul(dc, f, dc);
    if (t === 0) return;
    const before = this.#at(t - 1).dh;
    dGates.forEach((dGate, q) => {
      matmul(B, H, H, dGate, H, 0, U + 4 * q * H, 4 * H, 1, before, H, 1);
    });
  }
}
