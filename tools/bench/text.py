"""A character LSTM and a GPT that learn 1 MB of text: the loss of text that they have not seen, beside PyTorch's.

    python tools/bench/text.py build/bin/bench_text [--nets lstm,gpt] [--seeds 3] [--epochs 4] [--record results.json]

Both start from the same weights, by seeds from 0 on, and learn from the same pieces, each in an order of its own. The
text is the first 1,000,000 bytes of this tree's C++ sources, `graph/` and then `ops/`, by their paths; its last tenth
is what they are asked of. Prints a Markdown table; with --record, of all that the file holds, which results are added
to. Needs PyTorch, and nothing else. Fails where the mean over seeds of the losses differs by more than 1 %.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import torch
import torch.nn.functional as F
from losses import Variables, dense, gpt, load

root = pathlib.Path(__file__).resolve().parents[2]


class Lstm(torch.nn.LSTM):
    """torch.nn.LSTM from a layer's variables: it has two biases, of which one stays 0."""

    def __init__(self, v):
        super().__init__(*v["kernel"].shape[:1], *v["recurrent_kernel"].shape[:1], batch_first=True)
        self.weight_ih_l0.data[:], self.weight_hh_l0.data[:] = v["kernel"].T, v["recurrent_kernel"].T
        self.bias_ih_l0.data[:], self.bias_hh_l0.data[:] = v["bias"], 0
        self.bias_hh_l0.requires_grad_(False)


def character_lstm(variables):
    lstm, embeddings, head = (variables.layer(name) for name in ("lstm", "embedding", "dense"))
    lstm, embeddings = Lstm(lstm), embeddings["embeddings"]
    return lambda x: dense(lstm(F.embedding(x, embeddings))[0], head), [*lstm.parameters(), embeddings, *head.values()]


def character_gpt(variables):
    def logits(x):
        variables.begin()
        return gpt(x, variables)

    return logits, variables.all.values()


NETS = {"lstm": (character_lstm, 100, 32, 3e-3), "gpt": (character_gpt, 48, 16, 3e-3)}


def text():
    paths = sorted(p for folder in ("graph", "ops") for p in (root / folder).rglob("*") if p.suffix in (".h", ".cpp"))
    return b"".join(p.read_bytes() for p in paths)[:1000000]


def trained(name, data, start, seed, epochs):
    """What PyTorch gets from `start`: the losses of what it knows and of the rest, after each epoch."""
    net, length, batch, rate = NETS[name]
    logits, parameters = net(Variables(start))
    parameters = [p for p in parameters if p.requires_grad]
    numbers, known = torch.tensor(list(data)), len(data) // 10 * 9
    pieces, rest = (part.unfold(0, length + 1, length) for part in (numbers[:known], numbers[known:]))
    order = torch.Generator().manual_seed(seed)
    adam = torch.optim.Adam(parameters, lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, epochs * -(-len(pieces) // batch))

    def loss(piece):
        return F.cross_entropy(logits(piece[:, :-1]).flatten(0, 1), piece[:, 1:].flatten())

    results = []
    for _ in range(epochs):
        losses = []
        for rows in torch.randperm(len(pieces), generator=order).split(batch):
            value = loss(pieces[rows])
            adam.zero_grad()
            value.backward()
            adam.step()
            schedule.step()
            losses.append(len(rows) * value.item())
        with torch.no_grad():
            unseen = sum(len(piece) * loss(piece).item() for piece in rest.split(256))
        results.append([sum(losses) / len(pieces), unseen / len(rest)])
    return results


def both(program, name, data, seed, epochs):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "text"
        path.write_bytes(data)
        ours = subprocess.run([program, name, path, folder, str(seed), str(epochs)], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
        start = load(pathlib.Path(folder) / f"{name}.safetensors")
    return {"epochs": epochs, "oxbow": [[float(x) for x in line.split()] for line in ours.splitlines()],
            "torch": trained(name, data, start, seed, epochs)}


def spread(values):
    return f"{statistics.mean(values):.4f}, {min(values):.4f} to {max(values):.4f}"


def table(results):
    """Whether each difference is within 1 %."""
    print("| network | epochs | loss of what it learns: mean, range, Oxbow | PyTorch | of the rest, Oxbow | PyTorch | "
          "difference |")
    print("|---|---|---|---|---|---|---|")
    worst = 0
    for name, runs in results.items():
        last = {(who, i): [run[who][-1][i] for run in runs] for who in ("oxbow", "torch") for i in (0, 1)}
        difference = statistics.mean(last["oxbow", 1]) / statistics.mean(last["torch", 1]) - 1
        worst = max(worst, abs(difference))
        print(f"| {name} | {runs[0]['epochs']} | " + " | ".join(spread(last[who, i]) for i in (0, 1) for who in
              ("oxbow", "torch")) + f" | {difference:+.2%} |")
    return worst <= 0.01


def main():
    options = argparse.ArgumentParser()
    options.add_argument("program", help="bench_text")
    options.add_argument("--nets", default=",".join(NETS), help="separated by commas")
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--epochs", type=int, default=4)
    options.add_argument("--record", help="a JSON file that results are added to")
    o = options.parse_args()

    results, data = {}, text()
    if o.record and os.path.exists(o.record):
        results = json.loads(pathlib.Path(o.record).read_text())
    for name in [n for n in o.nets.split(",") if n]:
        results[name] = []
        for seed in range(o.seeds):
            results[name].append(both(o.program, name, data, seed, o.epochs))
            if o.record:
                pathlib.Path(o.record).write_text(json.dumps(results, indent=1))
    sys.exit(not table(results))


if __name__ == "__main__":
    main()
