// Tensors that come from the doors of nn and rnn alone have methods too.
import { stream } from "@chronograd/nn";
import { elman, initialParams } from "@chronograd/rnn";

const [first] = Object.values(initialParams(elman({ input: 1, hidden: 2 }), stream(1)));
console.log(`a parameter has ${first.add(1).sub(first).sum().item().toFixed(3)} ones`);
