import { rng } from "@chronograd/nn";
import { type Recording, rate } from "./recordings.ts";

const rows = [941, 697, 697, 697, 770, 770, 770, 852, 852, 852];
const columns = [1336, 1209, 1336, 1477, 1209, 1336, 1477, 1209, 1336, 1477];

/** Stand-ins for spoken digits: the two tones of a telephone's key, one after the other. */
export function tones(seed: number): Recording[] {
  const random = rng(seed, "tones");
  const speakers = ["low", "high"];
  return speakers.flatMap((speaker, pitch) =>
    rows.flatMap((row, digit) =>
      Array.from({ length: 8 }, (_, take) => {
        const length = random.integer(1600, 2400);
        const samples = Float32Array.from({ length }, (_, i) => {
          const hertz = (1 + 0.1 * pitch) * (i < length / 2 ? row : columns[digit]!);
          return 0.4 * Math.sin((2 * Math.PI * hertz * i) / rate) + 0.01 * random.normal();
        });
        return { digit, speaker, take, samples };
      }),
    ),
  );
}
