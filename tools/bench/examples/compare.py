"""The examples beside their twins in PyTorch, the programs of this folder: what each reaches, and its lines of code.

    python tools/bench/examples/compare.py [--bin build/bin] [--examples vae,gpt] [--seeds 3] [--record results.json]

Runs each example once, as it has one seed, and its twin by seeds from 0 on, which draw its data too where that is made
up; then prints a Markdown table. With --record results are added to a JSON file, and the table is of all that it holds;
`--examples ""` runs none. Lines of code are those with more than a comment; a docstring is a comment. The python that
runs it has torch, matplotlib and pillow, in an environment outside the tree.
"""

import argparse
import ast
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

here = os.path.dirname(os.path.abspath(__file__))
root = os.path.abspath(os.path.join(here, "../../.."))


class Example:
    """The result is made by `take` of all numbers that follow `word` in the output."""

    def __init__(self, epochs, what, word, take=lambda numbers: numbers[-1], files=None):
        self.arguments = [os.path.join(root, files), str(epochs)] if files else [str(epochs)]
        self.what, self.word, self.take = what, word, take

    def run(self, *command):
        with tempfile.TemporaryDirectory() as folder:  # for its pictures
            out = subprocess.run(command, cwd=folder, check=True, text=True, stdout=subprocess.PIPE).stdout
        return self.take([float(x) for x in re.findall(self.word + r" *([\d.]+)", out)])


DIGITS, TEXT = "tools/data/mnist10k", "LICENSE"
EXAMPLES = {
    "tabular": Example(60, "mean error of rents, validation", "off by"),
    "time_series": Example(5, "mean error in degrees, validation", "val_error"),
    "autoencoder": Example(10, "squared error, test", "of test digits", files=DIGITS),
    "vae": Example(20, "loss, test", "test loss", files=DIGITS),
    "char_lstm": Example(10, "loss", "loss", files=TEXT),
    "gpt": Example(10, "loss", "loss", files=TEXT),
    "resnet20": Example(3, "accuracy, test", "val_accuracy", files=DIGITS),
    "unet": Example(8, "accuracy, validation", "val_accuracy"),
    "word2vec": Example(10, "loss", "loss"),
    "pinn": Example(2000, "largest error", "off by more than"),
    "wgan_gp": Example(3000, "points of 1000 within heaps", "", lambda heaps: sum(heaps[:8])),
    "cartpole": Example(100, "steps it stands, mean of rounds 10, 20 to 100", "stands for", statistics.mean),
}


def lines_of_code(path):
    with open(path) as f:
        text = f.read()
    lines, comment = text.splitlines(), "//"
    if path.endswith(".py"):
        comment = "#"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
                string = node.body[0]
                lines[string.lineno - 1 : string.end_lineno] = [""] * (string.end_lineno - string.lineno + 1)
    return sum(bool(line.strip()) and not line.strip().startswith(comment) for line in lines)


def table(results):
    print("| example | result | Oxbow | PyTorch: median, range | lines, Oxbow | PyTorch | ratio |")
    print("|---|---|---|---|---|---|---|")
    ratios = []
    for name in [n for n in EXAMPLES if n in results]:
        ours = lines_of_code(os.path.join(root, "tools/examples", name + ".cpp"))
        twin = lines_of_code(os.path.join(here, name + ".py"))
        ratios.append(ours / twin)
        result, others = results[name]["oxbow"], results[name]["torch"]
        print(f"| `{name}` | {EXAMPLES[name].what} | {result:.4g} | {statistics.median(others):.4g}, "
              f"{min(others):.4g} to {max(others):.4g} | {ours} | {twin} | {ratios[-1]:.2f} |")
    if ratios:
        print(f"\nmedian of the ratios {statistics.median(ratios):.2f}, largest {max(ratios):.2f}")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--bin", default=os.path.join(root, "build/bin"), help="where the examples' programs are")
    options.add_argument("--examples", default=",".join(EXAMPLES), help="separated by commas")
    options.add_argument("--seeds", type=int, default=3, help="for each twin")
    options.add_argument("--record", help="a JSON file that results are added to")
    o = options.parse_args()

    results = {}
    if o.record and os.path.exists(o.record):
        with open(o.record) as f:
            results = json.load(f)
    for name in [n for n in o.examples.split(",") if n]:
        e, twin = EXAMPLES[name], [sys.executable, os.path.join(here, name + ".py")]
        results[name] = {"oxbow": e.run(os.path.abspath(os.path.join(o.bin, name)), *e.arguments),
                         "torch": [e.run(*twin, *e.arguments, str(seed)) for seed in range(o.seeds)]}
        if o.record:
            with open(o.record, "w") as f:
                json.dump(results, f, indent=1)
    table(results)


if __name__ == "__main__":
    main()
