import { packAcross, packAlong, packPanels } from "./matmul/pack";
import { stripAcross, stripAlong, stripColumns } from "./matmul/row";
import { tile, tileColumns, tileRows } from "./matmul/tile";

/** Steps of the inner dimension summed from zero before they are added to `c`. */
const depth: i32 = 256;
/** Tiles of `A` packed at a time: they fill a good part of the second cache. */
const blockTiles: i32 = 16;
/** Panels of `B` packed at a time: in total as wide as two cache lines. */
const groupPanels: i32 = 4;
/** Up to so many tiles read the rows of `B` where they lie: packing would not pay. */
const directTiles: i32 = 2;

/** Packed tiles of `A`, packed panels of `B`, one tile of `C`. */
// @ts-ignore: decorator
@inline
function scratchBytes<T>(): i32 {
  return sizeof<T>() * depth * blockTiles * tileRows + 32 * (depth * groupPanels + tileRows);
}

/** Takes over the columns of `c` from a tile in `corner` that overhangs them. */
function addCorner<T>(
  rows: i32, columns: i32, corner: usize, c: usize, cStep: usize, accumulate: bool,
): void {
  for (; rows > 0; rows--) {
    for (let j: usize = 0; j < <usize>columns * sizeof<T>(); j += sizeof<T>()) {
      const value = load<T>(corner + j);
      store<T>(c + j, accumulate ? <T>(load<T>(c + j) + value) : value);
    }
    corner += 32;
    c += cStep;
  }
}

/** Zeros in `rows` rows of `bytes` bytes. */
function zero(rows: i32, bytes: usize, c: usize, cStep: usize): void {
  for (; rows > 0; rows--) {
    memory.fill(c, 0, bytes);
    c += cStep;
  }
}

/** As many whole strips of a one-row product as there are; the number of columns done. */
function strips<T>(
  n: i32, k: i32, a: usize, b: usize, bStep: usize, bTransposed: i32, c: usize, accumulate: bool,
): i32 {
  const columns = stripColumns<T>(bTransposed);
  const next = bTransposed ? <usize>columns * bStep : <usize>columns * sizeof<T>();
  let j = 0;
  for (; j + columns <= n; j += columns) {
    if (bTransposed) stripAlong<T>(k, a, b, bStep, c, accumulate);
    else stripAcross<T>(k, a, b, bStep, c, accumulate);
    b += next;
    c += <usize>columns * sizeof<T>();
  }
  return j;
}

/** Packs `rows` rows of `A` in `tiles` tiles of heights as even as can be, one after the other. */
function packTiles<T>(
  rows: i32, tiles: i32, k: i32, a: usize, aStep: usize, aTransposed: i32, y: usize,
): void {
  for (; tiles > 0; tiles--) {
    const height = rows / tiles;
    if (aTransposed) packAcross<T>(k, height, height, a, aStep, y);
    else packAlong<T>(k, height, height, a, aStep, y);
    a += <usize>height * (aTransposed ? sizeof<T>() : aStep);
    y += <usize>(k * height) * sizeof<T>();
    rows -= height;
  }
}

/**
 * The packed tiles of `A` times a group of panels of `B`. The first `whole` columns are read from
 * `b` where they lie, `bStep` bytes between stored rows; panels of the others are packed at
 * `packedB`.
 */
function group<T>(
  rows: i32, tiles: i32, columns: i32, whole: i32, k: i32, a: usize, b: usize, bStep: usize,
  packedB: usize, corner: usize, c: usize, cStep: usize, accumulate: bool,
): void {
  const width = tileColumns<T>();
  for (; tiles > 0; tiles--) {
    const height = rows / tiles;
    let to = c;
    let panel = packedB;
    for (let j = 0; j < columns; j += width) {
      if (j < whole) {
        tile<T>(height, k, a, b + <usize>j * sizeof<T>(), bStep, to, cStep, accumulate);
      } else if (columns - j >= width) {
        tile<T>(height, k, a, panel, 32, to, cStep, accumulate);
      } else {
        tile<T>(height, k, a, panel, 32, corner, 32, false);
        addCorner<T>(height, columns - j, corner, to, cStep, accumulate);
      }
      to += 32;
      panel += <usize>k * 32;
    }
    a += <usize>(k * height) * sizeof<T>();
    c += <usize>height * cStep;
    rows -= height;
  }
}

/** Bytes of one panel of `steps` steps for each tile's width of `n` columns. */
// @ts-ignore: decorator
@inline
function panelsBytes<T>(n: i32, steps: i32): usize {
  return <usize>((n + tileColumns<T>() - 1) / tileColumns<T>()) * <usize>steps * 32;
}

/**
 * All of `B` in panels, block after block of `depth` steps, as `product` reads it when `bPacked`.
 */
function packWhole<T>(n: i32, k: i32, b: usize, ldb: i32, bTransposed: i32, y: usize): void {
  const bStep = <usize>ldb * sizeof<T>();
  const bInner: usize = bTransposed ? sizeof<T>() : bStep;
  const bOuter: usize = bTransposed ? bStep : sizeof<T>();
  const columns = groupPanels * tileColumns<T>();
  for (let k0 = 0; k0 < k; k0 += depth) {
    const steps = min(depth, k - k0);
    for (let j = 0; j < n; j += columns) {
      const from = b + <usize>k0 * bInner + <usize>j * bOuter;
      packPanels<T>(steps, min(columns, n - j), from, bStep, bTransposed, y + panelsBytes<T>(j, steps));
    }
    y += panelsBytes<T>(n, steps);
  }
}

