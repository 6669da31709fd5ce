import { short } from "./short.ts";

const units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];

/** Bytes as a person reads them, in powers of 1,000. */
export function bytesText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${short(value)} ${units[unit]}`;
}
