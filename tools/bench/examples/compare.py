"""The examples beside their twins in PyTorch, the programs of this folder: what each reaches, and its lines of code.

    python tools/bench/examples/compare.py [--build build] [--examples vae,gpt] [--seeds 3] [--record results.json]
    python tools/bench/examples/compare.py --examples vae --epochs 5        another number for both than the example's own
    python tools/bench/examples/compare.py --bf16 --record bf16.json        beside itself with activations stored in bf16

Both run by seeds from 0 on. Of an example a copy is compiled that takes its graph's seed from the environment; the data
that it makes up stays the same, the twin's is drawn anew. Prints a Markdown table. With --record results are added to a
JSON file, and the table shows all that it holds; `--examples ""` runs none. Lines of code are those with more than a
comment; a docstring is a comment. The python that runs it has torch, torchvision, matplotlib, pillow, pandas and
scikit-learn, in an environment outside the tree; with --bf16 it needs nothing.
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


IN_BF16 = """using namespace oxbow;

static Model compile_in_bf16(Value loss, const optim::Optimizer& optimizer, ModelOptions options = {}) {
  options.activations = bf16;
  return compile(loss, optimizer, options);
}
"""


def in_bf16(name, text):
    """An example's source, of which each training step keeps its activations in bf16."""
    text, models = re.subn(r"return compile\(", "return compile_in_bf16(", text)
    text, steps = re.subn(r"compile\((\w+\.fetches\(\))\)", r"compile(store_activations(\1, bf16).fetches)", text)
    if models + steps == 0:
        raise RuntimeError(f"{name}: nothing compiles a training step")
    return text.replace("using namespace oxbow;\n", IN_BF16, 1) if models else text


def compiled(name, build, folder, bf16=False):
    """The program of an example, with a seed from the environment."""
    with open(os.path.join(root, "tools/examples", name + ".cpp")) as f:
        text = f.read()
    before, after = (in_bf16(name, text) if bf16 else text).split("  Graph g;\n")
    program = os.path.join(folder, "example_bf16" if bf16 else "example")
    source = program + ".cpp"
    with open(source, "w") as f:
        f.write(f'{before}  Graph g;\n  g.set_seed(std::strtoull(std::getenv("{SEED}"), nullptr, 10));\n{after}')
    include, lib = os.path.join(build, "include"), os.path.join(build, "lib")
    subprocess.run([os.environ.get("CXX", "c++"), "-std=c++20", "-O1", "-I" + include, source, "-o", program,
                    "-Wl,-rpath," + lib, *glob.glob(os.path.join(lib, "liboxbow_*"))], check=True)
    return program


class Example:
    """The result is made by `take` of all numbers that follow `word` in the output; the loss, where that is another
    number, is the last one after `loss`. Without a word nothing is learned, and lines alone are compared."""

    def __init__(self, epochs, what, word, take=lambda numbers: numbers[-1], files=None, loss=None, last=None):
        self.epochs, self.files = epochs, [os.path.join(root, files)] if files else []
        self.last = [os.path.join(root, last)] if last else []  # the last argument, a file
        self.what, self.word, self.take, self.loss = what, word, take, loss

    def judged_by_loss(self):
        return Example(self.epochs, "loss", self.loss) if self.loss else self

    def result(self, command, folder, seed):
        out = subprocess.run(command, cwd=folder, check=True, text=True, stdout=subprocess.PIPE,
                             env={**os.environ, SEED: seed}).stdout
        return self.take([float(x) for x in re.findall(self.word + r" *(\d[\d.]*)", out, re.M)])

    def results(self, name, build, epochs, seeds, bf16):
        name, *rest = name.split()
        rest += self.last
        arguments, seeds = [*self.files, str(epochs)], [str(seed) for seed in range(seeds)]
        twin, judge = [sys.executable, os.path.join(here, name + ".py"), *arguments], self.judged_by_loss()
        with tempfile.TemporaryDirectory() as folder:  # for pictures, too
            ours = [compiled(name, build, folder), *arguments, *rest]
            if bf16:
                other = [compiled(name, build, folder, True), *arguments, *rest]
                return {"epochs": epochs, "f32": [judge.result(ours, folder, seed) for seed in seeds],
                        "bf16": [judge.result(other, folder, seed) for seed in seeds]}
            return {"epochs": epochs, "oxbow": [self.result(ours, folder, seed) for seed in seeds],
                    "torch": [self.result([*twin, seed, *rest], folder, seed) for seed in seeds]}


