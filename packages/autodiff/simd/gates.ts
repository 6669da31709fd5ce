import {
  gruGates, gruGatesVjp, gruGatesVjpBias, gruOutput, gruOutputVjpGates, gruOutputVjpH,
} from "./gates/gru";
import {
  lstmGates, lstmGatesVjp, lstmCellState, lstmCellStateVjpGates, lstmCellStateVjpC, lstmOutput, lstmOutputVjpGates, lstmOutputVjpC,
} from "./gates/lstm";
import { Ragged, Whole } from "./vector";

// Rows of whole vectors are the common case. Where the exponentials take the time it makes no difference.

export function f32_lstmGates(
  rows: i32, hidden: i32, x: usize, y: usize,
): void {
  lstmGates<f32, Ragged>(rows, hidden, x, y);
}

export function f32_lstmGatesVjp(
  rows: i32, hidden: i32, y: usize, g: usize, accumulate: bool, dx: usize,
): void {
  if (hidden % 4 == 0) lstmGatesVjp<f32, Whole>(rows, hidden, y, g, accumulate, dx);
  else lstmGatesVjp<f32, Ragged>(rows, hidden, y, g, accumulate, dx);
}

export function f32_lstmCellState(
  rows: i32, hidden: i32, gates: usize, c: usize, y: usize,
): void {
  if (hidden % 4 == 0) lstmCellState<f32, Whole>(rows, hidden, gates, c, y);
  else lstmCellState<f32, Ragged>(rows, hidden, gates, c, y);
}

export function f32_lstmCellStateVjpGates(
  rows: i32, hidden: i32, gates: usize, c: usize, g: usize, accumulate: bool, dx: usize,
): void {
  if (hidden % 4 == 0) lstmCellStateVjpGates<f32, Whole>(rows, hidden, gates, c, g, accumulate, dx);
  else lstmCellStateVjpGates<f32, Ragged>(rows, hidden, gates, c, g, accumulate, dx);
}

export function f32_lstmCellStateVjpC(
  rows: i32, hidden: i32, gates: usize, g: usize, accumulate: bool, dc: usize,
): void {
  if (hidden % 4 == 0) lstmCellStateVjpC<f32, Whole>(rows, hidden, gates, g, accumulate, dc);
  else lstmCellStateVjpC<f32, Ragged>(rows, hidden, gates, g, accumulate, dc);
}

export function f32_lstmOutput(
  rows: i32, hidden: i32, gates: usize, c: usize, y: usize,
): void {
  lstmOutput<f32, Ragged>(rows, hidden, gates, c, y);
}

export function f32_lstmOutputVjpGates(
  rows: i32, hidden: i32, gates: usize, c: usize, y: usize, g: usize, accumulate: bool, dx: usize,
): void {
  if (hidden % 4 == 0) lstmOutputVjpGates<f32, Whole>(rows, hidden, gates, c, y, g, accumulate, dx);
  else lstmOutputVjpGates<f32, Ragged>(rows, hidden, gates, c, y, g, accumulate, dx);
}

export function f32_lstmOutputVjpC(
  rows: i32, hidden: i32, gates: usize, c: usize, y: usize, g: usize, accumulate: bool, dc: usize,
): void {
  if (hidden % 4 == 0) lstmOutputVjpC<f32, Whole>(rows, hidden, gates, c, y, g, accumulate, dc);
  else lstmOutputVjpC<f32, Ragged>(rows, hidden, gates, c, y, g, accumulate, dc);
}

export function f32_gruGates(
  rows: i32, hidden: i32, x: usize, h: usize, bias: usize, y: usize,
): void {
  gruGates<f32, Ragged>(rows, hidden, x, h, bias, y);
}

export function f32_gruGatesVjp(
  rows: i32, hidden: i32, y: usize, h: usize, bias: usize, g: usize, recurrent: bool, accumulate: bool, dx: usize,
): void {
  if (hidden % 4 == 0) gruGatesVjp<f32, Whole>(rows, hidden, y, h, bias, g, recurrent, accumulate, dx);
  else gruGatesVjp<f32, Ragged>(rows, hidden, y, h, bias, g, recurrent, accumulate, dx);
}

export function f32_gruGatesVjpBias(
  rows: i32, hidden: i32, y: usize, g: usize, accumulate: bool, db: usize,
): void {
  if (hidden % 4 == 0) gruGatesVjpBias<f32, Whole>(rows, hidden, y, g, accumulate, db);
  else gruGatesVjpBias<f32, Ragged>(rows, hidden, y, g, accumulate, db);
}

export function f32_gruOutput(
  rows: i32, hidden: i32, gates: usize, h: usize, y: usize,
): void {
  if (hidden % 4 == 0) gruOutput<f32, Whole>(rows, hidden, gates, h, y);
  else gruOutput<f32, Ragged>(rows, hidden, gates, h, y);
}

export function f32_gruOutputVjpGates(
  rows: i32, hidden: i32, gates: usize, h: usize, g: usize, accumulate: bool, dx: usize,
): void {
  if (hidden % 4 == 0) gruOutputVjpGates<f32, Whole>(rows, hidden, gates, h, g, accumulate, dx);
  else gruOutputVjpGates<f32, Ragged>(rows, hidden, gates, h, g, accumulate, dx);
}

