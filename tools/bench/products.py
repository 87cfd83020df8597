"""Square products of f32 beside MKL's and oneDNN's, on one thread: percent of the peak of fused multiply-adds, in one run.

    python tools/bench/products.py [--kernels build/bin/bench_kernels] [--sizes 64,128] [--rounds 3] [--plot products.svg]

Rounds in turn, medians of processor time, so that all meet the same machine. Ours are the parts that a plan runs, packing
of parameters left out, as they are stored packed; `weights` is a gradient x^T dy, `Adam` the same with Adam's step as its
epilogue, `x` a gradient dy w^T. MKL and oneDNN are those of PyTorch, which takes what it is given and packs by itself.
The python that runs it has torch, in an environment outside the tree.
"""

import argparse
import os
import re
import statistics
import subprocess
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
import torch  # noqa: E402: after the number of threads

OURS = {"forward": "", "weights": " to weights", "Adam": " to weights, Adam", "x": " to x"}


def ours(kernels, n):
    """The peak in GF/s, and by kind the GF/s of ours."""
    name = f"{n} x {n} x {n}"
    text = subprocess.run([kernels, f"dense {name}"], capture_output=True, text=True, check=True).stdout
    peak = max(float(v) for v in re.findall(r"peak ([\d.]+) GF/s", text))
    speeds = {}
    for kind, tail in OURS.items():
        line = re.search(rf"^dense {name}{tail} +\d+ parts +[\d.]+ us +([\d.]+) GF/s", text, re.M)
        speeds[kind] = float(line.group(1))
    return peak, speeds


def quickest(f, n):
    f()
    start = time.thread_time()
    f()
    times = max(1, int(0.02 / (time.thread_time() - start + 1e-9)))
    best = float("inf")
    for _ in range(7 if n <= 1024 else 3):
        start = time.thread_time()
        for _ in range(times):
            f()
        best = min(best, (time.thread_time() - start) / times)
    return 2e-9 * n**3 / best


def theirs(n):
    a, b, out = torch.rand(n, n), torch.rand(n, n), torch.empty(n, n)
    speeds = {"MKL forward": quickest(lambda: torch.mm(a, b, out=out), n),
              "MKL weights": quickest(lambda: torch.mm(a.T, b, out=out), n),
              "MKL x": quickest(lambda: torch.mm(a, b.T, out=out), n)}
    if torch.backends.mkldnn.is_available():
        da, db = a.to_mkldnn(), b.to_mkldnn()
        speeds["oneDNN x"] = quickest(lambda: torch.nn.functional.linear(da, db), n)
    return speeds


def plot(table, sizes):
    """Percent of peak by size, a line a kind, in the look of the other pictures."""
    from xml.sax.saxutils import escape

    from ratios import STYLE
    width, left, bottom, high = 720, 60, 330, 280
    colours = ["#0072b2", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#e69f00", "#f0803c", "#666666"]
    step = (width - left - 150) / max(1, len(sizes) - 1)
    out = [f'<text class="t" x="{left}" y="20">Square products, percent of peak by size, one thread</text>']
    for percent in range(0, 101, 20):
        y = bottom - high * percent / 100
        out.append(f'<path class="g" d="M{left} {y}H{width - 150}"/>'
                   f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{percent}</text>')
    for i, n in enumerate(sizes):
        out.append(f'<text x="{left + step * i:.0f}" y="{bottom + 18}" text-anchor="middle">{n}</text>')
    for k, (kind, values) in enumerate(table.items()):
        points = " ".join(f"{left + step * i:.1f},{bottom - high * min(v, 110) / 100:.1f}" for i, v in enumerate(values))
        dashed = ' stroke-dasharray="5 3"' if " " in kind else ""
        out.append(f'<polyline points="{points}" fill="none" stroke="{colours[k]}" stroke-width="2"{dashed}/>'
                   f'<text x="{width - 140}" y="{60 + 18 * k}" style="fill:{colours[k]}">{escape(kind)}</text>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {bottom + 30}" width="{width}" '
            f'height="{bottom + 30}">\n<style>{STYLE}</style>\n' + "\n".join(out) + "\n</svg>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kernels", default="build/bin/bench_kernels")
    parser.add_argument("--sizes", default="64,128,256,512,1024,2048,4096")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plot", help="an SVG picture for this file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    sizes = [int(n) for n in options.sizes.split(",")]
    table = {}
    for n in sizes:
        rounds = []
        for _ in range(options.rounds):
            peak, speeds = ours(options.kernels, n)
            speeds.update(theirs(n))
            rounds.append({kind: 100 * v / peak for kind, v in speeds.items()})
        for kind in rounds[0]:
            table.setdefault(kind, []).append(statistics.median(r[kind] for r in rounds))
        print(f"{n}: " + ", ".join(f"{kind} {values[-1]:.0f}" for kind, values in table.items()), flush=True)
    print("\n| size | " + " | ".join(table) + " |\n" + "|---" * (len(table) + 1) + "|")
    for i, n in enumerate(sizes):
        print(f"| {n} | " + " | ".join(f"{values[i]:.0f}" for values in table.values()) + " |")
    if options.plot:
        with open(options.plot, "w") as f:
            f.write(plot(table, sizes))


if __name__ == "__main__":
    main()
