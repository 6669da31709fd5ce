/** The training script of a new project. */
export const train = `import { type Tensor, tensor, zeros } from "@chronograd/autodiff";
import { adam, applyUpdates, chain, clipByGlobalNorm, linear, rng } from "@chronograd/nn";
import { initialParams, sequential, truncated } from "@chronograd/rnn";
import { leaky } from "./cell.ts";

// The task: to say which sign the input had two steps ago.
const [delay, rows, hidden, steps] = [2, 16, 24, 1200];

function* stream(seed: number) {
  const random = rng(seed, "signs");
  const past: Tensor[] = Array.from({ length: delay }, () => zeros([rows, 1]));
  for (let t = 0; t < steps; t++) {
    const signs = Float32Array.from({ length: rows }, () => (random.uniform() < 0.5 ? -1 : 1));
    const input = tensor(signs, { shape: [rows, 1] });
    past.push(input);
    yield { input, target: past.shift()! };
  }
}

const model = sequential({
  memory: leaky({ input: 1, hidden }),
  head: linear({ input: hidden, output: 1 }),
});
let params = initialParams(model, rng(1));
const optimizer = chain({ clip: clipByGlobalNorm(1), adam: adam({ learningRate: 1e-2 }) });
let state = optimizer.init(params);

// Windows of 8 new steps, whose gradient goes back over 16.
let window = 0;
let recent = 1;
const squaredError = (y: Tensor, target: Tensor) => y.sub(target).square().mean();
for (const { losses, gradients } of truncated(model, params, stream(1), {
  k1: 8,
  k2: 16,
  loss: squaredError,
})) {
  const [updates, next] = optimizer.update(gradients, state, params);
  params = applyUpdates(params, updates);
  state = next;
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  recent = 0.9 * recent + 0.1 * mean;
  if (++window % 50 === 0) console.log(\`window \${window}: squared error \${recent.toFixed(4)}\`);
}
console.log(\`squared error \${recent.toFixed(4)}; saying 0 each time gives 1\`);
`;
