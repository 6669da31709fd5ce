// A program whose ranks exchange trees until one of them fails:
//   node failing.ts RANK WAY EXCHANGE
// RANK (or all) fails in that WAY before that exchange.
import { tensor } from "@chronograd/autodiff";
import { mpi } from "../../../src/node.ts";

const [who = "", way = "", exchange = "0"] = process.argv.slice(2);
const communicator = mpi();
const { rank } = communicator;
const isMe = who === "all" || Number(who) === rank;

const ways: Readonly<Record<string, () => unknown>> = {
  throw: () => {
    throw new RangeError("the data are torn");
  },
  reject: () => void Promise.reject(new RangeError("the data are torn")),
  exit: () => process.exit(3),
  code: () => {
    process.exitCode = 4;
    process.exit();
  },
  return: () => process.exit(),
  kill: () => process.kill(process.pid, "SIGKILL"),
  shape: () => communicator.allReduce([1, 2]),
  order: () => communicator.barrier(),
};

for (let i = 0; i < 40; i++) {
  if (isMe && i === Number(exchange)) ways[way]!();
  // A rejection is noticed between turns of the event loop.
  await new Promise((next) => setImmediate(next));
  communicator.allReduce({ loss: 1, gradient: tensor(new Float32Array(3000)) });
}
if (communicator.rank === 0) console.log("all is done");
