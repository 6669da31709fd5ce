"""Says which kernels PyTorch, NumPy and JAX run on this processor, as one JSON object."""

import ctypes
import glob
import importlib.util
import json
import os
import re
import subprocess
import sys


def mkl():
    """MKL tells its instruction set only in the first line of its log, which C code prints."""
    program = "import torch; torch.ones(8, 8) @ torch.ones(8, 8)"
    env = {**os.environ, "MKL_VERBOSE": "1"}
    log = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True).stdout
    found = re.search(r"MKL_VERBOSE (oneMKL .*?) Product build \d+ for (.*?), ", log)
    return f"{found[1]} for {found[2]}" if found else "another BLAS than MKL"


def torch_kernels():
    import torch

    blas = re.search(r"BLAS_INFO=(\w+)", torch.__config__.show())
    ours = torch.backends.cpu.get_cpu_capability()
    return f"ATen {ours}, BLAS {mkl() if blas and blas[1] == 'mkl' else blas and blas[1]}"


def numpy_kernels():
    import numpy

    folder = os.path.join(os.path.dirname(numpy.__file__), "..", "numpy.libs")
    for path in glob.glob(os.path.join(folder, "*openblas*")):
        library = ctypes.CDLL(path)
        for prefix, suffix in (("scipy_", "64_"), ("scipy_", ""), ("", "64_"), ("", "")):
            corename = getattr(library, f"{prefix}openblas_get_corename{suffix}", None)
            config = getattr(library, f"{prefix}openblas_get_config{suffix}", None)
            if corename and config:
                corename.restype = config.restype = ctypes.c_char_p
                return f"{' '.join(config().decode().split()[:2])} ({corename().decode()})"
    return "another BLAS than OpenBLAS"


def jax_kernels():
    import jaxlib

    return f"XLA's own, jaxlib {jaxlib.__version__}"


kernels = {"pytorch": ("torch", torch_kernels), "numpy": ("numpy", numpy_kernels), "jax": ("jax", jax_kernels)}
print(json.dumps({name: ask() for name, (module, ask) in kernels.items() if importlib.util.find_spec(module)}))
