"""Training steps against PyTorch and JAX: all workers take turns in one run, so that they meet the same machine.

    python tools/bench/compare.py [--oxbow build/bin/oxbow] [--nets mlp,lenet] [--threads 1,2] [--rounds 7] [--peers torch,compiled,jax]
    python tools/bench/compare.py --before other/build/bin/oxbow    another build of Oxbow instead of the peers

Prints a Markdown table: the median of the rounds' medians, in milliseconds a step, and ours over the best peer, with the
geometric mean of these ratios at the end. A net is a name that `oxbow bench` knows, or, without peers, a file with a graph.
The python that runs it has torch and jax (pip install torch jax), in an environment outside the tree; Oxbow itself needs
neither, nor does --before.
"""

import argparse
import os
import statistics
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))


class Worker:
    def __init__(self, command, threads):
        cores = sorted(os.sched_getaffinity(0))[:threads]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cores), env={**os.environ, "OMP_NUM_THREADS": str(threads)})
        if self.process.stdout.readline().strip() != "ready":
            raise RuntimeError("did not start: " + " ".join(command))

    def go(self, seconds):
        self.process.stdin.write(f"go {seconds}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--oxbow", default=os.path.join(here, "../../build/bin/oxbow"))
    options.add_argument("--nets", default="mlp,branches,lenet,chain,micro,adam")
    options.add_argument("--threads", default="1,2")
    options.add_argument("--peers", default="torch,compiled,jax")
    options.add_argument("--before", help="the oxbow program of another build, in the peers' place")
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--seconds", type=float, default=0.4)
    o = options.parse_args()

    peers = ["before"] if o.before else [p for p in o.peers.split(",") if p]
    ratios = []
    print("| net | threads | oxbow | " + " | ".join(peers) + " | oxbow / best peer |")
    print("|---|---|---|" + "---|" * len(peers) + "---|")
    for net in o.nets.split(","):
        for threads in map(int, o.threads.split(",")):
            commands = {"oxbow": [o.oxbow, "bench", net, "--threads", str(threads), "--worker"]}
            if o.before:
                commands["before"] = [o.before, *commands["oxbow"][1:]]
            for p in peers if not o.before else []:
                commands[p] = [sys.executable, os.path.join(here, "peers.py"), p, net, str(threads)]
            workers, times = {}, {name: [] for name in commands}
            for name, command in commands.items():
                try:
                    workers[name] = Worker(command, threads)
                except (RuntimeError, OSError) as e:
                    print(e, file=sys.stderr)
            for _ in range(o.rounds):
                for name, worker in workers.items():
                    times[name].append(worker.go(o.seconds))
            for worker in workers.values():
                worker.stop()
            median = {name: statistics.median(t) for name, t in times.items() if t}
            best = min((median[p] for p in peers if p in median), default=float("nan"))
            cells = [f"{median[n]:.4g}" if n in median else "-" for n in commands]
            ratio = median.get("oxbow", float("nan")) / best
            ratios.append(ratio)
            print(f"| {os.path.basename(net)} | {threads} | " + " | ".join(cells) + f" | {ratio:.2f} |", flush=True)
    print(f"\ngeometric mean of the ratios: {statistics.geometric_mean(ratios):.3f}, largest {max(ratios):.2f}")


if __name__ == "__main__":
    main()
