/** A flag's whole number; ends the process with a sentence where it is not one. */
export function wholeNumber(command: string, name: string, text: string, least = 0): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && text.trim() !== "") return value;
  console.error(`${command}: --${name} must be a whole number of at least ${least}, got ${text}`);
  process.exit(2);
}
