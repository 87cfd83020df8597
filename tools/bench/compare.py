"""Training steps against PyTorch and JAX: all workers take turns in one run, so that they meet the same machine.

    python tools/bench/compare.py [--oxbow build/bin/oxbow] [--nets mlp,lenet] [--threads 1,2] [--rounds 7] [--peers torch,compiled,jax]
    python tools/bench/compare.py --nets mlp_large,lstm --peers ""    beside the straight-line programs alone
    python tools/bench/compare.py --nets gpt --record results.json --plot ratios.svg     a net at a time, added to a file
    python tools/bench/compare.py --before other/build/bin/oxbow    another build of Oxbow instead of the peers

Prints three Markdown tables: the median of the rounds' medians, in milliseconds a step, ours over the best peer, and
over the straight-line program where there is one (tools/bench/straight: the step written out by hand, no engine); the memory that building a net and ten steps add to what the process had before, less weights and both moments, in MB; and the
seconds from a process's start to its first step's end. A net is a name that `oxbow bench` knows, or, without peers, a
file with a graph. With --record the tables are of all nets that the file holds, those measured now included.
The python that runs it has torch and jax (pip install torch jax), in an environment outside the tree; Oxbow itself needs
neither, nor does --before.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

from peers import CONVOLUTIONS, PEERS
from ratios import picture

here = os.path.dirname(os.path.abspath(__file__))
NETS = "mlp,mlp_large,lenet,resnet20,mobilenet,lstm,gpt,gpt2_wide,gpt2,branches,chain,micro,adam"
STRAIGHT = "mlp_large,resnet20,mobilenet,lstm,gpt,gpt2_wide".split(",")  # what is written out by hand too


def memory(pid, field):
    with open(f"/proc/{pid}/status") as lines:
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith(field + ":"))


class Worker:
    """A process that has run ten steps: `first` is when the first one ended, in seconds, `rise` what it took, in MB."""

    def __init__(self, command, threads):
        cores = sorted(os.sched_getaffinity(0))[:threads]
        start = time.perf_counter()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cores), env={**os.environ, "OMP_NUM_THREADS": str(threads)})
        self.first = self.rise = None
        word = self.process.stdout.readline().split()
        if word == ["loaded"]:
            with open(f"/proc/{self.process.pid}/clear_refs", "w") as f:
                f.write("5")  # the high-water mark starts anew
            before = memory(self.process.pid, "VmHWM")
            self.say("begin")
            word = self.process.stdout.readline().split()
            self.first = time.perf_counter() - start
            if word == ["first"]:
                word = self.process.stdout.readline().split()
                if word:
                    self.rise = (memory(self.process.pid, "VmHWM") - before - int(word[1])) / 1e6
        if word[:1] != ["ready"]:
            self.process.kill()
            raise RuntimeError("did not start: " + " ".join(command))

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def go(self, seconds):
        self.say(f"go {seconds}")
        return float(self.process.stdout.readline())

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def measure(commands, threads, rounds, seconds):
    """Of each worker: [milliseconds a step, MB, seconds to the first step]."""
    workers, times = {}, {name: [] for name in commands}
    for name, command in commands.items():
        try:
            workers[name] = Worker(command, threads)
        except (RuntimeError, OSError) as e:
            print(e, file=sys.stderr)
    for _ in range(rounds):
        for name, worker in workers.items():
            times[name].append(worker.go(seconds))
    for worker in workers.values():
        worker.stop()
    return {name: [statistics.median(times[name]), w.rise, w.first] for name, w in workers.items()}


def table(title, results, names, field, digits):
    """One quantity of all nets; returns ours over the best peer's, by net and threads."""
    ratios = {}
    names = [n for n in names if any(of.get(n, [None] * 3)[field] is not None for of in results.values())]
    straight = "straight" in names
    print(f"\n| {title} | threads | " + " | ".join(names) + " | oxbow / best peer |" +
          " oxbow / straight |" * straight)
    print("|---|---|" + "---|" * len(names) + "---|" + "---|" * straight)
    for key, of in results.items():
        values = {n: of[n][field] for n in names if n in of and of[n][field] is not None}
        best = min((v for n, v in values.items() if n not in ("oxbow", "straight")), default=None)
        ratio = ""
        if "oxbow" in values and best is not None and best > 0:
            ratios[key] = values["oxbow"] / best
            ratio = f"{ratios[key]:.2f}"
        cells = [format(values[n], digits) if n in values else "-" for n in names]
        net, threads = key.rsplit(" ", 1)
        if straight:
            ratio += f" | {values['oxbow'] / values['straight']:.2f}" if {"oxbow", "straight"} <= values.keys() else " | -"
        print(f"| {os.path.basename(net)} | {threads} | " + " | ".join(cells) + f" | {ratio} |", flush=True)
    return ratios


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--oxbow", default=os.path.join(here, "../../build/bin/oxbow"))
    options.add_argument("--straight", help="the program of straight lines; default: bench_straight beside oxbow")
    options.add_argument("--nets", default=NETS, help="separated by commas; \"\": none, only what --record holds")
    options.add_argument("--threads", default="1,2")
    options.add_argument("--peers", default=",".join(PEERS), help="those with _last are for convolutions only")
    options.add_argument("--before", help="the oxbow program of another build, in the peers' place")
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--seconds", type=float, default=0.4, help="a round, and at least three steps")
    options.add_argument("--record", help="a JSON file that results are added to")
    options.add_argument("--plot", help="an SVG file for the ratios of time and memory")
    o = options.parse_args()

    straight = o.straight or os.path.join(os.path.dirname(o.oxbow), "bench_straight")
    peers = ["before"] if o.before else [p for p in o.peers.split(",") if p]
    results = {}
    if o.record and os.path.exists(o.record):
        with open(o.record) as f:
            results = json.load(f)
    for net in [n for n in o.nets.split(",") if n]:
        for threads in map(int, o.threads.split(",")):
            commands = {"oxbow": [o.oxbow, "bench", net, "--threads", str(threads), "--worker"]}
            if o.before:
                commands["before"] = [o.before, *commands["oxbow"][1:]]
            elif net in STRAIGHT:
                commands["straight"] = [straight, net, str(threads)]
            for p in peers if not o.before else []:
                if not p.endswith("_last") or net in CONVOLUTIONS:
                    commands[p] = [sys.executable, os.path.join(here, "peers.py"), p, net, str(threads)]
            results[f"{net} {threads}"] = measure(commands, threads, o.rounds, o.seconds)
            if o.record:
                with open(o.record, "w") as f:
                    json.dump(results, f, indent=1)

    known = NETS.split(",")
    place = {net: i for i, net in enumerate(known)}
    results = dict(sorted(results.items(), key=lambda r: place.get(r[0].rsplit(" ", 1)[0], len(known))))
    names = [n for n in ["oxbow", "straight", *peers] if any(n in of for of in results.values())]
    by_time = table("ms a step", results, names, 0, ".4g")
    by_memory = table("MB", results, names, 1, ".0f")
    table("s to the first step", results, names, 2, ".2f")
    if by_time:
        print(f"\ngeometric mean of the ratios of time: {statistics.geometric_mean(by_time.values()):.3f}, "
              f"largest {max(by_time.values()):.2f}")
    if o.plot:
        with open(o.plot, "w") as f:
            f.write(picture([("time of a step, oxbow / best peer", by_time),
                             ("memory of a step, oxbow / best peer", by_memory)]))


if __name__ == "__main__":
    main()
