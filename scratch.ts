import { tensor, compile, defaultBackend } from "@chronograd/autodiff";
import { adam, applyUpdates, chain, clipByGlobalNorm, rng, crossEntropy, linear } from "@chronograd/nn";
import { initialParams, lstm, sequential, truncated } from "@chronograd/rnn";
const [H, B, T] = (process.argv[2] ?? "128,32,50").split(",").map(Number);
const V = 65;
function make(threads: any) {
  const cell = sequential([lstm({ input: V, hidden: H }), linear({ input: H, output: V })] as any) as any;
  let params = initialParams(cell, rng(1)) as any;
  const r = rng(2);
  const oneHot = Array.from({length: T}, () => { const a = new Float32Array(B*V); for (let b=0;b<B;b++) a[b*V+Math.floor(r.uniform()*V)]=1; return tensor(a,{shape:[B,V]}); });
  const targets = Array.from({length: T}, () => tensor(Int32Array.from({length:B},()=>Math.floor(r.uniform()*V))));
  function* steps(): any { for (;;) for (let t=0;t<T;t++) yield { input: oneHot[t], target: targets[t] }; }
  const windows = truncated(cell, () => params, steps(), { k1: T, k2: T, compile: true, threads, reduction: "mean", loss: (y: any, t: any) => crossEntropy(y, t, { reduction: "none" }) } as any);
  const opt = chain({ clip: clipByGlobalNorm(1), adam: adam({ learningRate: 1e-3 }) } as any);
  let state = opt.init(params);
  let last: any;
  const update = compile((g: any, s: any, p: any) => { const [u, n] = opt.update(g, s, p); return [applyUpdates(p, u), n]; });
  const step = () => { const w: any = windows.next().value; last = w; const loss = w.loss; [params, state] = update(w.gradients, state, params) as any; return loss; };
  return { step, explain: () => last.explain() };
}
const runs: any = { one: make(1), two: make(2), auto: make("auto") };
const times: any = { one: [], two: [], auto: [] };
for (let i = 0; i < 60; i++) for (const k of Object.keys(runs)) { const t = performance.now(); const l = runs[k].step(); times[k].push(performance.now() - t); if (i === 59) console.log(k, l); }
const med = (a: number[]) => a.slice(20).sort((x, y) => x - y)[20]!;
for (const k of Object.keys(runs)) console.log(k, med(times[k]).toFixed(3), "ms", (med(times.one) / med(times[k])).toFixed(2));
for (const k of Object.keys(runs)) console.log(k, runs[k].explain());
