"""Times matrix products in NumPy, on the OpenBLAS that it brings. Used where there is no C
compiler."""

import os
import time

os.environ["OPENBLAS_NUM_THREADS"] = os.environ.get("BENCH_THREADS", "1")

import numpy
from serve import serve


def product(request):
    config = request["config"]
    m, n, k, repeat = (config[name] for name in ("m", "n", "k", "repeat"))
    a = numpy.sin(numpy.arange(m * k, dtype=numpy.float32))
    b = numpy.sin(numpy.arange(k * n, dtype=numpy.float32))
    a = a.reshape(k, m).T if config["aT"] else a.reshape(m, k)
    b = b.reshape(n, k).T if config["bT"] else b.reshape(k, n)
    c = numpy.empty((m, n), numpy.float32)

    def step():
        start = time.perf_counter()
        for _ in range(repeat):
            numpy.matmul(a, b, out=c)
        return 1000 * (time.perf_counter() - start) / repeat, None, None

    return step


serve({"numpy": numpy.__version__}, "NumPy's OpenBLAS", {"product": product})
