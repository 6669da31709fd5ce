"""Functions of one, two or three operands, element by element."""

import torch
import torch.nn.functional as F

from record import case, uniform

INFINITY = float("inf")


def points(*values):
    return torch.tensor([float(v) for v in values])


def both(*values):
    return points(*[s * v for v in values for s in (1.0, -1.0)])


SMALL = both(1e-3, 1e-5, 1e-8, 1e-12, 1e-100)
LARGE = both(10, 30, 100, 700)
REAL = lambda: uniform(-3, 3, 2, 4)
POSITIVE = lambda: uniform(0.05, 5, 2, 4)
INSIDE = lambda: uniform(-0.98, 0.98, 2, 4)

# Name, PyTorch's function, and where: around 1, near 0, far away.
UNARY = [
    ("neg", torch.neg, REAL, SMALL, LARGE),
    ("abs", torch.abs, REAL, torch.cat([SMALL, points(0.0)]), LARGE),
    ("exp", torch.exp, REAL, SMALL, LARGE),
    ("expm1", torch.expm1, REAL, SMALL, LARGE),
    ("log", torch.log, POSITIVE, points(1e-3, 1e-8, 1e-100), points(30, 700, 1e100)),
    ("log1p", torch.log1p, lambda: uniform(-0.95, 4, 2, 4), SMALL, points(30, 700, 1e100)),
    ("sqrt", torch.sqrt, POSITIVE, points(1e-3, 1e-8, 1e-100), points(30, 700, 1e100)),
    ("rsqrt", torch.rsqrt, POSITIVE, points(1e-3, 1e-8, 1e-50), points(30, 700, 1e100)),
    ("square", torch.square, REAL, SMALL, LARGE),
    ("reciprocal", torch.reciprocal, POSITIVE, SMALL, LARGE),
    ("sin", torch.sin, REAL, SMALL, LARGE),
    ("cos", torch.cos, REAL, SMALL, LARGE),
    ("tan", torch.tan, lambda: uniform(-1.4, 1.4, 2, 4), SMALL, LARGE),
    ("asin", torch.asin, INSIDE, SMALL, both(0.99, 0.9999)),
    ("acos", torch.acos, INSIDE, SMALL, both(0.99, 0.9999)),
    ("atan", torch.atan, REAL, SMALL, LARGE),
    ("sinh", torch.sinh, REAL, SMALL, LARGE),
    ("cosh", torch.cosh, REAL, SMALL, LARGE),
    ("asinh", torch.asinh, REAL, SMALL, LARGE),
    ("acosh", torch.acosh, lambda: uniform(1.05, 5, 2, 4), points(1.001, 1.01), points(30, 700, 1e8)),
    ("atanh", torch.atanh, INSIDE, SMALL, both(0.99, 0.9999)),
    ("tanh", torch.tanh, REAL, SMALL, LARGE),
    ("erf", torch.erf, REAL, SMALL, both(5, 6, 30, 100)),
    ("sigmoid", torch.sigmoid, REAL, SMALL, LARGE),
    # PyTorch goes over to x above a threshold of 20, where the two still differ by 2e-9.
    ("softplus", lambda x: F.softplus(x, threshold=700), REAL, SMALL, LARGE),
    ("logSigmoid", F.logsigmoid, REAL, SMALL, LARGE),
    ("relu", torch.relu, REAL, torch.cat([SMALL, points(0.0)]), LARGE),
    ("gelu", F.gelu, REAL, SMALL, LARGE),
    ("silu", F.silu, REAL, SMALL, LARGE),
]
# What is left of 1 - tanh^2 and of 1 + erf has few exact digits; PyTorch's gelu(-10) is 0, and so
# is its slope of expm1 at -100.
NOT_RELATIVE = {("tanh", "far"), ("gelu", "far"), ("expm1", "far")}

STEPS = [
    ("sign", torch.sign),
    ("floor", torch.floor),
    ("ceil", torch.ceil),
    # Halves to even.
    ("round", torch.round),
]
ROUNDED = both(0.0, 0.3, 0.5, 1.5, 2.5, 1e9 + 0.5, 4503599627370497.0)

# At 0 itself PyTorch takes the derivative from the left and the library from the right; both are
# subgradients.
SCALED = [
    ("leakyRelu", lambda x: F.leaky_relu(x, 0.01), []),
    ("leakyRelu", lambda x: F.leaky_relu(x, 0.3), [0.3]),
    ("elu", lambda x: F.elu(x), []),
    ("elu", lambda x: F.elu(x, alpha=1.7), [1.7]),
    ("mul", lambda x: x * -2.5, [-2.5]),
    ("add", lambda x: x + 0.7, [0.7]),
]

