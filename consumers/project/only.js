// Tensors that come from the entry points of nn and rnn alone have methods too.
import { rng } from "@chronograd/nn";
import { elman, initialParams } from "@chronograd/rnn";

const [first] = Object.values(initialParams(elman({ input: 1, hidden: 2 }), rng(1)));
console.log(`a parameter has ${first.add(1).sub(first).sum().item().toFixed(3)} ones`);
