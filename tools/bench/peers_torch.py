"""Training steps of the compared nets in PyTorch. See peers.py."""

import importlib

import torch
import torch.nn.functional as F
from torch import nn

from peers import ATTENTION, LAYERS, MOBILENET, TRANSFORMERS


class Residual(nn.Module):
    def __init__(self, inputs, filters, stride):
        super().__init__()
        self.conv0 = nn.Conv2d(inputs, filters, 3, stride, padding=1, bias=False)
        self.conv1 = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
        self.norm0, self.norm1 = nn.BatchNorm2d(filters), nn.BatchNorm2d(filters)
        self.shortcut = nn.Sequential()
        if stride > 1:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, filters, 1, stride, bias=False), nn.BatchNorm2d(filters))

    def forward(self, x):
        return F.relu(self.norm1(self.conv1(F.relu(self.norm0(self.conv0(x))))) + self.shortcut(x))


def resnet20():
    layers, inputs = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()], 16
    for filters in (16, 32, 64):
        for block in range(3):
            layers.append(Residual(inputs, filters, 2 if block == 0 and filters > 16 else 1))
            inputs = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def mobilenet():
    def normed(conv):
        return [conv, nn.BatchNorm2d(conv.out_channels), nn.ReLU()]

    layers, inputs = normed(nn.Conv2d(3, 32, 3, padding=1, bias=False)), 32
    for filters, stride in MOBILENET:
        layers += normed(nn.Conv2d(inputs, inputs, 3, stride, padding=1, groups=inputs, bias=False))
        layers += normed(nn.Conv2d(inputs, filters, 1, bias=False))
        inputs = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, 10))


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


def perceptron(sizes):
    layers = []
    for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
        layers += [nn.Linear(a, b)] + ([nn.ReLU()] if i + 2 < len(sizes) else [])
    return nn.Sequential(*layers)


class Letters(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.lstm = nn.Embedding(65, 64), nn.LSTM(64, 256, batch_first=True)
        self.head = nn.Linear(256, 65)

    def forward(self, x):
        return self.head(self.lstm(self.embedding(x))[0]).flatten(0, 1)


class Block(nn.Module):
    def __init__(self, t):
        super().__init__()
        self.heads = t.heads
        self.norm0, self.norm1 = nn.LayerNorm(t.width), nn.LayerNorm(t.width)
        self.attention, self.projection = nn.Linear(t.width, 3 * t.width), nn.Linear(t.width, t.width)
        self.up, self.down = nn.Linear(t.width, 4 * t.width), nn.Linear(4 * t.width, t.width)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = (a.view(batch, length, self.heads, -1).transpose(1, 2)
                   for a in self.attention(self.norm0(x)).split(width, 2))
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.projection(seen.transpose(1, 2).reshape(batch, length, width))
        return x + self.down(F.gelu(self.up(self.norm1(x))))


class GPT(nn.Module):
    def __init__(self, t):
        super().__init__()
        self.letters, self.places = nn.Embedding(t.letters, t.width), nn.Parameter(torch.zeros(t.length, t.width))
        nn.init.normal_(self.letters.weight, std=0.02)
        self.blocks = nn.Sequential(*(Block(t) for _ in range(t.layers)))
        self.norm, self.head = nn.LayerNorm(t.width), nn.Linear(t.width, t.letters, bias=not t.tied)
        if t.tied:
            self.head.weight = self.letters.weight

    def forward(self, x):
        return self.head(self.norm(self.blocks(self.letters(x) + self.places))).flatten(0, 1)


def branches():
    x = torch.randn(64, 64)
    weights = [nn.Parameter(torch.randn(64, 64) / 8) for _ in range(64 * 8)]

    def loss_of():
        total = 0.0
        for b in range(64):
            h = x
            for k in range(8):
                h = torch.tanh(h @ weights[8 * b + k])
            total = total + h.mean()
        return total

    return weights, loss_of


IMAGES = {"lenet": (lenet, (64, 1, 28, 28)), "resnet20": (resnet20, (128, 3, 32, 32)),
          "mobilenet": (mobilenet, (64, 3, 32, 32))}


def network(net, last):
    """Parameters, and a function that gives the loss."""
    if net == "branches":
        return branches()
    if net in IMAGES:
        make, shape = IMAGES[net]
        model, x, classes = make(), torch.rand(*shape), 10
    elif net == "lstm":
        model, x, classes = Letters(), torch.randint(0, 65, (32, 100)), 65
    elif net in TRANSFORMERS:
        t = TRANSFORMERS[net]
        model, x, classes = GPT(t), torch.randint(0, t.letters, (t.batch, t.length)), t.letters
    else:
        sizes, batch = LAYERS[net]
        model, x, classes = perceptron(sizes), torch.rand(batch, sizes[0]), sizes[-1]
    if last:
        model, x = model.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    if net == "micro":
        y = torch.rand(1, 1)
        return list(model.parameters()), lambda: F.mse_loss(model(x), y)
    y = torch.randint(0, classes, (x.numel() if x.dtype == torch.int64 else len(x),))
    return list(model.parameters()), lambda: F.cross_entropy(model(x), y)


def chain(compiled):
    x0 = (torch.rand(1 << 20) - 0.5).requires_grad_()

    def loss_of(x):
        for _ in range(16):
            x = torch.tanh(1.01 * x + 0.5) - x * x
        return x.sum()

    f = torch.compile(loss_of) if compiled else loss_of

    def step():
        x0.grad = None
        f(x0).backward()

    return step


def attention(net, compiled):
    kind, length = net.split("_")
    q, k, v, dy = (torch.rand(4 if int(length) <= 256 else 1, 12, int(length), 64) for _ in range(4))
    for x in (q, k, v):
        x.requires_grad_()

    def attend():
        return F.scaled_dot_product_attention(q, k, v, is_causal=kind == "causal")

    f = torch.compile(attend) if compiled else attend
    return lambda: torch.autograd.grad(f(), (q, k, v), dy)


def adam_alone(compiled):
    parameters = [nn.Parameter(torch.rand(1000, 1000)) for _ in range(10)]
    for p in parameters:
        p.grad = torch.rand(1000, 1000)
    # The fused step is a kernel of PyTorch's own; what compiles is the one made of elementwise operations.
    adam = torch.optim.Adam(parameters, fused=not compiled, capturable=False)
    return torch.compile(adam.step) if compiled else adam.step


def step_of(net, compiled, last):
    torch.manual_seed(0)
    if net == "chain":
        return chain(compiled), 0
    if net in ATTENTION:
        return attention(net, compiled), 0
    if net == "adam":
        return adam_alone(compiled), 3 * 4 * 10**7
    parameters, loss_of = network(net, last)
    f = torch.compile(loss_of) if compiled else loss_of
    adam = torch.optim.Adam(parameters, fused=True)

    def step():
        adam.zero_grad(set_to_none=True)
        f().backward()
        adam.step()

    return step, 3 * sum(p.nbytes for p in parameters)


def prepare(net, threads, compiled, last):
    """What the compiler itself takes is loaded before a step is asked for."""
    torch.set_num_threads(threads)
    if compiled:
        importlib.import_module("torch._inductor.compile_fx")
    return lambda: step_of(net, compiled, last)
