/** A number of the complex plane, as `[real, imaginary]`. */
export type Complex = readonly [re: number, im: number];

/** The distance of a complex number from 0. */
export function modulus([re, im]: Complex): number {
  return Math.hypot(re, im);
}

/** A complex vector, real and imaginary parts apart. */
interface Row {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/** A rotation `[[x*, y*], [-y, x]]` of two rows, with `|x|^2 + |y|^2 = 1`. */
type Rotation = readonly [xRe: number, xIm: number, yRe: number, yIm: number];

/**
 * The Schur form `H = Z T Z*` of a real upper Hessenberg matrix: T is upper triangular and complex,
 * with the eigenvalues on its diagonal. Of Z only the last row is made.
 *
 * By the QR algorithm (Francis 1961) with the shifts of Wilkinson, which subtracts a shift, makes
 * the matrix triangular by rotations, and applies these from the right. What is below `eps |H|` on
 * the subdiagonal counts as 0, so that matrices of low rank come to an end too.
 */
export class Schur {
  readonly #t: readonly Row[];
  /** The last row of Z. */
  readonly #z: Row;
  readonly #least: number;

  constructor(hessenberg: readonly Float64Array[]) {
    const n = hessenberg.length;
    this.#t = hessenberg.map((row) => ({ re: row.slice(), im: new Float64Array(n) }));
    this.#z = { re: new Float64Array(n), im: new Float64Array(n) };
    this.#z.re[n - 1] = 1;
    const square = hessenberg.reduce((sum, row) => row.reduce((all, x) => all + x * x, sum), 0);
    this.#least = 2 ** -52 * Math.sqrt(square);
    this.#deflate();
  }

  /** The eigenvalues, in the order of the diagonal. */
  get eigenvalues(): Complex[] {
    return this.#t.map(({ re, im }, i) => [re[i]!, im[i]!]);
  }

  #deflate(): void {
    let sinceLast = 0;
    for (let high = this.#t.length - 1; high > 0; ) {
      let low = high;
      while (low > 0 && this.#sizeAt(low, low - 1) > this.#least) low--;
      if (low > 0) {
        this.#t[low]!.re[low - 1] = 0;
        this.#t[low]!.im[low - 1] = 0;
      }
      if (low === high) {
        high--;
        sinceLast = 0;
        continue;
      }
      sinceLast++;
      if (sinceLast > 300) throw new RangeError("the eigenvalues of a Jacobian do not converge");
      this.#step(low, high, sinceLast % 10 === 0 ? this.#unusual(high) : this.#shift(high));
    }
  }

  #sizeAt(i: number, j: number): number {
    return Math.hypot(this.#t[i]!.re[j]!, this.#t[i]!.im[j]!);
  }

  /** A shift that breaks cycles, such as those of permutations. */
  #unusual(high: number): Complex {
    return [
      this.#t[high]!.re[high]! + 0.75 * this.#sizeAt(high, high - 1),
      this.#t[high]!.im[high]!,
    ];
  }

  /** The eigenvalue of the last two rows and columns that is nearer to the last element. */
  #shift(high: number): Complex {
    const [up, down] = [this.#t[high - 1]!, this.#t[high]!];
    const [aRe, aIm, dRe, dIm] = [
      up.re[high - 1]!,
      up.im[high - 1]!,
      down.re[high]!,
      down.im[high]!,
    ];
    const [pRe, pIm] = [(aRe - dRe) / 2, (aIm - dIm) / 2];
    const bc = product([up.re[high]!, up.im[high]!], [down.re[high - 1]!, down.im[high - 1]!]);
    const square = product([pRe, pIm], [pRe, pIm]);
    const [rRe, rIm] = root([square[0] + bc[0], square[1] + bc[1]]);
    // d - bc / (p +- root), with the sign that makes the divisor larger.
    const sign = pRe * rRe + pIm * rIm < 0 ? -1 : 1;
    const quotient = ratio(bc, [pRe + sign * rRe, pIm + sign * rIm]);
    return [dRe - quotient[0], dIm - quotient[1]];
  }