export function f32_gruOutputVjpH(
  rows: i32, hidden: i32, gates: usize, g: usize, accumulate: bool, dh: usize,
): void {
  if (hidden % 4 == 0) gruOutputVjpH<f32, Whole>(rows, hidden, gates, g, accumulate, dh);
  else gruOutputVjpH<f32, Ragged>(rows, hidden, gates, g, accumulate, dh);
}

export function f64_lstmGates(
  rows: i32, hidden: i32, x: usize, y: usize,
): void {
  lstmGates<f64, Ragged>(rows, hidden, x, y);
}

export function f64_lstmGatesVjp(
  rows: i32, hidden: i32, y: usize, g: usize, accumulate: bool, dx: usize,
): void {
  if (hidden % 2 == 0) lstmGatesVjp<f64, Whole>(rows, hidden, y, g, accumulate, dx);
  else lstmGatesVjp<f64, Ragged>(rows, hidden, y, g, accumulate, dx);
}

export function f64_lstmCellState(
  rows: i32, hidden: i32, gates: usize, c: usize, y: usize,
): void {
  if (hidden % 2 == 0) lstmCellState<f64, Whole>(rows, hidden, gates, c, y);
  else lstmCellState<f64, Ragged>(rows, hidden, gates, c, y);
}

export function f64_lstmCellStateVjpGates(
  rows: i32, hidden: i32, gates: usize, c: usize, g: usize, accumulate: bool, dx: usize,
): void {
  if (hidden % 2 == 0) lstmCellStateVjpGates<f64, Whole>(rows, hidden, gates, c, g, accumulate, dx);
  else lstmCellStateVjpGates<f64, Ragged>(rows, hidden, gates, c, g, accumulate, dx);
}

export function f64_lstmCellStateVjpC(
  rows: i32, hidden: i32, gates: usize, g: usize, accumulate: bool, dc: usize,
): void {
  if (hidden % 2 == 0) lstmCellStateVjpC<f64, Whole>(rows, hidden, gates, g, accumulate, dc);
  else lstmCellStateVjpC<f64, Ragged>(rows, hidden, gates, g, accumulate, dc);
}

export function f64_lstmOutput(
  rows: i32, hidden: i32, gates: usize, c: usize, y: usize,
): void {
  lstmOutput<f64, Ragged>(rows, hidden, gates, c, y);
}

export function f64_lstmOutputVjpGates(
  rows: i32, hidden: i32, gates: usize, c: usize, y: usize, g: usize, accumulate: bool, dx: usize,
): void {
  if (hidden % 2 == 0) lstmOutputVjpGates<f64, Whole>(rows, hidden, gates, c, y, g, accumulate, dx);
  else lstmOutputVjpGates<f64, Ragged>(rows, hidden, gates, c, y, g, accumulate, dx);
}

export function f64_lstmOutputVjpC(
  rows: i32, hidden: i32, gates: usize, c: usize, y: usize, g: usize, accumulate: bool, dc: usize,
): void {
  if (hidden % 2 == 0) lstmOutputVjpC<f64, Whole>(rows, hidden, gates, c, y, g, accumulate, dc);
  else lstmOutputVjpC<f64, Ragged>(rows, hidden, gates, c, y, g, accumulate, dc);
}

export function f64_gruGates(
  rows: i32, hidden: i32, x: usize, h: usize, bias: usize, y: usize,
): void {
  gruGates<f64, Ragged>(rows, hidden, x, h, bias, y);
}

export function f64_gruGatesVjp(
  rows: i32, hidden: i32, y: usize, h: usize, bias: usize, g: usize, recurrent: bool, accumulate: bool, dx: usize,
): void {
  if (hidden % 2 == 0) gruGatesVjp<f64, Whole>(rows, hidden, y, h, bias, g, recurrent, accumulate, dx);
  else gruGatesVjp<f64, Ragged>(rows, hidden, y, h, bias, g, recurrent, accumulate, dx);
}

export function f64_gruGatesVjpBias(
  rows: i32, hidden: i32, y: usize, g: usize, accumulate: bool, db: usize,
): void {
  if (hidden % 2 == 0) gruGatesVjpBias<f64, Whole>(rows, hidden, y, g, accumulate, db);
  else gruGatesVjpBias<f64, Ragged>(rows, hidden, y, g, accumulate, db);
}

export function f64_gruOutput(
  rows: i32, hidden: i32, gates: usize, h: usize, y: usize,
): void {
  if (hidden % 2 == 0) gruOutput<f64, Whole>(rows, hidden, gates, h, y);
  else gruOutput<f64, Ragged>(rows, hidden, gates, h, y);
}

export function f64_gruOutputVjpGates(
  rows: i32, hidden: i32, gates: usize, h: usize, g: usize, accumulate: bool, dx: usize,
): void {
  if (hidden % 2 == 0) gruOutputVjpGates<f64, Whole>(rows, hidden, gates, h, g, accumulate, dx);
  else gruOutputVjpGates<f64, Ragged>(rows, hidden, gates, h, g, accumulate, dx);
}

export function f64_gruOutputVjpH(
  rows: i32, hidden: i32, gates: usize, g: usize, accumulate: bool, dh: usize,
): void {
  if (hidden % 2 == 0) gruOutputVjpH<f64, Whole>(rows, hidden, gates, g, accumulate, dh);
  else gruOutputVjpH<f64, Ragged>(rows, hidden, gates, g, accumulate, dh);
}
