"""Writes fixtures/elementwise.json: float64 arguments and the correctly rounded value of each
function there.

Run with mpmath installed: python3 make-truth.py [points per range] [file]. The arguments are drawn
from each function's whole domain with a fixed seed, and from where it is delicate: zeros,
thresholds, cancellation, huge angles.
"""

import json
import math
import random
import sys
from fractions import Fraction
from pathlib import Path

from mpmath import mp, mpf

mp.prec = 2400  # more bits than the exponent of the largest float64, for its sine
draw = random.Random(20240607)
points = int(sys.argv[1]) if len(sys.argv) > 1 else 12

least = math.ulp(0.0)
least_normal = sys.float_info.min
most = sys.float_info.max


def rounded(value):
    """The nearest float64, ties to even, subnormal numbers and overflow included."""
    value = mpf(value)
    if mp.isnan(value):
        return math.nan
    size = abs(value)
    if size >= mpf(2) ** 1024:
        nearest = math.inf
    elif size < mpf(2) ** -1076:
        nearest = 0.0
    else:
        _, mantissa, exponent, _ = size._mpf_
        try:
            nearest = float(Fraction(int(mantissa)) * Fraction(2) ** int(exponent))
        except OverflowError:
            nearest = math.inf
    return -nearest if value < 0 else nearest


def text(value):
    """As JavaScript reads it."""
    return repr(value).replace("inf", "Infinity").replace("nan", "NaN")


def magnitudes(low, high, count=None):
    """Numbers whose logarithms are spread evenly over low..high."""
    first, last = math.log2(low), math.log2(high)
    return [2.0 ** draw.uniform(first, last) for _ in range(count or points)]


def both(values):
    return [s * v for v in values for s in (1, -1)]


def uniform(low, high, count=None):
    return [draw.uniform(low, high) for _ in range(count or points)]


def near(center, count=6):
    """`center`, its neighbours, and numbers ever closer to it."""
    steps = [math.nextafter(center, math.inf), math.nextafter(center, -math.inf)]
    return [center, *steps, *(center * (1 + s * 2.0**-k) for k in range(4, 4 + 6 * count, 6) for s in (1, -1))]


