"""Answers the benchmark's requests, as serve.ts does: JSON, one object a line."""

import json
import os
import resource
import struct
import sys
import time

import numpy

THREADS = int(os.environ.get("BENCH_THREADS", "1"))
CHECKED_STEPS = 3
TRAINING = ("train", "minibatch", "start")


def read_problem(path):
    """The arrays of a problem, by name."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    arrays = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        dtype = numpy.int32 if entry["dtype"] == "I32" else numpy.float32
        arrays[name] = numpy.frombuffer(data[start:end], dtype).reshape(entry["shape"]).copy()
    return arrays


def serve(versions, note, makers):
    """`makers` makes a step of each kind of case; a step returns its time in ms or None, its loss
    and its norm."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(value):
        out.write(json.dumps(value) + "\n")
        out.flush()

    say({"ready": True, "versions": versions, "note": note})
    current, step = None, None

    def timed():
        start = time.perf_counter()
        own, loss, norm = step()
        ms = 1000 * (time.perf_counter() - start)
        return (ms if own is None else own), loss, norm

    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply = {}
            if request["case"] != current:
                current, step = None, None
                start = time.perf_counter()
                step = makers[request["kind"]](request)
                first = timed()
                reply["first_ms"] = 1000 * (time.perf_counter() - start)
                begun = [first]
                if request["kind"] in TRAINING:
                    begun += [timed() for _ in range(CHECKED_STEPS - 1)]
                    reply["losses"] = [loss for _, loss, _ in begun]
                    reply["norms"] = [norm for _, _, norm in begun]
                reply["ms"] = [ms for ms, _, _ in begun[1:] or begun]
                current = request["case"]
            for _ in range(request["warm"]):
                timed()
            if request["steps"] > 0:
                reply["ms"] = [timed()[0] for _ in range(request["steps"])]
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
            reply["facts"] = {"peak_mib": peak // unit}
            say({"ms": [], **reply})
        except Exception as error:  # Whatever it is, the benchmark goes on without this system.
            current, step = None, None
            say({"ms": [], "error": f"{type(error).__name__}: {error}"})
