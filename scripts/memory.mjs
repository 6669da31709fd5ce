// Trains on an endless stream for 100,000 windows (arguments: windows, k1, k2) and prints the
// resident memory, which must not grow.
import { scope, tensor } from "@chronograd/autodiff";
import { adam, applyUpdates, chain, clipByGlobalNorm, rng } from "@chronograd/nn";
import { initialParams, lstm, truncated } from "@chronograd/rnn";

const [windows = 100_000, k1 = 2, k2 = 4] = process.argv.slice(2).map(Number);
const cell = lstm({ input: 2, hidden: 8 });
let params = initialParams(cell, rng(1));
const optimizer = chain({ clip: clipByGlobalNorm(1), adam: adam({ learningRate: 1e-3 }) });
let state = optimizer.init(params);
function* steps() {
  for (let t = 0; ; t++) {
    const input = tensor([[Math.sin(t), Math.cos(t)]]);
    yield { input, target: scope(() => input.sum(1, { keepDims: true })) };
  }
}
const loss = (h, target) => h.sub(target).square();
const { memory } = params.W.backend;
const report = [];
let next = 1000;
for (const window of truncated(cell, params, steps(), { k1, k2, loss })) {
  const [updates, after] = optimizer.update(window.gradients, state, params);
  params = applyUpdates(params, updates);
  state = after;
  const done = window.index + 1;
  if (done === next || done === windows) {
    const kernel = memory.wasm.buffer.byteLength;
    const resident = process.memoryUsage.rss();
    report.push({ windows: done, kernelBytes: kernel, inUse: memory.bytesInUse, resident });
    console.log(
      `${String(done).padStart(7)} windows: resident ${(resident / 2 ** 20).toFixed(1)} MiB, kernel memory ${(kernel / 2 ** 20).toFixed(2)} MiB, of which in use ${memory.bytesInUse} bytes`,
    );
    next = done < 10_000 ? 10_000 : done + 10_000;
  }
  if (done === windows) break;
}
const [first] = report;
const last = report.at(-1);
const grown = (last.resident - first.resident) / 2 ** 20;
console.log(
  `from the ${first.windows}th window to the ${last.windows}th: ${grown >= 0 ? "+" : ""}${grown.toFixed(1)} MiB resident, ${last.inUse - first.inUse} bytes of kernel memory`,
);
