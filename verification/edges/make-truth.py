"""Derivatives by mpmath's differences at 50 digits, to which the closed forms are held:
python verification/edges/make-truth.py > verification/edges/fixtures/truth.json"""

import json

from mpmath import mp, mpf, diff, exp, expm1, log, sqrt, sin, cos, tan, asin, acos, atan, sinh, cosh, tanh, asinh, acosh, atanh, erf, ncdf, hypot, fabs, mpmathify

mp.dps = 120


def sigmoid(x):
    return 1 / (1 + exp(-x))


def softplus(x):
    return log(1 + exp(x))


WIDE = [-30, -2.5, -0.75, -2.0**-40, 0.3125, 1.5, 20]
POSITIVE = [2.0**-40, 0.3125, 1.5, 20, 1e10]
INSIDE = [-0.96875, -2.0**-40, 0.5, 1 - 2.0**-20]
FAR = [-1e10, *WIDE, 1e10]

CURVES = {
    "exp": (exp, WIDE),
    "expm1": (expm1, WIDE),
    "log": (log, POSITIVE),
    "log2": (lambda x: log(x) / log(2), POSITIVE),
    "log10": (lambda x: log(x) / log(10), POSITIVE),
    "log1p": (lambda x: log(1 + x), [-1 + 2.0**-30, *POSITIVE]),
    "sqrt": (sqrt, POSITIVE),
    "rsqrt": (lambda x: 1 / sqrt(x), POSITIVE),
    "square": (lambda x: x * x, FAR),
    "pow(3)": (lambda x: x**3, FAR),
    "reciprocal": (lambda x: 1 / x, FAR),
    "sin": (sin, FAR),
    "cos": (cos, FAR),
    "tan": (tan, FAR),
    "asin": (asin, INSIDE),
    "acos": (acos, INSIDE),
    "atan": (atan, FAR),
    "sinh": (sinh, WIDE),
    "cosh": (cosh, WIDE),
    "asinh": (asinh, FAR),
    "acosh": (acosh, [1 + 2.0**-20, 1.5, 20, 1e10]),
    "atanh": (atanh, INSIDE),
    "tanh": (tanh, WIDE),
    "erf": (erf, [-6, *WIDE[1:6], 5]),
    "sigmoid": (sigmoid, WIDE),
    "softplus": (softplus, WIDE),
    "logSigmoid": (lambda x: -softplus(-x), WIDE),
    "gelu": (lambda x: x * ncdf(x), [-9, *WIDE[1:6], 8]),
    # The constant is that of float64.
    "gelu by tanh": (lambda x: x * (1 + tanh(sqrt(2 / mp.pi) * (x + mpf(0.044715) * x**3))) / 2, [-5, *WIDE[1:6], 5]),
    "silu": (lambda x: x * sigmoid(x), WIDE),
    "elu": (lambda x: mpf(0.75) * expm1(x), [-30, -2.5, -0.75, -2.0**-40]),
}
MIXED = [(0.75, 1.5), (20, -2.5), (2.0**-20, 3), (1e6, 0.3125)]
SIGNED = [*MIXED, (-0.75, -1.5), (-20, 2.5)]
SURFACES = {
    "div": (lambda a, b: a / b, SIGNED),
    "pow": (lambda a, b: a**b, MIXED),
    "atan2": (lambda a, b: mp.atan2(a, b), SIGNED),
    "hypot": (hypot, SIGNED),
    "norm": (hypot, SIGNED),
    "variance": (lambda a, b: ((a - b) / 2) ** 2, SIGNED),
    "std": (lambda a, b: fabs(a - b) / 2, SIGNED),
    "logSumExp": (lambda a, b: log(exp(a) + exp(b)), SIGNED[:2]),
    "softmax": (lambda a, b: exp(a) / (exp(a) + exp(b)), SIGNED[:2]),
    "logSoftmax": (lambda a, b: a - log(exp(a) + exp(b)), SIGNED[:2]),
    "binaryCrossEntropyFromLogits": (lambda a, b: b * softplus(-a) + (1 - b) * softplus(a), SIGNED[:2]),
    "gaussianNegativeLogLikelihood": (lambda a, b: (log(b) + a * a / b) / 2, [MIXED[0], MIXED[2], MIXED[3]]),
    "crossEntropy": (lambda a, b: log(exp(a) + exp(b)) - a, SIGNED[:2]),
}


def text(x):
    return mp.nstr(x, 50)


def curve(f, x):
    # Steps that suit the place: x may be close to 0 and to the ends of the domain.
    return [text(diff(f, mpf(x), n, h=mpf(2) ** -110)) for n in (1, 2)]


def surface(f, a, b):
    point = (mpf(a), mpf(b))
    return [text(diff(f, point, n, h=mpf(2) ** -110)) for n in [(1, 0), (0, 1), (2, 0), (1, 1), (0, 2)]]


lines = [json.dumps([name, [float(x)], curve(f, x)], separators=(",", ":")) for name, (f, points) in CURVES.items() for x in points]
lines += [json.dumps([name, [float(a), float(b)], surface(f, a, b)], separators=(",", ":")) for name, (f, points) in SURFACES.items() for a, b in points]
print("[\n" + ",\n".join(lines) + "\n]")
