"""Reductions along axes, with ties and zeros, and running sums."""

import torch

from record import case, uniform

AXES = [None, 1, -1, [0, 2]]


def axes_of(x, axes):
    listed = range(x.dim()) if axes is None else [axes] if isinstance(axes, int) else axes
    return tuple(axis % x.dim() for axis in listed)


def product(x, axes, keep):
    for axis in sorted(axes, reverse=True):
        x = x.prod(axis, keepdim=keep)
    return x


REDUCTIONS = [
    ("sum", lambda x, axes, keep: x.sum(axes, keepdim=keep)),
    ("mean", lambda x, axes, keep: x.mean(axes, keepdim=keep)),
    ("prod", product),
    ("max", lambda x, axes, keep: x.amax(axes, keepdim=keep)),
    ("min", lambda x, axes, keep: x.amin(axes, keepdim=keep)),
    ("logSumExp", lambda x, axes, keep: x.logsumexp(axes, keepdim=keep)),
    ("variance", lambda x, axes, keep: x.var(axes, unbiased=False, keepdim=keep)),
    ("norm", lambda x, axes, keep: torch.linalg.vector_norm(x, 2, axes, keepdim=keep)),
]


def arguments(axes, **options):
    return ["$x", *([] if axes is None and not options else [axes]), *([options] if options else [])]


def reduction(name, f, label, x, axes, keep=False, **options):
    if keep:
        options["keepDims"] = True
    args = arguments(list(range(x.dim())) if axes is None and options else axes, **options)
    where = "all" if axes is None else f"axes {axes}"
    kept = ", kept" if keep else ""
    return case(f"{label}, {where}{kept}", name, lambda x: f(x, axes_of(x, axes), keep), {"x": x}, args)


def few(*shape):
    """Draws from few numbers, so that many are equal."""
    return torch.randint(-1, 3, shape).double()


def everywhere():
    for name, f in REDUCTIONS:
        for axes in AXES:
            yield reduction(name, f, "[2,3,4]", uniform(-3, 3, 2, 3, 4), axes)
        for axes in [None, [0, -1], 1]:
            yield reduction(name, f, "[3,2,2]", uniform(-3, 3, 3, 2, 2), axes, keep=True)
        # Longer than any vector register, and no multiple of one.
        yield reduction(name, f, "[2,21]", uniform(-2, 2, 2, 21), 1)
        yield reduction(name, f, "[21,2]", uniform(-2, 2, 21, 2), 0)
        yield reduction(name, f, "[]", uniform(-3, 3), None)


def special():
    by_name = dict(REDUCTIONS)
    for name in ["max", "min", "norm", "logSumExp", "variance"]:
        for axes in [None, 1, [0, 2]]:
            yield reduction(name, by_name[name], "ties", few(3, 5, 2), axes)
    zeros = torch.tensor([[2.0, 0.0, 3.0], [0.0, 0.0, 5.0], [0.0, 0.0, 0.0], [1.5, -2.0, 4.0]])
    yield reduction("prod", product, "zeros", zeros, 1)
    yield reduction("prod", product, "zeros", zeros, 0)
    yield reduction("prod", product, "one zero", zeros[[0, 3]], None)
    yield reduction("norm", by_name["norm"], "zero rows", zeros, 1)
    yield reduction("norm", by_name["norm"], "huge and tiny", torch.tensor([[3e150, 4e150], [3e-150, 4e-150]]), 1)
    far = torch.tensor([[1000.0, 1000, 999], [-1000, -1001, -3000], [float("-inf"), 0, 2], [700, -700, 0]])
    yield reduction("logSumExp", by_name["logSumExp"], "far", far, 1)
    for axes in [None, 0, [0, 2]]:
        f = lambda x, axes, keep: x.var(axes, unbiased=True, keepdim=keep)
        yield reduction("variance", f, "unbiased", uniform(-3, 3, 3, 2, 4), axes, correction=1)
    yield reduction("variance", by_name["variance"], "far from 0", 1e4 + uniform(-1, 1, 2, 6), 1)
    for order in [1, float("inf")]:
        f = lambda x, axes, keep: torch.linalg.vector_norm(x, order, axes, keepdim=keep)
        written = 1 if order == 1 else "Infinity"
        for axes in [None, 1, [0, 2]]:
            yield reduction("norm", f, f"order {order}", few(2, 3, 4), axes, order=written)
            yield reduction("norm", f, f"order {order}", uniform(-3, 3, 2, 3, 4), axes, keep=True, order=written)


def along_one_axis():
    for shape, axis in [((5,), 0), ((2, 3, 4), 1), ((2, 3, 4), -1), ((21, 2), 0)]:
        x = uniform(-3, 3, *shape)
        label = f"{list(shape)} along {axis}"
        yield case(label, "cumsum", lambda x: x.cumsum(axis), {"x": x}, ["$x", axis])
        f = lambda x: x.flip(axis).cumsum(axis).flip(axis)
        yield case(f"{label}, reversed", "cumsum", f, {"x": x}, ["$x", axis, {"reverse": True}])
        # PyTorch does not say which of equals it takes, so there are none here.
        for name, f in [("argmax", torch.argmax), ("argmin", torch.argmin)]:
            yield case(label, name, lambda x: f(x, axis), {"x": x}, ["$x", axis])
            yield case(f"{label}, all", name, lambda x: f(x), {"x": x})


def cases():
    return [*everywhere(), *special(), *along_one_axis()]