def phi(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def softplus(x):
    return x + mp.log1p(mp.exp(-x)) if x > 0 else mp.log1p(mp.exp(x))


tiny = both([least, 3 * least, least_normal, *magnitudes(least_normal, 1e-3)])
everywhere = tiny + both(magnitudes(1e-3, 1e3) + magnitudes(1e3, most))
angles = (
    tiny
    + both(magnitudes(1e-2, 1e2, 2 * points) + magnitudes(1e2, 1e7) + magnitudes(1e7, most, 2 * points))
    # Multiples of pi/2 rounded to float64, and the float64 that is closest to one (Muller et al.,
    # Handbook).
    + [float(k * mp.pi / 2) for k in (1, 2, 3, 4, 5, 7, 11, 1000, 65537, 667543, 10**9 + 1)]
    + [6381956970095103.0 * 2.0**797, 1e22, 2.0**1023, most, 3.4028234663852886e38, 1e30]
    + [float(k * mp.pi / 4) for k in (1, 3, 5, 7, 9)]
)
exponents = (
    tiny + uniform(-750, 712, 2 * points) + uniform(-1, 1, 2 * points) + near(0.34657359027997264)
    + [709.782712893384, 709.7827128933841, -708.3964185322641, -745.1332191019411, -745.1332191019412, 1e300, -1e300]
)

functions = {
    "exp": (mp.exp, exponents),
    "expm1": (mp.expm1, exponents + uniform(-40, 40)),
    "log": (mp.log, [abs(x) for x in everywhere] + near(1.0) + uniform(0.5, 2, 2 * points) + near(math.sqrt(0.5))),
    "log1p": (mp.log1p, [x for x in everywhere if x > -1] + uniform(-1, 2, 2 * points) + near(math.sqrt(2) - 1) + [-1 + 2**-53]),
    "rsqrt": (lambda x: 1 / mp.sqrt(x), [abs(x) for x in everywhere]),
    "sin": (mp.sin, angles),
    "cos": (mp.cos, angles),
    "tan": (mp.tan, angles),
    "asin": (mp.asin, tiny + uniform(-1, 1, 3 * points) + near(0.5) + [1.0, -1.0, 1 - 2**-53]),
    "acos": (mp.acos, tiny + uniform(-1, 1, 3 * points) + near(0.5) + near(-0.5) + [1.0, -1.0, 1 - 2**-53, 1 - 2**-30]),
    "atan": (mp.atan, everywhere + uniform(-3, 3, 2 * points) + near(math.sqrt(2) - 1) + near(math.sqrt(2) + 1)),
    "sinh": (mp.sinh, tiny + uniform(-3, 3, 2 * points) + both(uniform(3, 712)) + near(1.0) + [710.4758600739439, 710.475860073944]),
    "cosh": (mp.cosh, tiny + uniform(-3, 3, 2 * points) + both(uniform(3, 712)) + [710.4758600739439, 710.475860073944]),
    "asinh": (mp.asinh, everywhere + uniform(-3, 3, 2 * points) + near(2.0**28)),
    "acosh": (mp.acosh, [1 + x for x in magnitudes(2**-52, 10, 2 * points)] + magnitudes(2, most) + near(2.0**28)),
    "atanh": (mp.atanh, tiny + uniform(-1, 1, 3 * points) + [1 - 2**-53, 1 - 2**-30, -(1 - 2**-40)]),
    "tanh": (mp.tanh, tiny + uniform(-3, 3, 3 * points) + both(uniform(3, 25)) + near(0.5) + near(0.55) + [1e300]),
    "sigmoid": (lambda x: 1 / (1 + mp.exp(-x)), exponents + uniform(-40, 40)),
    "softplus": (softplus, exponents + uniform(-40, 40)),
    "logSigmoid": (lambda x: -softplus(-x), exponents + uniform(-40, 40)),
    "gelu": (lambda x: x * phi(x), tiny + uniform(-4, 4, 3 * points) + uniform(-40, 10, 2 * points) + [-38.5, -37.6, -1e30]),
    "silu": (lambda x: x / (1 + mp.exp(-x)), exponents + uniform(-40, 40)),
    "erf": (mp.erf, tiny + uniform(-7, 7, 4 * points) + near(1.0)),
}

powers = (
    [(abs(x), y) for x, y in zip(both(magnitudes(1e-300, 1e300)), uniform(-3, 3, 2 * points))]
    + [(x, draw.uniform(-744, 709) / math.log(x)) for x in magnitudes(1e-300, 1e300, 3 * points)]
    + [(x, draw.uniform(-700, 700) / math.log(x)) for x in uniform(0.5, 2, 3 * points)]
    + [(1 + 2.0**-k, draw.uniform(-700, 700) * 2.0**k) for k in range(3, 52, 3)]
    + [(-draw.uniform(0.1, 3), float(draw.randint(-500, 500))) for _ in range(points)]
    + [(least, 0.5), (3 * least, -0.9), (2.0, -1074.0), (2.0, -1022.5), (2.0, 1023.9), (10.0, -310.0), (10.0, 308.0)]
)
pairs = (
    [(draw.choice((1, -1)) * x, draw.choice((1, -1)) * y) for x, y in zip(magnitudes(least, most, 4 * points), magnitudes(least, most, 4 * points))]
    + list(zip(uniform(-5, 5, 4 * points), uniform(-5, 5, 4 * points)))
    + [(x, x * draw.uniform(0.9, 1.1)) for x in both(magnitudes(1e-320, 1e307))]
    + [(1e-310, 1e-310), (most / 2, most / 2), (3 * least, 4 * least), (least, -1.0), (1.0, -least)]
)
functions |= {
    "pow": (lambda x, y: mp.power(x, y).real, powers),
    "atan2": (mp.atan2, pairs),
    "hypot": (lambda x, y: mp.sqrt(x * x + y * y), pairs),
}
functions |= {
    "log2": (lambda x: mp.log(x, 2), functions["log"][1] + [2.0**k for k in (-1074, -1022, -3, 10, 1023)]),
    "log10": (mp.log10, functions["log"][1] + [10.0**k for k in range(-22, 23)]),
    "mod": (lambda x, y: x - y * mp.floor(x / y), [pair for pair in pairs if pair[1] > least] + [(1e300, 3.0), (-5e-324, 7.0)]),
}

truth = {}
for name, (function, arguments) in functions.items():
    rows = truth[name] = []
    for argument in arguments:
        row = argument if isinstance(argument, tuple) else (argument,)
        rows.append([text(v) for v in (*row, rounded(function(*map(mpf, row))))])

target = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parent / "fixtures" / "elementwise.json"
lines = [f'"{name}": [\n' + ",\n".join(json.dumps(row) for row in rows) + "\n]" for name, rows in truth.items()]
target.write_text("{\n" + ",\n".join(lines) + "\n}\n")