/**
 * Blocked as in Goto & van de Geijn 2008: `depth` steps at a time, tiles of `A` packed into the
 * second cache, panels of `B` into the first. An element of `C` gets the same operations in the
 * same order whatever `m`, `n`, the transposes, the leading dimensions and its place are.
 */
function product<T>(
  m: i32, n: i32, k: i32, a: usize, lda: i32, aTransposed: i32, b: usize, ldb: i32,
  bTransposed: i32, bPacked: bool, c: usize, ldc: i32, accumulate: i32, scratch: usize,
): void {
  if (m <= 0 || n <= 0) return;
  const cStep = <usize>ldc * sizeof<T>();
  if (k <= 0) {
    if (!accumulate) zero(m, <usize>n * sizeof<T>(), c, cStep);
    return;
  }
  // Bytes from a stored row to the next; from an inner step to the next; from a row of A, a column
  // of B.
  const aStep = <usize>lda * sizeof<T>();
  const bStep = <usize>ldb * sizeof<T>();
  const aInner: usize = aTransposed ? aStep : sizeof<T>();
  const bInner: usize = bTransposed ? sizeof<T>() : bStep;
  const aOuter: usize = aTransposed ? sizeof<T>() : aStep;
  const bOuter: usize = bTransposed ? bStep : sizeof<T>();
  const packedA = scratch;
  const packedB = packedA + <usize>(depth * blockTiles * tileRows) * sizeof<T>();
  const corner = packedB + <usize>(depth * groupPanels * 32);
  const width = tileColumns<T>();
  const allTiles = (m + tileRows - 1) / tileRows;
  const direct = !bPacked && !bTransposed && allTiles <= directTiles;

  for (let k0 = 0; k0 < k; k0 += depth) {
    const steps = min(depth, k - k0);
    const add = accumulate != 0 || k0 > 0;
    let aBlock = a + <usize>k0 * aInner;
    let cBlock = c;
    let restRows = m;
    for (let rest = allTiles; rest > 0; rest -= blockTiles) {
      const tiles = min(blockTiles, rest);
      const rows = (restRows * tiles) / rest;
      // One row lies as a tile of one row would.
      const isRow = m == 1 && !aTransposed;
      const aTiles = isRow ? aBlock : packedA;
      if (!isRow) packTiles<T>(rows, tiles, steps, aBlock, aStep, aTransposed, packedA);
      const bBlock = bPacked ? b + panelsBytes<T>(n, k0) : b + <usize>k0 * bInner;
      let j = m == 1 && !bPacked ? strips<T>(n, steps, aTiles, bBlock, bStep, bTransposed, c, add) : 0;
      for (; j < n; j += groupPanels * width) {
        const columns = min(groupPanels * width, n - j);
        const from = bBlock + <usize>j * bOuter;
        const whole = direct ? columns - (columns % width) : 0;
        const panels = bPacked ? bBlock + panelsBytes<T>(j, steps) : packedB;
        if (!bPacked) {
          packPanels<T>(
            steps, columns - whole, from + <usize>whole * bOuter, bStep, bTransposed,
            packedB + <usize>(whole * steps) * sizeof<T>(),
          );
        }
        const to = cBlock + <usize>j * sizeof<T>();
        group<T>(
          rows, tiles, columns, whole, steps, aTiles, from, bStep, panels, corner, to, cStep, add,
        );
      }
      aBlock += <usize>rows * aOuter;
      cBlock += <usize>rows * cStep;
      restRows -= rows;
    }
  }
}

export function f32_matmulScratch(): i32 {
  return scratchBytes<f32>();
}

export function f64_matmulScratch(): i32 {
  return scratchBytes<f64>();
}

export function f32_matmul(
  m: i32, n: i32, k: i32, a: usize, lda: i32, aTransposed: i32, b: usize, ldb: i32,
  bTransposed: i32, c: usize, ldc: i32, accumulate: i32, scratch: usize,
): void {
  product<f32>(
    m, n, k, a, lda, aTransposed, b, ldb, bTransposed, false, c, ldc, accumulate, scratch,
  );
}

export function f64_matmul(
  m: i32, n: i32, k: i32, a: usize, lda: i32, aTransposed: i32, b: usize, ldb: i32,
  bTransposed: i32, c: usize, ldc: i32, accumulate: i32, scratch: usize,
): void {
  product<f64>(
    m, n, k, a, lda, aTransposed, b, ldb, bTransposed, false, c, ldc, accumulate, scratch,
  );
}

export function f32_pack(n: i32, k: i32, b: usize, ldb: i32, bTransposed: i32, y: usize): void {
  packWhole<f32>(n, k, b, ldb, bTransposed, y);
}

export function f32_matmulPacked(
  m: i32, n: i32, k: i32, a: usize, lda: i32, aTransposed: i32, b: usize, c: usize, ldc: i32,
  accumulate: i32, scratch: usize,
): void {
  product<f32>(m, n, k, a, lda, aTransposed, b, 0, 0, true, c, ldc, accumulate, scratch);
}

export function f64_pack(n: i32, k: i32, b: usize, ldb: i32, bTransposed: i32, y: usize): void {
  packWhole<f64>(n, k, b, ldb, bTransposed, y);
}

export function f64_matmulPacked(
  m: i32, n: i32, k: i32, a: usize, lda: i32, aTransposed: i32, b: usize, c: usize, ldc: i32,
  accumulate: i32, scratch: usize,
): void {
  product<f64>(m, n, k, a, lda, aTransposed, b, 0, 0, true, c, ldc, accumulate, scratch);
}
