#!/usr/bin/env python3
"""Latency of a served network: Oxbow's C library by ctypes beside ONNX Runtime, in one process and in turns.

    build/bin/bench_serving /tmp/models                        writes the models
    python tools/bench/serving.py /tmp/models [--library build/lib/liboxbow_c.so.0] [--batches 1,16,64]

Both on one thread, over the same numbers in place: ONNX Runtime by `run_with_iobinding`, which neither copies nor makes
arrays, and by `run`. Each call is timed by itself, Python's part of it included; a round is 2,000 calls of each. Prints
medians over the rounds of the median and of the 99th percentile by the median.
"""
import argparse
import ctypes
import os
import pathlib
import statistics
import time

import numpy as np
import onnxruntime

here = os.path.dirname(os.path.abspath(__file__))
CALLS = 2000


class LoadOptions(ctypes.Structure):
    _fields_ = [("threads", ctypes.c_int32), ("cached_shapes", ctypes.c_int32), ("reserved", ctypes.c_int64 * 7)]


def of_oxbow(library, path, x, y):
    def check(status):
        if status != 0:
            raise RuntimeError(c.oxbow_last_error().decode())

    c = ctypes.CDLL(library)
    c.oxbow_last_error.restype = ctypes.c_char_p
    model, session = ctypes.c_void_p(), ctypes.c_void_p()
    check(c.oxbow_load_model(str(path).encode(), ctypes.byref(LoadOptions(threads=1)), ctypes.byref(model)))
    check(c.oxbow_new_session(model, ctypes.byref(session)))
    data, count = ctypes.c_void_p(x.ctypes.data), ctypes.c_int64(x.size)
    check(c.oxbow_fetch_into(session, 0, 0, ctypes.c_void_p(y.ctypes.data), ctypes.c_int64(y.size)))

    def call():
        if c.oxbow_feed(session, 0, 0, data, count) or c.oxbow_run(session):
            check(1)

    return call


def of_onnxruntime(path, x, y):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name, result = session.get_inputs()[0].name, session.get_outputs()[0].name
    binding = session.io_binding()
    binding.bind_input(name, "cpu", 0, np.float32, x.shape, x.ctypes.data)
    binding.bind_output(result, "cpu", 0, np.float32, y.shape, y.ctypes.data)
    return (lambda: session.run_with_iobinding(binding)), (lambda: session.run(None, {name: x}))


def main():
    options = argparse.ArgumentParser()
    options.add_argument("folder", type=pathlib.Path)
    options.add_argument("--library", default=os.path.join(here, "../../build/lib/liboxbow_c.so.0"))
    options.add_argument("--batches", default="1,16,64")
    options.add_argument("--rounds", type=int, default=21)
    o = options.parse_args()
    print("| net | batch | Oxbow, us | p99 / median | ONNX Runtime bound, us | p99 / median | `run`, us | Oxbow / best |\n"
          "|---|---|---|---|---|---|---|---|")
    for path in sorted(o.folder.glob("*.onnx")):
        inputs = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        width, out = inputs.get_inputs()[0].shape[1], inputs.get_outputs()[0].shape[1]
        for batch in map(int, o.batches.split(",")):
            x = np.random.default_rng(1).standard_normal((batch, width), dtype=np.float32)
            ours, theirs = np.zeros((2, batch, out), np.float32)
            calls = [of_oxbow(o.library, path.with_suffix(".oxb"), x, ours), *of_onnxruntime(path, x, theirs)]
            medians, ratios = [[] for _ in calls], [[] for _ in calls]
            for round in range(-1, o.rounds):
                for i, call in enumerate(calls):
                    times = []
                    for _ in range(CALLS):
                        start = time.perf_counter_ns()
                        call()
                        times.append(time.perf_counter_ns() - start)
                    if round >= 0:
                        times.sort()
                        medians[i].append(times[CALLS // 2] / 1e3)
                        ratios[i].append(times[CALLS * 99 // 100] / times[CALLS // 2])
            assert np.allclose(ours, theirs, rtol=1e-4, atol=1e-5)
            (a, b, c), (p, q, _) = map(lambda lists: map(statistics.median, lists), (medians, ratios))
            print(f"| {path.stem} | {batch} | {a:.2f} | {p:.2f} | {b:.2f} | {q:.2f} | {c:.2f} | {a / min(b, c):.2f} |",
                  flush=True)


if __name__ == "__main__":
    main()