DIGITS, TEXT, FLATS = "tools/data/mnist10k", "LICENSE", "tools/data/flats.csv"
EXAMPLES = {
    "flats": Example(60, "mean error of rents, test", "error", files=FLATS),
    "classify": Example(60, "accuracy, test", r"^accuracy", files=FLATS),
    "predict": Example(0, "rents of a file", None),
    "http_server": Example(0, "rents of a request", None),
    "tabular": Example(60, "mean error of rents, validation", "off by"),
    "time_series": Example(5, "mean error in degrees, validation", "val_error", loss=r"\d: loss"),
    "autoencoder": Example(10, "squared error, test", "of test digits", files=DIGITS, loss="loss"),
    "vae": Example(20, "loss, test", "test loss", files=DIGITS),
    "char_lstm": Example(10, "loss", "loss", files=TEXT),
    "gpt": Example(10, "loss", "loss", files=TEXT),
    "resnet20": Example(3, "accuracy, test", "val_accuracy", files=DIGITS, loss=r"\d: loss"),
    "resnet20 depthwise": Example(3, "accuracy, test", "val_accuracy", files=DIGITS, loss=r"\d: loss"),
    "torch_weights": Example(5, "accuracy, half in a mirror", r"after: .*accuracy", files=DIGITS,
                             last="tools/data/digits.safetensors"),
    "unet": Example(8, "accuracy, validation", "val_accuracy", loss=r"\d: loss"),
    "word2vec": Example(10, "loss", "loss"),
    "pinn": Example(2000, "largest error", "off by more than"),
    "ode": Example(400, "births, 1.1 in truth", "births"),
    "own_parts": Example(200, "percent of points that are near", r"epochs"),
    "own_graph": Example(0, "graph, profile, training", None),
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
    ratios = {}
    for name, example in EXAMPLES.items():
        of = results.get(name, {"epochs": example.epochs, "oxbow": [], "torch": []})
        program = name.split()[0]
        ours = lines_of_code(os.path.join(root, "tools/examples", program + ".cpp"))
        twin = lines_of_code(os.path.join(here, program + ".py"))
        ratios[program] = ours / twin
        print(f"| `{name}` | {example.what} | {of['epochs']} | {spread(of['oxbow'])} | {spread(of['torch'])} | "
              f"{ours} | {twin} | {ratios[program]:.2f} |")
    print(f"\nmedian of the ratios {statistics.median(ratios.values()):.2f}, largest {max(ratios.values()):.2f}")


def table_in_bf16(results):
    print("| example | result: median, range | epochs | f32 | bf16 | bf16 / f32 of the medians | of each seed |")
    print("|---|---|---|---|---|---|---|")
    for name, of in results.items():
        f32, bf16 = of["f32"], of["bf16"]
        each = [b / a for a, b in zip(f32, bf16)]
        what, ratio = EXAMPLES[name].judged_by_loss().what, statistics.median(bf16) / statistics.median(f32)
        print(f"| `{name}` | {what} | {of['epochs']} | {spread(f32)} | {spread(bf16)} | {ratio:.3f} | "
              f"{min(each):.3f} to {max(each):.3f} |")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--build", default=os.path.join(root, "build"), help="the folder of a release build")
    options.add_argument("--examples", default=",".join(EXAMPLES), help="separated by commas")
    options.add_argument("--epochs", type=int, help="steps or rounds, where an example counts so")
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--bf16", action="store_true", help="not the twin, but itself with activations in bf16")
    options.add_argument("--record", help="a JSON file that results are added to")
    o = options.parse_args()

    results = {}
    if o.record and os.path.exists(o.record):
        with open(o.record) as f:
            results = json.load(f)
    for name in [n for n in o.examples.split(",") if n]:
        example = EXAMPLES[name]
        if example.word is None:
            continue
        results[name] = example.results(name, os.path.abspath(o.build), o.epochs or example.epochs, o.seeds, o.bf16)
        if o.record:
            with open(o.record, "w") as f:
                json.dump(results, f, indent=1)
    (table_in_bf16 if o.bf16 else table)(results)


if __name__ == "__main__":
    main()
