"""Array functions: orders and what is picked by them, questions with the answer 0 or 1, running
products, remainders."""

import torch
import torch.nn.functional as F

from record import case, uniform

INFINITY = float("inf")
NAN = float("nan")


def one(label, call, f, shape, *args):
    return case(label, call, f, {"x": uniform(-3, 3, *shape)}, ["$x", *args])


def orders():
    tied = torch.tensor([[2.0, 1, 2, 0, 1], [0.0, -0.0, 3, 3, NAN]])
    for shape, axis in [((7,), 0), ((2, 3, 4), 1), ((2, 21), -1), ((5, 2), 0)]:
        for down in [False, True]:
            options = [axis, {"descending": down}]
            f = lambda x: torch.sort(x, dim=axis, descending=down, stable=True)[0]
            yield one(f"{list(shape)}, {axis}, {down}", "sort", f, shape, *options)
            f = lambda x: torch.sort(x.detach(), dim=axis, descending=down, stable=True)[1]
            yield one(f"{list(shape)}, {axis}, {down}", "argsort", f, shape, *options)
        for largest in [True, False]:
            yield case(
                f"{list(shape)}, {axis}, {largest}",
                "topk",
                lambda x: torch.topk(x, 2, axis, largest=largest),
                {"x": uniform(-3, 3, *shape)},
                ["$x", 2, axis, {"largest": largest}],
            )
    for down in [False, True]:
        f = lambda x: torch.sort(x.detach(), dim=-1, descending=down, stable=True)[1]
        yield case(f"ties and NaN, {down}", "argsort", f, {"x": tied}, ["$x", -1, {"descending": down}])
    i = torch.tensor([[2, 0, 2, 1], [1, 1, 0, 2]])
    take = lambda x, i: torch.take_along_dim(x, i, 1)
    yield case("axis 1", "takeAlongAxis", take, {"x": uniform(-3, 3, 2, 3), "i": i}, ["$x", "$i", 1])
    i = torch.tensor([[[1, 0]], [[2, 2]]])
    yield case("axis 1 of 3", "takeAlongAxis", take, {"x": uniform(-3, 3, 2, 3, 2), "i": i}, ["$x", "$i", 1])
    x, i = uniform(-3, 3, 2, 3, 4), torch.tensor([[3, 0, 3], [1, 1, 2]])
    batched = lambda x, i: torch.stack([x[b][:, i[b]] for b in range(2)])
    yield case("in a batch, axis 2", "gather", batched, {"x": x, "i": i}, ["$x", "$i", 2, {"batchDims": 1}])
    batched = lambda x, i: torch.stack([x[b][i[b]] for b in range(2)])
    i = torch.tensor([[[2, 0], [0, 0]], [[1, 1], [1, 2]]])
    yield case("in a batch, axis 1", "gather", batched, {"x": x, "i": i}, ["$x", "$i", 1, {"batchDims": 1}])
    added = lambda x, i, g: torch.stack([x[b].index_add(1, i[b], g[b]) for b in range(2)])
    inputs = {"x": x, "i": torch.tensor([[3, 0, 3], [1, 1, 2]]), "g": uniform(-3, 3, 2, 3, 3)}
    yield case("in a batch", "scatterAdd", added, inputs, ["$x", "$i", "$g", 2, {"batchDims": 1}])


def questions():
    grid = [torch.cartesian_prod(*[torch.tensor([0.0, -0.0, 1, -2, NAN])] * 2)[:, i] for i in range(2)]
    for name, f in [("logicalAnd", torch.logical_and), ("logicalOr", torch.logical_or), ("logicalXor", torch.logical_xor)]:
        yield case("a grid", name, lambda a, b: f(a, b).double(), dict(zip("ab", grid)))
    odd = torch.tensor([0.0, -0.0, 1, NAN, INFINITY, -INFINITY, 1e308])
    for name, f in [("logicalNot", torch.logical_not), ("isNaN", torch.isnan), ("isFinite", torch.isfinite)]:
        yield case("odd numbers", name, lambda x: f(x).double(), {"x": odd})
    rows = torch.tensor([[1.0, 2, 3], [0.0, 1, 1], [0.0, 0, 0], [NAN, 1, 1]])
    for name, f in [("all", torch.all), ("any", torch.any)]:
        yield case("rows", name, lambda x: f(x, 1).double(), {"x": rows}, ["$x", 1])
        yield case("all of them", name, lambda x: f(x).double(), {"x": rows})