BROADCASTS = [((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 2)), ((3, 1, 2), (2, 1))]
ANY = (-3, 3)
# Name, PyTorch's function, and where the operands lie.
BINARY = [
    ("add", torch.add, ANY, ANY),
    ("sub", torch.sub, ANY, ANY),
    ("mul", torch.mul, ANY, ANY),
    ("div", torch.div, ANY, (0.2, 3)),
    ("pow", torch.pow, (0.2, 3), ANY),
    ("maximum", torch.maximum, ANY, ANY),
    ("minimum", torch.minimum, ANY, ANY),
    ("atan2", torch.atan2, ANY, ANY),
    ("hypot", torch.hypot, ANY, ANY),
]
GRID = [torch.cartesian_prod(*[points(-2, -1, -0.0, 1, 3)] * 2)[:, i] for i in range(2)]
COMPARISONS = [
    ("less", torch.lt),
    ("lessEqual", torch.le),
    ("greater", torch.gt),
    ("greaterEqual", torch.ge),
    ("equal", torch.eq),
    ("notEqual", torch.ne),
]


def unary():
    for name, f, around, near, far in UNARY:
        for label, x in [("around 1", around()), ("near 0", near), ("far", far)]:
            yield case(label, name, f, {"x": x}, relative=label != "around 1" and (name, label) not in NOT_RELATIVE)
    for name, f in STEPS:
        yield case("halves and wholes", name, f, {"x": ROUNDED})
        yield case("around 1", name, f, {"x": REAL()})
    for name, f, args in SCALED:
        yield case(f"around 1 {args}", name, f, {"x": REAL()}, ["$x", *args])
        yield case(f"far {args}", name, f, {"x": LARGE}, ["$x", *args])


def binary():
    for name, f, first, second in BINARY:
        for left, right in BROADCASTS:
            inputs = {"a": uniform(*first, *left), "b": uniform(*second, *right)}
            yield case(f"{list(left)} and {list(right)}", name, f, inputs)
        x = uniform(*first, 4)
        yield case("a number on the right", name, lambda x: f(x, torch.tensor(1.3)), {"x": x}, ["$x", 1.3])
        x = uniform(*second, 4)
        yield case("a number on the left", name, lambda x: f(torch.tensor(1.3), x), {"x": x}, [1.3, "$x"])
    # Every sign against every sign, and ties.
    for name, f in [("maximum", torch.maximum), ("minimum", torch.minimum), ("mul", torch.mul), ("sub", torch.sub)]:
        yield case("signs and ties", name, f, {"a": GRID[0], "b": GRID[1]})
    away = GRID[1] != 0
    for name, f in [("div", torch.div), ("atan2", torch.atan2), ("hypot", torch.hypot)]:
        yield case("signs", name, f, {"a": GRID[0][away], "b": GRID[1][away]})
    yield case("far apart", "hypot", torch.hypot, {"a": points(3e200, 1e-200, 1e8), "b": points(4e200, 1, 1e-8)})
    yield case("far apart", "atan2", torch.atan2, {"a": points(1e100, 1e-100, 1e8), "b": points(-1, -1, 1e-8)})
    yield case("far apart", "div", torch.div, {"a": points(1e100, 1e-100, 1e8), "b": points(-1e-50, 1e50, 1e8)})
    for power in [-2.0, 0.0, 1.0, 2.0, 3.0]:
        x = points(-2, -1, -0.3, 0.3, 1, 2)
        yield case(f"of both signs to {power:g}", "pow", lambda x: torch.pow(x, power), {"x": x}, ["$x", power])
    zero = {"a": points(0, 0, 0, 2), "b": points(0, 1, 2, 0)}
    yield case("zeros", "pow", torch.pow, zero)
    for name, f in COMPARISONS:
        yield case("signs and ties", name, lambda a, b: f(a, b).double(), {"a": GRID[0], "b": GRID[1]})
        inputs = {"a": uniform(-3, 3, 3, 1), "b": uniform(-3, 3, 4)}
        yield case("[3,1] and [4]", name, lambda a, b: f(a, b).double(), inputs)


def select():
    pick = lambda c, a, b: torch.where(c != 0, a, b)
    condition = torch.tensor([[1, 0, 1], [0, 0, 1]])
    ab = lambda *shapes: {name: uniform(-3, 3, *shape) for name, shape in zip("ab", shapes)}
    yield case("same shapes", "where", pick, {"c": condition, **ab((2, 3), (2, 3))})
    yield case("values stretched", "where", pick, {"c": condition, **ab((), (2, 1))})
    yield case("condition stretched", "where", pick, {"c": condition[0], **ab((2, 3), (4, 1, 3))})
    number = lambda c, a: torch.where(c != 0, a, 0.25)
    yield case("a number", "where", number, {"c": condition, "a": REAL()[:2, :3]}, ["$c", "$a", 0.25])
    for low, high in [(-1.0, 2.0), (-INFINITY, 0.5), (-0.5, INFINITY), (1.0, 1.0)]:
        # The limits themselves let the gradient through.
        x = torch.cat([uniform(-3, 3, 8), points(-1, 2, 0.5, -0.5, 1)])
        f = lambda x: torch.clamp(x, None if low == -INFINITY else low, None if high == INFINITY else high)
        limits = [str(v).replace("inf", "Infinity") if abs(v) == INFINITY else v for v in (low, high)]
        yield case(f"to [{low}, {high}]", "clip", f, {"x": x}, ["$x", *limits])


def cases():
    return [*unary(), *binary(), *select()]
