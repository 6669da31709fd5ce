"""Prints the polynomials of this folder, with the errors that their comments state.

Run with mpmath installed. A polynomial is a least-squares fit on Chebyshev points, weighted so that
the error counts relative to the function that it serves; coefficients are rounded from the lowest
up, the others fitted anew each time.
"""

from mpmath import asin, atan, atanh, cos, erf, erfc, exp, expm1, fsum, log, lu_solve, matrix, mp, mpf, nstr, pi, sin, sinh, sqrt, tanh

mp.prec = 300


def value(coefficients, z):
    total = mpf(0)
    for coefficient in reversed(coefficients):
        total = total * z + coefficient
    return total


def fit(f, low, high, degree, weight, bits):
    count = 4 * (degree + 2)
    points = [(low + high) / 2 + (high - low) / 2 * cos((2 * i + 1) * pi / (2 * count)) for i in range(count)]
    coefficients = []
    for first in range(degree + 1):
        size = degree + 1 - first
        rows = [[weight(z) * z ** (first + j) for j in range(size)] for z in points]
        rest = [weight(z) * (f(z) - value(coefficients, z)) for z in points]
        normal, right = matrix(size, size), matrix(size, 1)
        for i in range(size):
            for j in range(size):
                normal[i, j] = fsum(row[i] * row[j] for row in rows)
            right[i] = fsum(row[i] * r for row, r in zip(rows, rest))
        lowest = lu_solve(normal, right)[0]
        with mp.workprec(bits):
            coefficients.append(+lowest)
    return coefficients


def show(name, f, low, high, degree, weight, bits=53):
    low, high = mpf(low), mpf(high)
    coefficients = fit(f, low, high, degree, weight, bits)
    grid = [low + (high - low) * (i + mpf(1) / 2) / 500 for i in range(500)]
    error = max(abs((value(coefficients, z) - f(z)) * weight(z)) for z in grid)
    print(f"{name}: error 2^{nstr(log(error, 2), 4)}")
    print("  " + ", ".join(repr(float(c)) if bits == 53 else nstr(c, 9) for c in coefficients))


def in_root(f):
    """f of the root of its argument."""
    return lambda z: f(sqrt(z))


margin = mpf("1.0001")
half = log(mpf(2)) / 2 * margin
growth = lambda r: (expm1(r) - r) / r**2
show("growth_f64", growth, -half, half, 10, lambda r: r * r / exp(r))
show("growth_f32", growth, -half, half, 4, lambda r: r * r / exp(r), 24)
show("decay_f32", lambda r: (1 - r - exp(-r)) / r**2, -half, half, 4, lambda r: r * r * exp(r), 24)

ratio = ((sqrt(mpf(2)) - 1) / (sqrt(mpf(2)) + 1)) ** 2 * margin
series = in_root(lambda s: (2 * atanh(s) / s - 2) / s**2)
show("log series_f64", series, 0, ratio, 6, lambda z: z / 2)
show("log series_f32", series, 0, ratio, 2, lambda z: z / 2, 24)
c0, c1 = 2 / log(mpf(2)), 2 / (3 * log(mpf(2)))
further = in_root(lambda s: (c0 * atanh(s) / s - c0 - c1 * s**2) / s**4)
show("pow series", further, 0, ratio, 6, lambda z: z * z / c0)

quarter = (pi / 4) ** 2 * margin
show("sineSeries", in_root(lambda r: (sin(r) / r - 1) / r**2), 0, quarter, 5, lambda z: z)
show("cosineSeries", in_root(lambda r: (cos(r) - 1 + r**2 / 2) / r**4), 0, quarter, 5, lambda z: z * z / cos(sqrt(z)))
show("arcsineSeries", in_root(lambda x: (asin(x) / x - 1) / x**2), 0, "0.2501", 12, lambda z: z)
show("arctangentSeries", in_root(lambda x: (atan(x) / x - 1) / x**2), 0, "0.17158", 11, lambda z: z)
show("hyperbolic sineSeries", in_root(lambda x: (sinh(x) / x - 1) / x**2), 0, margin, 6, lambda z: z)
show("tangentSeries", in_root(lambda x: (tanh(x) / x - 1) / x**2), 0, mpf("0.7254") ** 2, 4, in_root(lambda x: x**3 / tanh(x)), 24)

show("erfSeries", in_root(lambda x: erf(x) / x - 1), 0, 1, 11, lambda z: mpf(1))


def scaled_tail(s):
    t = 5 * (1 + s) / (1 - s)
    return (t + 5) * exp(t * t / 2) * erfc(t / sqrt(mpf(2))) / 2


show("tailSeries", scaled_tail, -1, mpf(35) / 45, 22, lambda s: 1 / scaled_tail(s))
