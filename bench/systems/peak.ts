import { sizeOf } from "../protocol.ts";
import { type Maker, serve } from "../serve.ts";
import { type Loop, multiplyAddLoop } from "./assemble.ts";

/**
 * Chains of multiply-adds side by side: enough to hide their latency, few enough to stay in
 * registers.
 */
const widths = [8, 10, 12];

/** The fastest of the loops on this machine. */
function fastest(): Loop {
  let best: Loop | undefined;
  let most = 0;
  for (const loop of widths.map(multiplyAddLoop)) {
    for (let i = 0; i < 5; i++) {
      const count = 200_000;
      const started = performance.now();
      loop.run(count);
      const rate = (count * loop.flopsPerTurn) / (performance.now() - started);
      if (rate > most) [best, most] = [loop, rate];
    }
  }
  return best!;
}

const loop = fastest();

/** As many multiply-adds as a matrix product has, with nothing to load or store. */
const product: Maker = ({ config }) => {
  const [m, n, k, repeat] = ["m", "n", "k", "repeat"].map((name) => sizeOf(config, name)) as [
    number,
    number,
    number,
    number,
  ];
  const count = Math.ceil((2 * m * n * k * repeat) / loop.flopsPerTurn);
  return {
    step: () => {
      const started = performance.now();
      loop.run(count);
      return { ms: (performance.now() - started) / repeat };
    },
  };
};

const chains = loop.flopsPerTurn / 8;
await serve(
  { versions: {}, note: `${chains} chains of ${loop.relaxed ? "relaxed madd" : "mul and add"}` },
  { product },
);