  /** One step of the QR algorithm on rows and columns from `low` to `high`. */
  #step(low: number, high: number, [shiftRe, shiftIm]: Complex): void {
    const t = this.#t;
    for (let i = low; i <= high; i++) {
      t[i]!.re[i]! -= shiftRe;
      t[i]!.im[i]! -= shiftIm;
    }
    const rotations: Rotation[] = [];
    for (let k = low; k < high; k++) {
      const [up, down] = [t[k]!, t[k + 1]!];
      const length = Math.hypot(up.re[k]!, up.im[k]!, down.re[k]!, down.im[k]!);
      const rotation: Rotation =
        length === 0
          ? [1, 0, 0, 0]
          : [up.re[k]! / length, up.im[k]! / length, down.re[k]! / length, down.im[k]! / length];
      rotations.push(rotation);
      rotateRows(up, down, k, rotation);
    }
    for (const [i, rotation] of rotations.entries()) {
      const k = low + i;
      for (let row = 0; row <= k + 1; row++) rotateColumns(t[row]!, k, rotation);
      rotateColumns(this.#z, k, rotation);
    }
    for (let i = low; i <= high; i++) {
      t[i]!.re[i]! += shiftRe;
      t[i]!.im[i]! += shiftIm;
    }
  }

  /** The last component of the eigenvector of eigenvalue i, as a share of the vector's length. */
  lastOf(i: number): number {
    const t = this.#t;
    const x: Complex[] = [];
    x[i] = [1, 0];
    for (let j = i - 1; j >= 0; j--) {
      let [re, im] = [0, 0];
      for (let k = j + 1; k <= i; k++) {
        const term = product([t[j]!.re[k]!, t[j]!.im[k]!], x[k]!);
        re -= term[0];
        im -= term[1];
      }
      const gap: Complex = [t[j]!.re[j]! - t[i]!.re[i]!, t[j]!.im[j]! - t[i]!.im[i]!];
      const divisor: Complex = modulus(gap) > this.#least ? gap : [this.#least || 1, 0];
      x[j] = ratio([re, im], divisor);
    }
    let [re, im] = [0, 0];
    for (const [k, each] of x.entries()) {
      const term = product([this.#z.re[k]!, this.#z.im[k]!], each);
      re += term[0];
      im += term[1];
    }
    return Math.hypot(re, im) / Math.hypot(...x.map(modulus));
  }
}

/** Rotates two rows from column `from` on. */
function rotateRows(up: Row, down: Row, from: number, [xRe, xIm, yRe, yIm]: Rotation): void {
  for (let j = from; j < up.re.length; j++) {
    const [aRe, aIm, bRe, bIm] = [up.re[j]!, up.im[j]!, down.re[j]!, down.im[j]!];
    up.re[j] = xRe * aRe + xIm * aIm + yRe * bRe + yIm * bIm;
    up.im[j] = xRe * aIm - xIm * aRe + yRe * bIm - yIm * bRe;
    down.re[j] = xRe * bRe - xIm * bIm - yRe * aRe + yIm * aIm;
    down.im[j] = xRe * bIm + xIm * bRe - yRe * aIm - yIm * aRe;
  }
}

/** Applies the adjoint of a rotation to the elements k and k + 1 of a row. */
function rotateColumns({ re, im }: Row, k: number, [xRe, xIm, yRe, yIm]: Rotation): void {
  const [aRe, aIm, bRe, bIm] = [re[k]!, im[k]!, re[k + 1]!, im[k + 1]!];
  re[k] = aRe * xRe - aIm * xIm + bRe * yRe - bIm * yIm;
  im[k] = aRe * xIm + aIm * xRe + bRe * yIm + bIm * yRe;
  re[k + 1] = bRe * xRe + bIm * xIm - aRe * yRe - aIm * yIm;
  im[k + 1] = bIm * xRe - bRe * xIm - aIm * yRe + aRe * yIm;
}

function product([aRe, aIm]: Complex, [bRe, bIm]: Complex): Complex {
  return [aRe * bRe - aIm * bIm, aRe * bIm + aIm * bRe];
}

/** 0 where the divisor is 0. */
function ratio([aRe, aIm]: Complex, divisor: Complex): Complex {
  const size = modulus(divisor);
  if (size === 0) return [0, 0];
  const [re, im] = [divisor[0] / size, divisor[1] / size];
  return [(aRe * re + aIm * im) / size, (aIm * re - aRe * im) / size];
}

function root([re, im]: Complex): Complex {
  const size = Math.hypot(re, im);
  const half = Math.sqrt((size + Math.abs(re)) / 2);
  if (half === 0) return [0, 0];
  const other = Math.abs(im) / (2 * half);
  const [a, b] = re >= 0 ? [half, other] : [other, half];
  return [a, im < 0 ? -b : b];
}
