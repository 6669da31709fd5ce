// CommonJS may ask for modules, from Node 20.19 on.
const { tensor } = require("@chronograd/autodiff");

if (tensor([1, 2]).add(1).sum().item() !== 5) throw new Error("required: 2 + 3 is 5");
