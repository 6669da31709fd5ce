"""The values and derivatives of PyTorch and JAX at special points, in float64: python
verification/special/peers.py > verification/special/fixtures/peers.json"""

import json
import math
import warnings

import jax
import jax.numpy as jnp
import numpy
import torch
import torch.nn.functional as F

warnings.filterwarnings("ignore")
jax.config.update("jax_enable_x64", True)
INF, NAN, HUGE, TINY = math.inf, math.nan, 1e200, 1e-200

EVERYWHERE = [0.0, -0.0, INF, -INF, NAN, HUGE, -HUGE, TINY]
INSIDE = [0.0, -0.0, 1.0, -1.0, 2.0, NAN, TINY]
ABOVE = [0.0, -0.0, -1.0, INF, NAN, HUGE, TINY]

# Name, PyTorch's function, JAX's, points.
UNARY = [
    ("neg", torch.neg, jnp.negative, EVERYWHERE),
    ("abs", torch.abs, jnp.abs, EVERYWHERE),
    ("exp", torch.exp, jnp.exp, EVERYWHERE),
    ("expm1", torch.expm1, jnp.expm1, [*EVERYWHERE, -50.0]),
    ("log", torch.log, jnp.log, ABOVE),
    ("log1p", torch.log1p, jnp.log1p, [*EVERYWHERE, -1.0, -2.0]),
    ("sqrt", torch.sqrt, jnp.sqrt, ABOVE),
    ("rsqrt", torch.rsqrt, jax.lax.rsqrt, ABOVE),
    ("square", torch.square, jnp.square, EVERYWHERE),
    ("reciprocal", torch.reciprocal, jnp.reciprocal, EVERYWHERE),
    ("sin", torch.sin, jnp.sin, [0.0, -0.0, INF, NAN, TINY]),
    ("cos", torch.cos, jnp.cos, [0.0, -0.0, INF, NAN, TINY]),
    ("tan", torch.tan, jnp.tan, [0.0, -0.0, INF, NAN, TINY]),
    ("asin", torch.asin, jnp.arcsin, INSIDE),
    ("acos", torch.acos, jnp.arccos, INSIDE),
    ("atan", torch.atan, jnp.arctan, EVERYWHERE),
    ("sinh", torch.sinh, jnp.sinh, EVERYWHERE),
    ("cosh", torch.cosh, jnp.cosh, EVERYWHERE),
    ("asinh", torch.asinh, jnp.arcsinh, EVERYWHERE),
    ("acosh", torch.acosh, jnp.arccosh, [1.0, 0.5, INF, NAN, HUGE]),
    ("atanh", torch.atanh, jnp.arctanh, INSIDE),
    ("tanh", torch.tanh, jnp.tanh, EVERYWHERE),
    ("erf", torch.erf, jax.scipy.special.erf, EVERYWHERE),
    ("sigmoid", torch.sigmoid, jax.nn.sigmoid, EVERYWHERE),
    ("softplus", F.softplus, jax.nn.softplus, EVERYWHERE),
    ("logSigmoid", F.logsigmoid, jax.nn.log_sigmoid, EVERYWHERE),
    ("relu", torch.relu, jax.nn.relu, EVERYWHERE),
    ("gelu", F.gelu, lambda x: jax.nn.gelu(x, approximate=False), EVERYWHERE),
    ("silu", F.silu, jax.nn.silu, EVERYWHERE),
    ("leakyRelu", F.leaky_relu, jax.nn.leaky_relu, EVERYWHERE),
    ("elu", F.elu, jax.nn.elu, [*EVERYWHERE, -50.0]),
    ("sign", torch.sign, jnp.sign, EVERYWHERE),
    ("floor", torch.floor, jnp.floor, [0.0, -0.0, INF, NAN, 1.0]),
    ("ceil", torch.ceil, jnp.ceil, [0.0, -0.0, INF, NAN, 1.0]),
    ("round", torch.round, jnp.round, [0.0, -0.0, INF, NAN, 0.5, 1.5]),
]

