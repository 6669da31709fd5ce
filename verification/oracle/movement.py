"""Ops that move elements: shapes, joins, windows, indices."""

import torch
import torch.nn.functional as F

from record import case, uniform


def one(label, call, f, shape, *args):
    return case(label, call, f, {"x": uniform(-3, 3, *shape)}, ["$x", *args])


def several(label, call, f, shapes, *args):
    inputs = {name: uniform(-3, 3, *shape) for name, shape in zip("abc", shapes)}
    return case(label, call, lambda *xs: f(xs), inputs, [[f"${name}" for name in inputs], *args])


def shapes():
    yield one("to [4,3]", "reshape", lambda x: x.reshape(4, 3), (2, 6), [4, 3])
    yield one("to [-1]", "reshape", lambda x: x.reshape(-1), (2, 3), [-1])
    yield one("axis 1", "squeeze", lambda x: x.squeeze(1), (2, 1, 3), 1)
    yield one("all", "squeeze", lambda x: x.squeeze(), (1, 2, 1))
    yield one("axis -1", "expandDims", lambda x: x.unsqueeze(-1), (2, 3), -1)
    yield one("reversed", "transpose", lambda x: x.permute(2, 1, 0), (2, 3, 4))
    yield one("[1,2,0]", "transpose", lambda x: x.permute(1, 2, 0), (2, 3, 4), [1, 2, 0])
    yield one("[0,2,1,3]", "transpose", lambda x: x.permute(0, 2, 1, 3), (2, 3, 2, 2), [0, 2, 1, 3])
    yield one("to [3,2,4]", "broadcastTo", lambda x: x.expand(3, 2, 4), (2, 1), [3, 2, 4])
    yield one("[2,1]", "tile", lambda x: x.tile(2, 1), (2, 3), [2, 1])
    yield one("[3,2]", "tile", lambda x: x.tile(3, 2), (2,), [3, 2])
    yield one("axis 1", "flip", lambda x: x.flip(1), (2, 3), 1)
    yield one("all", "flip", lambda x: x.flip(0, 1), (2, 3))
    yield one("a copy", "clone", lambda x: x.clone(), (2, 3))
    yield one("a copy", "detach", lambda x: x.detach() + 0 * x, (2, 3))
    # PyTorch slices forwards only: a backward step is a forward slice turned round.
    yield one("[:, 1:-1, -1]", "slice", lambda x: x[:, 1:-1, -1], (2, 4, 3), [None, [1, -1], -1])
    yield one("[1:, ::2]", "slice", lambda x: x[1:, ::2], (3, 5), [[1], [None, None, 2]])
    yield one("[0, ::-1]", "slice", lambda x: x[0].flip(0), (3, 5), [0, [None, None, -1]])
    yield one("[::-2]", "slice", lambda x: x.flip(0)[::2], (6,), [[None, None, -2]])
    widths = [[1, 2], [0, 3]]
    yield one("by 0", "pad", lambda x: F.pad(x, (0, 3, 1, 2)), (2, 3), widths)
    yield one("by 1.5", "pad", lambda x: F.pad(x, (0, 3, 1, 2), value=1.5), (2, 3), widths, 1.5)


def joins():
    yield several("axis 0", "concat", lambda xs: torch.cat(xs), [(2, 3), (1, 3), (4, 3)])
    yield several("axis -1", "concat", lambda xs: torch.cat(xs, -1), [(2, 3), (2, 1)], -1)
    yield several("axis 0", "stack", lambda xs: torch.stack(xs), [(2, 3)] * 3)
    yield several("axis 2", "stack", lambda xs: torch.stack(xs, 2), [(2, 3)] * 2, 2)
    yield one("in 3", "split", lambda x: x.split(2, -1), (2, 6), 3, -1)
    yield one("[1,3,2]", "split", lambda x: x.split([1, 3, 2]), (6, 2), [1, 3, 2])


def indices():
    twice = torch.tensor([3, 0, 3, 1, 3])
    square = torch.tensor([[2, 0], [2, 2]])
    x = uniform(-3, 3, 4, 3)
    yield case("rows, one of them thrice", "gather", lambda x, i: x[i], {"x": x, "i": twice})
    yield case("rows [2,2]", "gather", lambda x, i: x[i], {"x": x, "i": square})
    yield case("columns [2,2]", "gather", lambda x, i: x[:, i], {"x": x, "i": square}, ["$x", "$i", 1])
    add = lambda x, i, g: x.index_add(0, i, g)
    yield case("rows, one of them thrice", "scatterAdd", add, {"x": x, "i": twice, "g": uniform(-3, 3, 5, 3)})
    add = lambda x, i, g: x.index_add(1, i, g)
    inputs = {"x": x, "i": torch.tensor([2, 2, 0, 2]), "g": uniform(-3, 3, 4, 4)}
    yield case("columns", "scatterAdd", add, inputs, ["$x", "$i", "$g", 1])
    hot = lambda i: F.one_hot(i, 4).double()
    yield case("[5] of 4", "oneHot", hot, {"i": twice}, ["$i", 4, {"dtype": "float64"}])


def cases():
    return [*shapes(), *joins(), *indices()]
