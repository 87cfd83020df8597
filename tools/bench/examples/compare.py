"""The examples beside their twins in PyTorch, the programs of this folder: what each reaches, and its lines of code.

    python tools/bench/examples/compare.py [--build build] [--examples vae,gpt] [--seeds 3] [--record results.json]
    python tools/bench/examples/compare.py --examples vae --epochs 5        another number for both than the example's own

Both run by seeds from 0 on. Of an example a copy is compiled that takes its graph's seed from the environment; the data
that it makes up stays the same, the twin's is drawn anew. Prints a Markdown table. With --record results are added to a
JSON file, and the table shows all that it holds; `--examples ""` runs none. Lines of code are those with more than a
comment; a docstring is a comment. The python that runs it has torch, matplotlib and pillow, in an environment outside
the tree.
"""

import argparse
import ast
import glob
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

here = os.path.dirname(os.path.abspath(__file__))
root = os.path.abspath(os.path.join(here, "../../.."))
SEED = "OXBOW_EXAMPLE_SEED"


def compiled(name, build, folder):
    """The program of an example, with a seed from the environment."""
    with open(os.path.join(root, "tools/examples", name + ".cpp")) as f:
        before, after = f.read().split("  Graph g;\n")
    source, program = os.path.join(folder, "example.cpp"), os.path.join(folder, "example")
    with open(source, "w") as f:
        f.write(f'{before}  Graph g;\n  g.set_seed(std::strtoull(std::getenv("{SEED}"), nullptr, 10));\n{after}')
    include, lib = os.path.join(build, "include"), os.path.join(build, "lib")
    subprocess.run([os.environ.get("CXX", "c++"), "-std=c++20", "-O1", "-I" + include, source, "-o", program,
                    "-Wl,-rpath," + lib, *glob.glob(os.path.join(lib, "liboxbow_*"))], check=True)
    return program


class Example:
    """The result is made by `take` of all numbers that follow `word` in the output."""

    def __init__(self, epochs, what, word, take=lambda numbers: numbers[-1], files=None):
        self.epochs, self.files = epochs, [os.path.join(root, files)] if files else []
        self.what, self.word, self.take = what, word, take

    def result(self, command, folder, seed):
        out = subprocess.run(command, cwd=folder, check=True, text=True, stdout=subprocess.PIPE,
                             env={**os.environ, SEED: seed}).stdout
        return self.take([float(x) for x in re.findall(self.word + r" *(\d[\d.]*)", out)])

    def results(self, name, build, epochs, seeds):
        arguments, seeds = [*self.files, str(epochs)], [str(seed) for seed in range(seeds)]
        twin = [sys.executable, os.path.join(here, name + ".py"), *arguments]
        with tempfile.TemporaryDirectory() as folder:  # for pictures, too
            ours = [compiled(name, build, folder), *arguments]
            return {"epochs": epochs, "oxbow": [self.result(ours, folder, seed) for seed in seeds],
                    "torch": [self.result([*twin, seed], folder, seed) for seed in seeds]}


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


def spread(values):
    return f"{statistics.median(values):.4g}, {min(values):.4g} to {max(values):.4g}" if values else "-"


def table(results):
    print("| example | result: median, range | epochs | Oxbow | PyTorch | lines, Oxbow | PyTorch | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    ratios = []
    for name, example in EXAMPLES.items():
        of = results.get(name, {"epochs": example.epochs, "oxbow": [], "torch": []})
        ours = lines_of_code(os.path.join(root, "tools/examples", name + ".cpp"))
        twin = lines_of_code(os.path.join(here, name + ".py"))
        ratios.append(ours / twin)
        print(f"| `{name}` | {example.what} | {of['epochs']} | {spread(of['oxbow'])} | {spread(of['torch'])} | "
              f"{ours} | {twin} | {ratios[-1]:.2f} |")
    print(f"\nmedian of the ratios {statistics.median(ratios):.2f}, largest {max(ratios):.2f}")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--build", default=os.path.join(root, "build"), help="the folder of a release build")
    options.add_argument("--examples", default=",".join(EXAMPLES), help="separated by commas")
    options.add_argument("--epochs", type=int, help="steps or rounds, where an example counts so")
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--record", help="a JSON file that results are added to")
    o = options.parse_args()

    results = {}
    if o.record and os.path.exists(o.record):
        with open(o.record) as f:
            results = json.load(f)
    for name in [n for n in o.examples.split(",") if n]:
        example = EXAMPLES[name]
        results[name] = example.results(name, os.path.abspath(o.build), o.epochs or example.epochs, o.seeds)
        if o.record:
            with open(o.record, "w") as f:
                json.dump(results, f, indent=1)
    table(results)


if __name__ == "__main__":
    main()
