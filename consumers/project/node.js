// What only Node has: a run on two threads.
import { tensor } from "@chronograd/autodiff";
import { runWorkers } from "@chronograd/nn/node";
import { train } from "./train.js";

const twice =
  "data:text/javascript,export default (all, x) => all.allReduce({ x }).x.mul(all.rank + 1)";
const sums = await runWorkers(twice, { workers: 2, input: tensor([1, 2]) });
const found = JSON.stringify(sums.map((x) => x.toArray()));
if (found !== "[[2,4],[4,8]]") throw new Error(`runWorkers: expected [[2,4],[4,8]], got ${found}`);
console.log(train());
