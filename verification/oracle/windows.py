"""Ops of windows that move over images: convolutions, pools, columns."""

import torch
import torch.nn.functional as F

from record import case, uniform


def conv(label, name, x, weight, **options):
    """`groups` and so on as both libraries call them."""
    f = getattr(F, name)
    inputs = {"x": uniform(-2, 2, *x), "weight": uniform(-1, 1, *weight)}
    args = ["$x", "$weight", options] if options else None
    return case(label, name, lambda x, w: f(x, w, **options), inputs, args)


def convolutions():
    yield conv("plain", "conv1d", (2, 3, 7), (4, 3, 3))
    yield conv("strided, padded, dilated", "conv1d", (2, 2, 9), (3, 2, 3), stride=2, padding=2, dilation=3)
    yield conv("groups", "conv1d", (1, 6, 5), (9, 2, 2), groups=3)
    yield conv("each channel alone", "conv1d", (2, 4, 6), (4, 1, 3), groups=4, padding=1)
    yield conv("same, odd padding", "conv1d", (1, 2, 6), (2, 2, 4), padding="same")
    yield conv("same, dilated", "conv1d", (1, 2, 6), (2, 2, 3), padding="same", dilation=3)
    yield conv("valid", "conv1d", (1, 2, 6), (2, 2, 3), padding="valid", stride=2)
    yield conv("plain", "conv2d", (2, 3, 5, 6), (4, 3, 3, 2))
    yield conv("padded", "conv2d", (2, 2, 4, 4), (3, 2, 3, 3), padding=1)
    yield conv("points", "conv2d", (2, 3, 3, 2), (4, 3, 1, 1))
    yield conv("points, strided and padded", "conv2d", (1, 2, 3, 4), (2, 2, 1, 1), stride=2, padding=1)
    pairs = {"stride": [2, 1], "padding": [1, 2], "dilation": [1, 3]}
    yield conv("pairs", "conv2d", (1, 2, 6, 7), (3, 2, 2, 3), **pairs)
    yield conv("pairs in groups", "conv2d", (2, 4, 5, 6), (6, 2, 3, 2), groups=2, **pairs)
    yield conv("each channel alone", "conv2d", (1, 3, 5, 4), (6, 1, 3, 3), groups=3, padding=1, stride=2)
    yield conv("same, odd padding", "conv2d", (1, 2, 4, 5), (2, 2, 2, 3), padding="same")
    yield conv("same, dilated", "conv2d", (1, 1, 5, 6), (2, 1, 4, 2), padding="same", dilation=[1, 3])
    yield conv("the last rows are not reached", "conv2d", (1, 1, 6, 5), (1, 1, 2, 2), stride=3)


def pool(label, name, torch_name, x, size, **options):
    f = getattr(F, torch_name)
    args = ["$x", size, options] if options else ["$x", size]
    return case(label, name, lambda x: f(x, size, **options), {"x": uniform(-3, 3, *x)}, args)


def pools():
    for name, torch_name in (("maxPool", "max_pool"), ("averagePool", "avg_pool")):
        one = lambda label, *args, **options: pool(label, f"{name}1d", f"{torch_name}1d", *args, **options)
        two = lambda label, *args, **options: pool(label, f"{name}2d", f"{torch_name}2d", *args, **options)
        yield one("by 2", (2, 3, 7), 2)
        yield one("overlapping", (2, 2, 8), 3, stride=2, padding=1)
        yield two("by 2", (2, 3, 5, 6), 2)
        yield two("overlapping", (1, 2, 6, 5), 3, stride=1, padding=1)
        yield two("pairs", (2, 1, 6, 7), [3, 2], stride=[2, 3], padding=[1, 0])


def columns():
    moves = {"stride": [2, 1], "padding": [1, 0], "dilation": [1, 2]}
    x = uniform(-3, 3, 2, 2, 4, 5)
    yield case("by 2", "unfold", lambda x: F.unfold(x, 2), {"x": x}, ["$x", 2])
    yield case("all options", "unfold", lambda x: F.unfold(x, [3, 2], **moves), {"x": x}, ["$x", [3, 2], moves])
    y = uniform(-3, 3, 2, 8, 12)
    yield case("by 2", "fold", lambda y: F.fold(y, [4, 5], 2), {"y": y}, ["$y", [4, 5], 2])
    y = uniform(-3, 3, 2, 12, 6)
    f = lambda y: F.fold(y, [4, 5], [3, 2], **moves)
    yield case("all options", "fold", f, {"y": y}, ["$y", [4, 5], [3, 2], moves])


def cases():
    return [*convolutions(), *pools(), *columns()]
