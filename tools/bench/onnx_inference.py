#!/usr/bin/env python3
"""Inference of ONNX models, Oxbow beside ONNX Runtime, in one run.

    python tests/onnx/models.py --folder /tmp/models          writes them
    python tools/bench/onnx_inference.py /tmp/models/*-dynamo [--oxbow build/bin/oxbow] [--batches 1,16] [--threads 1,2]

A folder holds model.onnx and inputs.safetensors, of which a batch is made by taking samples again. Both run in processes
of their own, in turns, some runs and then more; what the second takes longer, by run, is the time of one. On one thread
that is processor time, so that others on the machine count little; on several it is the time that passed, which means
something on an idle machine only. Prints medians of the rounds as a Markdown table, and the ratios' geometric mean. The
python that runs it has onnxruntime and safetensors, in an environment outside the tree.
"""
import argparse
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from safetensors.numpy import load_file, save_file

here = os.path.dirname(os.path.abspath(__file__))
WORKER = "--onnxruntime-worker"


def worker(model, feeds, threads, runs):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    inputs = load_file(feeds)
    for _ in range(runs):
        session.run(None, inputs)


def seconds(command, by_clock):
    """What a command takes: by the clock, or of the processor."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    passed, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return passed if by_clock else after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def runs_for(command, by_clock, least):
    """A number of runs that takes at least so many seconds."""
    runs, few = 8, seconds(command(1), by_clock)
    while seconds(command(runs), by_clock) - few < least and runs < 1 << 16:
        runs *= 4
    return runs


def per_run(commands, by_clock, rounds, least):
    counts = {name: runs_for(command, by_clock, least) for name, command in commands.items()}
    found = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            few, more = seconds(command(1), by_clock), seconds(command(1 + counts[name]), by_clock)
            found[name].append(1e3 * (more - few) / counts[name])
    return {name: statistics.median(values) for name, values in found.items()}


def main():
    options = argparse.ArgumentParser()
    options.add_argument("folders", nargs="+", type=pathlib.Path)
    options.add_argument("--oxbow", default=os.path.join(here, "../../build/bin/oxbow"))
    options.add_argument("--batches", default="1,16")
    options.add_argument("--threads", default="1,2")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=0.5, help="of a round, at least")
    o = options.parse_args()
    print("| model | batch | threads | Oxbow, ms | ONNX Runtime, ms | ratio |\n|---|---|---|---|---|---|")
    ratios = []
    for folder in o.folders:
        model = str(folder / "model.onnx")
        for batch in map(int, o.batches.split(",")):
            with tempfile.NamedTemporaryFile(suffix=".safetensors") as feeds:
                samples = load_file(folder / "inputs.safetensors")
                save_file({name: np.ascontiguousarray(np.resize(x, (batch, *x.shape[1:]))) for name, x in samples.items()},
                          feeds.name)
                for threads in map(int, o.threads.split(",")):
                    times = per_run({
                        "oxbow": lambda runs: [o.oxbow, "run", model, "--inference", "--feed", feeds.name, "--threads",
                                               str(threads), "--steps", str(runs)],
                        "onnxruntime": lambda runs: [sys.executable, __file__, WORKER, model, feeds.name, str(threads),
                                                     str(runs)],
                    }, threads > 1, o.rounds, o.seconds)
                    ratios.append(times["oxbow"] / times["onnxruntime"])
                    print(f"| {folder.name} | {batch} | {threads} | {times['oxbow']:.4g} | {times['onnxruntime']:.4g} | "
                          f"{ratios[-1]:.2f} |", flush=True)
    print(f"\ngeometric mean of the ratios {statistics.geometric_mean(ratios):.2f}, largest {max(ratios):.2f}")


if __name__ == "__main__":
    if sys.argv[1:2] == [WORKER]:
        worker(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
    else:
        main()
