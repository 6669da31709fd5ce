/**
 * Where an instance keeps values in between. Instances that work on one memory, each in a thread of
 * its own, have different rooms, so no static data is ever written.
 */
let room: usize = 0;

/** Bytes that an instance needs for itself. */
export function roomBytes(): i32 {
  return 4096 + 4096 + 1536 + 64;
}

/** Gives this instance its room, before any kernel runs. */
export function useRoom(address: usize): void {
  room = address;
}

/** For the totals of 512 columns in a norm. */
// @ts-ignore: decorator
@inline
export function normRoom(): usize {
  return room;
}

/** For the totals of 512 columns in a sum. */
// @ts-ignore: decorator
@inline
export function sumRoom(): usize {
  return room + 4096;
}

/** For 64 elements of each of three operands. */
// @ts-ignore: decorator
@inline
export function operandRoom(): usize {
  return room + 8192;
}

/** For an argument of a trigonometric function, less multiples of pi / 2. */
// @ts-ignore: decorator
@inline
export function reductionRoom(): usize {
  return room + 9728;
}
