import { readFileSync } from "node:fs";
import { defaultBackend } from "@chronograd/autodiff";
import { serve } from "../serve.ts";
import { convolution } from "./convolution.ts";
import { minibatch } from "./minibatch.ts";
import { overhead } from "./overhead.ts";
import { product } from "./product.ts";
import { start } from "./start.ts";
import { stream } from "./stream.ts";
import { train } from "./train.ts";

const manifest = new URL("../../packages/rnn/package.json", import.meta.url);
const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };

await serve(
  { versions: { chronograd: version }, note: defaultBackend().kernels.name },
  { train, minibatch, start, product, convolution, overhead, stream },
);
