"""Layers; weights stand as the library stores them, W [input, output]."""

import torch
import torch.nn.functional as F

from record import case, uniform


def linear():
    for shape in [(2, 3), (3,), (4, 2, 3)]:
        inputs = {"x": uniform(-2, 2, *shape), "W": uniform(-1, 1, 3, 5), "b": uniform(-1, 1, 5)}
        f = lambda x, W, b: F.linear(x, W.T, b)
        yield case(f"{list(shape)} to 5", "linear", f, inputs, [{"input": 3, "output": 5}])
        del inputs["b"]
        f = lambda x, W: F.linear(x, W.T)
        options = {"input": 3, "output": 5, "bias": False}
        yield case(f"{list(shape)} to 5, no bias", "linear", f, inputs, [options])


def embedding():
    for label, x in [
        ("[5], row 2 thrice", torch.tensor([2, 0, 2, 3, 2])),
        ("[2,3], row 1 twice", torch.tensor([[1, 0, 4], [3, 1, 0]])),
    ]:
        inputs = {"x": x, "table": uniform(-1, 1, 5, 3)}
        yield case(label, "embedding", lambda x, table: F.embedding(x, table), inputs, [{"input": 5, "output": 3}])


def layer_norm():
    for shape, epsilon in [((2, 3, 5), 1e-5), ((4, 5), 0.1), ((37,), 1e-5), ((2, 2), 1e-12)]:
        n = shape[-1]
        inputs = {"x": uniform(-3, 3, *shape), "gain": uniform(-2, 2, n), "bias": uniform(-2, 2, n)}
        f = lambda x, gain, bias: F.layer_norm(x, (n,), gain, bias, epsilon)
        yield case(f"{list(shape)}, {epsilon}", "layerNorm", f, inputs, [{"input": n, "epsilon": epsilon}])
    inputs = {"x": torch.full((2, 3), 1.5), "gain": uniform(-2, 2, 3), "bias": uniform(-2, 2, 3)}
    f = lambda x, gain, bias: F.layer_norm(x, (3,), gain, bias, 1e-5)
    yield case("all equal", "layerNorm", f, inputs, [{"input": 3, "epsilon": 1e-5}])
    inputs["x"] = 1e3 + uniform(-1, 1, 2, 3)
    yield case("far from 0", "layerNorm", f, inputs, [{"input": 3, "epsilon": 1e-5}])


def cases():
    return [*linear(), *embedding(), *layer_norm()]
