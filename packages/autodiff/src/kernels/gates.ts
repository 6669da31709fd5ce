/**
 * The gates of recurrent cells, in blocks of `hidden` columns side by side: i, f, g, o of a long short-term memory, r, z,
 * n of a gated recurrent unit. Everything is contiguous. A cotangent is written whole, zeros where nothing flows, or
 * added to what is there when `accumulate` is 1.
 */
export interface GateKernels {
  /** Of `x [rows, 4 hidden]`: `sigmoid` of i, f and o, `tanh` of g. */
  readonly lstmGates: (rows: number, hidden: number, x: number, y: number) => void;
  /** `dx = g y'`, with `y' = y - y^2` of a sigmoid and `1 - y^2` of a tanh. */
  readonly lstmGatesVjp: (
    rows: number,
    hidden: number,
    y: number,
    g: number,
    accumulate: number,
    dx: number,
  ) => void;
  /** `y = f c + i g`, from activated gates. */
  readonly lstmCellState: (
    rows: number,
    hidden: number,
    gates: number,
    c: number,
    y: number,
  ) => void;
  /** Blocks `g g_gate`, `g c`, `g i` and zeros; the block of zeros is not touched when it accumulates. */
  readonly lstmCellStateVjpGates: (
    rows: number,
    hidden: number,
    gates: number,
    c: number,
    g: number,
    accumulate: number,
    dx: number,
  ) => void;
  /** `dc = g f`. */
  readonly lstmCellStateVjpC: (
    rows: number,
    hidden: number,
    gates: number,
    g: number,
    accumulate: number,
    dc: number,
  ) => void;
  /** `y = o tanh(c)`, from activated gates. */
  readonly lstmOutput: (rows: number, hidden: number, gates: number, c: number, y: number) => void;
  /** Three blocks of zeros and `g tanh(c)`; `tanh(c)` may be taken as `y / o`. Zeros are not added. */
  readonly lstmOutputVjpGates: (
    rows: number,
    hidden: number,
    gates: number,
    c: number,
    y: number,
    g: number,
    accumulate: number,
    dx: number,
  ) => void;
  /** `dc = g o (1 - tanh(c)^2)`; `tanh(c)` may be taken as `y / o`. */
  readonly lstmOutputVjpC: (
    rows: number,
    hidden: number,
    gates: number,
    c: number,
    y: number,
    g: number,
    accumulate: number,
    dc: number,
  ) => void;
  /** `r = sigmoid(x_r + h_r)`, `z = sigmoid(x_z + h_z)`, `n = tanh(x_n + r (h_n + bias))`. */
  readonly gruGates: (
    rows: number,
    hidden: number,
    x: number,
    h: number,
    bias: number,
    y: number,
  ) => void;
  /**
   * With `d = g_n (1 - n^2)`: blocks `(g_r + d (h_n + bias)) (r - r^2)`, `g_z (z - z^2)`, and `d` for `x`, or `d r` for
   * `h` when `recurrent` is 1.
   */
  readonly gruGatesVjp: (
    rows: number,
    hidden: number,
    y: number,
    h: number,
    bias: number,
    g: number,
    recurrent: number,
    accumulate: number,
    dx: number,
  ) => void;
  /** `db = sum over rows of g_n (1 - n^2) r`; accurate as `sum` is. */
  readonly gruGatesVjpBias: (
    rows: number,
    hidden: number,
    y: number,
    g: number,
    accumulate: number,
    db: number,
  ) => void;
  /** `y = n + z (h - n)`, from activated gates. */
  readonly gruOutput: (rows: number, hidden: number, gates: number, h: number, y: number) => void;
  /** A block of zeros, `g (h - n)` and `g - g z`; the zeros are not added. */
  readonly gruOutputVjpGates: (
    rows: number,
    hidden: number,
    gates: number,
    h: number,
    g: number,
    accumulate: number,
    dx: number,
  ) => void;
  /** `dh = g z`. */
  readonly gruOutputVjpH: (
    rows: number,
    hidden: number,
    gates: number,
    g: number,
    accumulate: number,
    dh: number,
  ) => void;
}

/** What each argument of a gate kernel is, in the letters of `Signature`. */
export const gateSignatures: Readonly<Record<keyof GateKernels, string>> = {
  lstmGates: "nnrw",
  lstmGatesVjp: "nnrrnu",
  lstmCellState: "nnrrw",
  lstmCellStateVjpGates: "nnrrrnu",
  lstmCellStateVjpC: "nnrrnu",
  lstmOutput: "nnrrw",
  lstmOutputVjpGates: "nnrrrrnu",
  lstmOutputVjpC: "nnrrrrnu",
  gruGates: "nnrrrw",
  gruGatesVjp: "nnrrrrnnu",
  gruGatesVjpBias: "nnrrnu",
  gruOutput: "nnrrw",
  gruOutputVjpGates: "nnrrrnu",
  gruOutputVjpH: "nnrrnu",
};

/** Every name of `GateKernels`. */
export const gateNames: readonly (keyof GateKernels)[] = Object.keys(
  gateSignatures,
) as (keyof GateKernels)[];
