import {
  linearRecurrence, linearRecurrenceVjpA, linearRecurrenceVjpB, linearRecurrenceVjpInitial,
} from "./rows/recurrence";

export function f32_linearRecurrence(
  length: i32, rows: i32, cols: i32, reverse: bool, complex: bool,
  a: usize, b: usize, initial: usize, y: usize,
): void {
  linearRecurrence<f32>(length, rows, cols, reverse, complex, a, b, initial, y);
}

export function f32_linearRecurrenceVjpA(
  length: i32, rows: i32, cols: i32, reverse: bool, complex: bool,
  a: usize, initial: usize, h: usize, g: usize, da: usize,
): void {
  linearRecurrenceVjpA<f32>(length, rows, cols, reverse, complex, a, initial, h, g, da);
}

export function f32_linearRecurrenceVjpB(
  length: i32, rows: i32, cols: i32, reverse: bool, complex: bool,
  a: usize, g: usize, db: usize,
): void {
  linearRecurrenceVjpB<f32>(length, rows, cols, reverse, complex, a, g, db);
}

export function f32_linearRecurrenceVjpInitial(
  length: i32, rows: i32, cols: i32, reverse: bool, complex: bool,
  a: usize, g: usize, dinitial: usize,
): void {
  linearRecurrenceVjpInitial<f32>(length, rows, cols, reverse, complex, a, g, dinitial);
}

export function f64_linearRecurrence(
  length: i32, rows: i32, cols: i32, reverse: bool, complex: bool,
  a: usize, b: usize, initial: usize, y: usize,
): void {
  linearRecurrence<f64>(length, rows, cols, reverse, complex, a, b, initial, y);
}

export function f64_linearRecurrenceVjpA(
  length: i32, rows: i32, cols: i32, reverse: bool, complex: bool,
  a: usize, initial: usize, h: usize, g: usize, da: usize,
): void {
  linearRecurrenceVjpA<f64>(length, rows, cols, reverse, complex, a, initial, h, g, da);
}

export function f64_linearRecurrenceVjpB(
  length: i32, rows: i32, cols: i32, reverse: bool, complex: bool,
  a: usize, g: usize, db: usize,
): void {
  linearRecurrenceVjpB<f64>(length, rows, cols, reverse, complex, a, g, db);
}

export function f64_linearRecurrenceVjpInitial(
  length: i32, rows: i32, cols: i32, reverse: bool, complex: bool,
  a: usize, g: usize, dinitial: usize,
): void {
  linearRecurrenceVjpInitial<f64>(length, rows, cols, reverse, complex, a, g, dinitial);
}