BINARY = [
    ("add", torch.add, jnp.add, [(INF, -INF), (INF, 1), (NAN, 1), (HUGE, TINY)]),
    ("sub", torch.sub, jnp.subtract, [(INF, INF), (INF, 1), (NAN, 1)]),
    ("mul", torch.mul, jnp.multiply, [(0, INF), (0, 0), (INF, -1), (NAN, 0), (HUGE, HUGE), (TINY, TINY)]),
    ("div", torch.div, jnp.divide, [(0, 0), (1, 0), (1, -0.0), (0, 1), (1, INF), (INF, INF), (INF, 1), (NAN, 1), (HUGE, TINY), (TINY, HUGE)]),
    (
        "pow",
        torch.pow,
        jnp.power,
        [
            (0, 0), (0, 1), (0, 2), (0, 0.5), (0, -1), (-0.0, 3), (1, NAN), (NAN, 0), (1, INF), (-1, INF), (INF, 0),
            (INF, 2), (INF, -1), (-2, 3), (-2, 0.5), (2, 0), (TINY, 0), (HUGE, 2), (2, INF), (0.5, INF), (2, -INF),
        ],
    ),
    ("maximum", torch.maximum, jnp.maximum, [(1, 1), (0, -0.0), (INF, INF), (NAN, 1), (1, 2)]),
    ("minimum", torch.minimum, jnp.minimum, [(1, 1), (0, -0.0), (INF, INF), (NAN, 1), (1, 2)]),
    (
        "atan2",
        torch.atan2,
        jnp.arctan2,
        [(0, 0), (-0.0, 0), (0, -0.0), (0, -1), (1, 0), (-1, 0), (INF, 1), (1, INF), (INF, INF), (NAN, 1), (HUGE, HUGE), (TINY, TINY)],
    ),
    (
        "hypot",
        torch.hypot,
        jnp.hypot,
        [(0, 0), (0, 1), (-1, 0), (INF, 1), (INF, INF), (INF, NAN), (NAN, 1), (HUGE, HUGE), (TINY, TINY), (1.7e308, 1.7e308)],
    ),
]

PAIRS = [(1, 1), (0, INF), (0, -INF), (-INF, -INF), (INF, INF), (NAN, 1), (1e20, 1e20)]

# Of all elements of a vector at once.
WHOLE = [
    ("sum", torch.sum, jnp.sum, [(INF, -INF), (NAN, 1)]),
    ("prod", torch.prod, jnp.prod, [(2, 0, 3), (0, 0, 3), (INF, 0), (NAN, 0)]),
    ("max", torch.amax, jnp.max, [(3, 3, 1), (INF, INF), (0, -0.0), (NAN, 1)]),
    ("min", torch.amin, jnp.min, [(3, 3, 4), (-INF, -INF), (NAN, 1)]),
    ("norm", torch.linalg.vector_norm, jnp.linalg.norm, [(0, 0), (3, 4), (INF, 1), (NAN, 1), (3e200, 4e200), (3e-200, 4e-200)]),
    ("variance", lambda x: torch.var(x, correction=0), jnp.var, [(1, 1), (INF, 1), (NAN, 1)]),
    ("logSumExp", lambda x: torch.logsumexp(x, 0), jax.scipy.special.logsumexp, PAIRS),
    ("softmax, first", lambda x: torch.softmax(x, 0)[0], lambda x: jax.nn.softmax(x)[0], PAIRS),
    ("logSoftmax, first", lambda x: torch.log_softmax(x, 0)[0], lambda x: jax.nn.log_softmax(x)[0], PAIRS),
    (
        "crossEntropy of class 0",
        lambda x: F.cross_entropy(x[None], torch.tensor([0])),
        lambda x: -jax.nn.log_softmax(x)[0],
        PAIRS,
    ),
    ("huber of 0", lambda x: F.huber_loss(x[0], torch.zeros_like(x[0])), lambda x: huber(x[0]), [(0,), (1,), (-1,), (INF,), (NAN,)]),
]


def huber(x):
    """As Optax has it."""
    size = jnp.abs(x)
    quadratic = jnp.minimum(size, 1)
    return 0.5 * quadratic**2 + (size - quadratic)


def written(x):
    """JSON has no NaN, no infinities, and some writers have no -0."""
    x = float(x)
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "Infinity" if x > 0 else "-Infinity"
    return "-0" if x == 0 and math.copysign(1, x) < 0 else x


def by_torch(f, point):
    x = torch.tensor(point, dtype=torch.float64, requires_grad=True)
    y = f(x)
    (gradient,) = torch.autograd.grad(y, x)
    return [written(y.item()), *map(written, gradient.tolist())]


def by_jax(f, point):
    x = jnp.array(point, dtype=jnp.float64)
    y, gradient = jax.value_and_grad(f)(x)
    return [written(y), *map(written, numpy.asarray(gradient).tolist())]


def rows():
    for name, t, j, points in UNARY:
        for x in points:
            yield name, (x,), lambda v: t(v[0]), lambda v: j(v[0])
    for name, t, j, points in BINARY:
        for point in points:
            yield name, point, lambda v: t(v[0], v[1]), lambda v: j(v[0], v[1])
    for name, t, j, points in WHOLE:
        for point in points:
            yield name, point, t, j


lines = []
for name, point, t, j in rows():
    row = {"op": name, "at": [written(x) for x in point], "torch": by_torch(t, point), "jax": by_jax(j, point)}
    lines.append(json.dumps(row, separators=(",", ":")))
head = json.dumps({"torch": torch.__version__.split("+")[0], "jax": jax.__version__})
print(head[:-1] + ', "rows": [\n' + ",\n".join(lines) + "\n]}")
