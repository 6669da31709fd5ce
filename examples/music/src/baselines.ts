import { type Chorale, keys, rollOf } from "./chorales.ts";

/**
 * The negative log-likelihood of a chord when each key sounds on its own: as often as in the
 * training set, or as often as there after steps in which the key did or did not sound.
 *
 * @param memory whether the step before counts
 */
export function frequencies(
  training: readonly Chorale[],
  test: readonly Chorale[],
  memory: boolean,
): number {
  // Counts of [off, on] by key and by what the key did before; 1 in advance (Laplace).
  const counts = Array.from({ length: 2 * keys }, () => [1, 1] as [number, number]);
  const each = (chorales: readonly Chorale[], see: (row: number, sounds: 0 | 1) => void) => {
    for (const chorale of chorales) {
      const rolls = rollOf(chorale);
      for (let t = 1; t < rolls.length; t++) {
        for (let key = 0; key < keys; key++) {
          const before = memory ? rolls[t - 1]![key]! : 0;
          see(2 * key + before, rolls[t]![key] as 0 | 1);
        }
      }
    }
  };
  each(training, (row, sounds) => counts[row]![sounds]++);
  let [sum, steps] = [0, 0];
  each(test, (row, sounds) => {
    const [off, on] = counts[row]!;
    sum -= Math.log((sounds === 1 ? on : off) / (off + on));
    steps += 1 / keys;
  });
  return sum / steps;
}