def functions():
    for name, f in [("log2", torch.log2), ("log10", torch.log10)]:
        yield case("around 1", name, f, {"x": uniform(0.05, 5, 2, 4)})
        yield case("near 0 and far", name, f, {"x": torch.tensor([1e-3, 1e-100, 700.0, 1e100])}, relative=True)
    for a, b in [((2, 3), (3,)), ((2, 1), (1, 3))]:
        inputs = {"a": uniform(-9, 9, *a), "b": torch.sign(uniform(-1, 1, *b)) * uniform(0.5, 3, *b)}
        yield case(f"{list(a)} and {list(b)}", "mod", torch.remainder, inputs)
    for approximate in ["none", "tanh"]:
        f = lambda x: F.gelu(x, approximate=approximate)
        for label, x in [("around 1", uniform(-3, 3, 2, 4)), ("far", torch.tensor([-30.0, -5, 5, 30]))]:
            yield case(f"{label}, {approximate}", "gelu", f, {"x": x}, ["$x", {"approximate": approximate}])


def along_axes():
    for shape, axis in [((5,), 0), ((2, 3, 4), 1), ((21, 2), 0)]:
        x = uniform(-2, 2, *shape)
        yield case(f"{list(shape)} along {axis}", "cumprod", lambda x: x.cumprod(axis), {"x": x}, ["$x", axis])
        f = lambda x: x.flip(axis).cumprod(axis).flip(axis)
        yield case(f"{list(shape)}, reversed", "cumprod", f, {"x": x}, ["$x", axis, {"reverse": True}])
    yield case("zeros", "cumprod", lambda x: x.cumprod(0), {"x": torch.tensor([2.0, 0, 3, 0, 1])}, ["$x", 0])
    for axes in [0, 1, [0, 2]]:
        for correction in [0, 1]:
            f = lambda x: x.std(axes, unbiased=correction == 1)
            args = ["$x", axes, {"correction": correction}]
            yield case(f"axes {axes}, {correction}", "std", f, {"x": uniform(-3, 3, 3, 2, 4)}, args)
    yield case("equal ones", "std", lambda x: x.std(1, unbiased=False), {"x": torch.full((2, 3), 1.5)}, ["$x", 1])
    for name, f in [("softmax", F.softmax), ("logSoftmax", F.log_softmax)]:
        together = lambda x: f(x.permute(1, 0, 2).reshape(3, 8), 1).reshape(3, 2, 4).permute(1, 0, 2)
        yield one("axes 0 and 2", name, together, (2, 3, 4), [0, 2])
    inputs = {"x": uniform(-3, 3, 2, 3, 4), "gain": uniform(-1, 1, 3, 4), "bias": uniform(-1, 1, 3, 4)}
    f = lambda x, gain, bias: F.layer_norm(x, (3, 4), gain, bias, 0.1)
    yield case("axes 1 and 2", "layerNormalize", f, inputs, ["$x", "$gain", "$bias", 0.1, [1, 2]])
    inputs = {"x": uniform(-3, 3, 4, 3), "gain": uniform(-1, 1, 4), "bias": uniform(-1, 1, 4)}
    f = lambda x, gain, bias: F.layer_norm(x.T, (4,), gain, bias, 0.1).T
    yield case("axis 0", "layerNormalize", f, inputs, ["$x", "$gain", "$bias", 0.1, 0])


def arrangements():
    yield one("twice", "repeat", lambda x: x.repeat_interleave(2, 1), (2, 3), 2, 1)
    counts = torch.tensor([2, 0, 3])
    yield one("[2,0,3]", "repeat", lambda x: x.repeat_interleave(counts, 0), (3, 2), [2, 0, 3])
    yield one("by 2", "roll", lambda x: x.roll(2, 0), (5, 2), 2)
    yield one("by -1 and 4", "roll", lambda x: x.roll((-1, 4), (0, 1)), (3, 3), [-1, 4], [0, 1])
    for offset in [0, 1, -2]:
        yield one(f"of a matrix, {offset}", "diag", lambda x: x.diag(offset), (3, 4), offset)
        yield one(f"of a vector, {offset}", "diag", lambda x: x.diag(offset), (3,), offset)
    yield one("axes 0 and -1", "squeeze", lambda x: x.squeeze(-1).squeeze(0), (1, 3, 1), [0, -1])
    for equation, *shapes in [
        ("...ij,jk->...ik", (2, 2, 3), (3, 2)),
        ("...ij,...jk->...ik", (4, 1, 2, 3), (2, 3, 2)),
        ("i...,i->...", (3, 2, 2), (3,)),
        ("...ii->...i", (2, 3, 3)),
        ("...i,...i", (2, 3), (2, 3)),
    ]:
        inputs = {name: uniform(-2, 2, *shape) for name, shape in zip("ab", shapes)}
        args = [equation, *[f"${name}" for name in inputs]]
        yield case(equation, "einsum", lambda *xs: torch.einsum(equation, *xs), inputs, args)


def cases():
    return [*orders(), *questions(), *functions(), *along_axes(), *arrangements()]
