#!/usr/bin/env python3
"""Models as PyTorch exports them, with random weights: imported, trained, and handed back.

    pip install torch torchvision onnx onnxscript onnxruntime safetensors
    python tests/onnx/models.py --build build [--folder /tmp/models] [--nets resnet18,gpt2] [--exporters script,dynamo]

Of each net of tests/onnx/nets.py and each of PyTorch's two exporters it writes a file for inference, as one exports by
default, and one to be trained: with batch normalisation, and nothing folded, by the options in `export`. Then

    inference   `oxbow run` beside ONNX Runtime: the largest difference, of the largest number
    training    ten steps of `oxbow train` on one batch, beside PyTorch from the same weights: the largest difference of a
                loss, of that loss; and beside it that of PyTorch's own losses in single and double precision
    back        what `oxbow train` wrote, accepted by ONNX's checker: ONNX Runtime beside Oxbow

Prints a Markdown table, and ends with an error where a difference is more than 1e-5, 1e-4 and 1e-5.
"""
import argparse
import copy
import csv
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from safetensors.numpy import load_file, save_file

import nets

STEPS = 10
MODE = torch.onnx.TrainingMode


def export(module, inputs, exporter, path, to_train):
    names = {"input_names": list(inputs), "output_names": ["y"]}
    module, feeds = copy.deepcopy(module), tuple(inputs.values())
    if exporter == "script":
        torch.onnx.export(module, feeds, path, dynamo=False, **names, do_constant_folding=not to_train,
                          dynamic_axes={name: {0: "batch"} for name in [*inputs, "y"]},
                          training=MODE.PRESERVE if to_train else MODE.EVAL)
    else:
        torch.onnx.export(module, feeds, path, dynamo=True, **names, optimize=not to_train, external_data=False,
                          dynamic_shapes=tuple({0: torch.export.Dim("batch")} for _ in inputs), verbose=False)


def losses(module, inputs, rate, labels, double):
    module = copy.deepcopy(module).train()
    if double:
        module = module.double()
        inputs = {name: v.double() if v.is_floating_point() else v for name, v in inputs.items()}
    optimizer, found = torch.optim.SGD(module.parameters(), lr=rate), []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = nets.loss_of(module(*inputs.values()), labels)
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return np.array(found)


def runtime(path, feeds):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, feeds)[0]


def off(got, expected):
    assert got.shape == expected.shape
    return np.abs(got - expected).max() / np.abs(expected).max()


class Oxbow:
    def __init__(self, build, folder):
        self.program, self.folder = os.path.join(build, "bin", "oxbow"), folder

    def call(self, *arguments):
        done = subprocess.run([self.program, *map(str, arguments)], text=True, capture_output=True)
        if done.returncode:
            raise RuntimeError((done.stdout + done.stderr).strip())

    def run(self, model):
        out = self.folder / "results.safetensors"
        self.call("run", model, "--inference", "--feed", self.folder / "inputs.safetensors", "--out", out)
        return load_file(out)["y"]

    def train(self, rate):
        out = self.folder / "tuned"
        self.call("train", self.folder / "train.onnx", "--train", "*", "--data", self.folder / "batch.safetensors",
                  "--optimizer", "sgd", "--learning-rate", rate, "--epochs", STEPS, "--batch-size", nets.BATCH,
                  "--out", out)
        with open(out / "history.csv") as f:
            return np.array([float(row["loss"]) for row in csv.DictReader(f)]), out / "model.onnx"


def result(net, exporter, build, folder):
    module, inputs, rate, labels = nets.made(net)
    feeds = {name: v.numpy() for name, v in inputs.items()}
    save_file(feeds, folder / "inputs.safetensors")
    save_file({**feeds, "label": labels.contiguous().numpy()}, folder / "batch.safetensors")
    model, trained = str(folder / "model.onnx"), str(folder / "train.onnx")
    export(module, inputs, exporter, model, False)
    export(module, inputs, exporter, trained, True)
    oxbow = Oxbow(build, folder)
    expected = losses(module, inputs, rate, labels, False)
    found, tuned = oxbow.train(rate)
    onnx.checker.check_model(str(tuned), full_check=True)
    return {"nodes": len(onnx.load(model).graph.node), "inference": off(oxbow.run(model), runtime(model, feeds)),
            "training": (np.abs(found - expected) / expected).max(),
            "own": (np.abs(expected - losses(module, inputs, rate, labels, True)) / expected).max(),
            "back": off(runtime(str(tuned), feeds), oxbow.run(tuned))}


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--build", default="build", help="the folder of a release build")
    options.add_argument("--folder", help="where the files are left; otherwise they are removed")
    options.add_argument("--nets", default=",".join(net.__name__ for net in nets.NETS))
    options.add_argument("--exporters", default="script,dynamo")
    o = options.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    print("| model | exporter | nodes | inference | training | PyTorch itself | back |\n|---|---|---|---|---|---|---|")
    failed = False
    with tempfile.TemporaryDirectory() as temporary:
        for net in nets.NETS:
            for exporter in o.exporters.split(","):
                if net.__name__ not in o.nets.split(","):
                    continue
                folder = pathlib.Path(o.folder or temporary) / f"{net.__name__}-{exporter}"
                folder.mkdir(parents=True, exist_ok=True)
                try:
                    r = result(net, exporter, o.build, folder)
                except Exception as e:  # of one net: the others are read all the same
                    print(f"{net.__name__} by {exporter}: {e}", file=sys.stderr)
                    failed = True
                    continue
                failed = failed or r["inference"] > 1e-5 or r["training"] > 1e-4 or r["back"] > 1e-5
                print(f"| {net.__name__} | {exporter} | {r['nodes']} | {r['inference']:.1e} | {r['training']:.1e} | "
                      f"{r['own']:.1e} | {r['back']:.1e} |", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
