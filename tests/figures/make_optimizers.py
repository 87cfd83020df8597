"""Writes tests/figures/optimizers.json: what other libraries' optimizers make of a fixed sequence of gradients.

    python -m venv VENV && VENV/bin/pip install torch keras optax schedulefree
    VENV/bin/python tests/figures/make_optimizers.py

Each case names an optimizer of Oxbow's, the fields to set, and the library that computed the figures: parameters after
some of the steps, all in double precision. tests/optim/test_optimizers_figures.cpp runs the same. The figures are kept, so
the script runs only when cases are added.

PyTorch's Muon iterates in bfloat16: here its source is run with float64 in that place, which leaves the formula.
"""

import importlib.metadata
import inspect
import json
import os
import pathlib

os.environ["KERAS_BACKEND"] = "jax"  # on torch, its schedule-free AdamW reads z after it has overwritten it (3.15.1)

import jax
import keras
import numpy as np
import optax
import schedulefree
import torch
import torch.optim._muon as torch_muon

jax.config.update("jax_enable_x64", True)
keras.config.set_floatx("float64")
torch.set_default_dtype(torch.float64)
source = inspect.getsource(torch_muon._zeropower_via_newtonschulz).replace("torch.bfloat16", "torch.float64")
exec(source, torch_muon.__dict__)

STEPS, KEPT = 60, [1, 2, 3, 6, 10, 60]
random = np.random.RandomState(20)
start = random.uniform(-1, 1, 12)
gradients = random.normal(size=(STEPS, 12)) * 10.0 ** (np.arange(12) % 4 - 2)
gradients[:3, 0] = 0  # a weight that gets no gradient at first
K, T, O, S = keras.optimizers, torch.optim, optax, schedulefree


def run_keras(optimizer, shape):
    w = keras.Variable(start[: np.prod(shape)].reshape(shape), dtype="float64")
    for g in gradients:
        optimizer.apply([jax.numpy.array(g[: np.prod(shape)].reshape(shape))], [w])
        yield np.asarray(w.value)


def run_torch(make, shape):
    w = torch.nn.Parameter(torch.tensor(start[: np.prod(shape)].reshape(shape)))
    optimizer = make([w])
    if hasattr(optimizer, "train"):
        optimizer.train()
    for g in gradients:
        w.grad = torch.tensor(g[: np.prod(shape)].reshape(shape))
        optimizer.step()
        yield w.detach().numpy()


def run_optax(transform, shape):
    w = jax.numpy.array(start[: np.prod(shape)].reshape(shape))
    state = transform.init(w)
    for g in gradients:
        updates, state = transform.update(jax.numpy.array(g[: np.prod(shape)].reshape(shape)), state, w)
        w = optax.apply_updates(w, updates)
        yield np.asarray(w)


def torch_case(kind, **options):
    return lambda shape: run_torch(lambda parameters: kind(parameters, **options), shape)


def keras_case(kind, **options):
    return lambda shape: run_keras(kind(**options), shape)


def optax_case(transform):
    return lambda shape: run_optax(transform, shape)


MATRIX, WIDE, VECTOR = [4, 3], [3, 4], [5]
pytorch = {"convention": "pytorch"}
cases = [
    ("sgd", {}, keras_case(K.SGD)),
    ("sgd", {"momentum": 0.9, "learning_rate": 0.05}, keras_case(K.SGD, momentum=0.9, learning_rate=0.05)),
    ("sgd", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
     keras_case(K.SGD, momentum=0.9, nesterov=True, weight_decay=0.1)),
    ("sgd", pytorch, torch_case(T.SGD)),
    ("sgd", pytorch | {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1},
     torch_case(T.SGD, momentum=0.9, dampening=0.3, weight_decay=0.1)),
    ("sgd", pytorch | {"momentum": 0.9, "nesterov": True}, torch_case(T.SGD, momentum=0.9, nesterov=True)),
    ("rmsprop", {}, keras_case(K.RMSprop)),
    ("rmsprop", {"momentum": 0.5, "centered": True, "weight_decay": 0.1},
     keras_case(K.RMSprop, momentum=0.5, centered=True, weight_decay=0.1)),
    ("rmsprop", pytorch, torch_case(T.RMSprop)),
    ("rmsprop", pytorch | {"momentum": 0.5, "centered": True, "weight_decay": 0.1},
     torch_case(T.RMSprop, momentum=0.5, centered=True, weight_decay=0.1)),
    ("adam", {}, keras_case(K.Adam)),
    ("adam", {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3, "weight_decay": 0.1},
     keras_case(K.Adam, learning_rate=0.01, beta_1=0.8, beta_2=0.95, epsilon=1e-3, weight_decay=0.1)),
    ("amsgrad", {"beta_2": 0.9}, keras_case(K.Adam, amsgrad=True, beta_2=0.9)),
    ("adam", pytorch, torch_case(T.Adam)),
    ("adam", pytorch | {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3, "weight_decay": 0.1},
     torch_case(T.Adam, lr=0.01, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1)),
    ("amsgrad", pytorch | {"beta_2": 0.9}, torch_case(T.Adam, amsgrad=True, betas=(0.9, 0.9))),
    ("adamw", {}, keras_case(K.AdamW)),
    ("adamw", pytorch, torch_case(T.AdamW)),
    ("adamw", pytorch | {"learning_rate": 0.1, "amsgrad": True}, torch_case(T.AdamW, lr=0.1, amsgrad=True)),
    ("adagrad", {"weight_decay": 0.1}, keras_case(K.Adagrad, weight_decay=0.1)),
    ("adagrad", pytorch, torch_case(T.Adagrad)),
    ("adagrad", pytorch | {"initial_accumulator_value": 0.2, "weight_decay": 0.1},
     torch_case(T.Adagrad, initial_accumulator_value=0.2, weight_decay=0.1)),
    ("adadelta", {"weight_decay": 0.1}, keras_case(K.Adadelta, weight_decay=0.1)),
    ("adadelta", pytorch, torch_case(T.Adadelta)),
    ("adamax", {}, keras_case(K.Adamax)),
    ("adamax", pytorch | {"epsilon": 1e-3, "weight_decay": 0.1}, torch_case(T.Adamax, eps=1e-3, weight_decay=0.1)),
    ("adamax", pytorch, torch_case(T.Adamax)),
    ("nadam", {"epsilon": 1e-3}, keras_case(K.Nadam, epsilon=1e-3)),
    ("nadam", pytorch | {"weight_decay": 0.1}, torch_case(T.NAdam, weight_decay=0.1)),
    ("radam", {}, torch_case(T.RAdam)),
    ("radam", {"beta_2": 0.99, "weight_decay": 0.1, "decoupled_weight_decay": True},
     torch_case(T.RAdam, betas=(0.9, 0.99), weight_decay=0.1, decoupled_weight_decay=True)),
    ("lion", {"weight_decay": 0.1}, keras_case(K.Lion, weight_decay=0.1)),
    ("lamb", {}, keras_case(K.Lamb)),
    ("lamb", {"weight_decay": 0.1, "epsilon": 1e-6}, optax_case(O.lamb(1e-3, weight_decay=0.1))),
    ("lars", {}, optax_case(O.lars(0.1))),
    ("adafactor", {"weight_decay": 0.1}, keras_case(K.Adafactor, weight_decay=0.1)),
    ("adafactor", {}, keras_case(K.Adafactor), VECTOR),
    ("adafactor", pytorch | {"weight_decay": 0.1}, torch_case(T.Adafactor, weight_decay=0.1)),
    ("adafactor", pytorch, torch_case(T.Adafactor), VECTOR),
    ("ftrl", {}, keras_case(K.Ftrl)),
    ("ftrl", {"learning_rate": 0.1, "l1": 0.05, "l2": 0.1, "l2_shrinkage": 0.2, "beta": 0.3},
     keras_case(K.Ftrl, learning_rate=0.1, l1_regularization_strength=0.05, l2_regularization_strength=0.1,
                l2_shrinkage_regularization_strength=0.2, beta=0.3)),
    ("ftrl", {"learning_rate_power": -0.7}, keras_case(K.Ftrl, learning_rate_power=-0.7)),
    ("rprop", {}, torch_case(T.Rprop)),
    ("asgd", {}, torch_case(T.ASGD)),
    ("asgd", {"lambda": 0.01, "t0": 5, "weight_decay": 0.1}, torch_case(T.ASGD, lambd=0.01, t0=5, weight_decay=0.1)),
    ("muon", {}, keras_case(K.Muon)),
    ("muon", {"nesterov": False}, keras_case(K.Muon, nesterov=False), WIDE),
    ("muon", {"adam_rate_ratio": 0.5}, keras_case(K.Muon, adam_lr_ratio=0.5), VECTOR),
    ("muon", pytorch, torch_case(T.Muon)),
    ("muon", pytorch, torch_case(T.Muon), WIDE),
    ("schedule_free_adamw", {}, keras_case(K.ScheduleFreeAdamW)),
    ("schedule_free_adamw", {"learning_rate": 0.01, "weight_decay": 0.1},
     torch_case(S.AdamWScheduleFree, lr=0.01, weight_decay=0.1)),
]

libraries = {"run_keras": f"keras {keras.__version__}", "run_torch": f"torch {torch.__version__.split('+')[0]}",
             "run_optax": f"optax {optax.__version__}"}
out = {"start": start.tolist(), "gradients": gradients.tolist(), "kept": KEPT, "cases": []}
for name, fields, run, *shape in cases:
    shape = shape[0] if shape else MATRIX
    library = libraries[next(n for n in run.__code__.co_names if n.startswith("run_"))]
    if name.startswith("schedule_free") and "torch" in library:
        library = f"schedulefree {importlib.metadata.version('schedulefree')}"
    kept = [w.ravel().tolist() for step, w in enumerate(map(np.copy, run(shape)), 1) if step in KEPT]
    assert np.isfinite(kept).all(), (name, fields)
    out["cases"].append({"optimizer": name, "fields": fields, "by": library, "shape": shape, "parameters": kept})

lines = ",\n".join(json.dumps(c) for c in out.pop("cases"))
head = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in out.items())
pathlib.Path(__file__).with_name("optimizers.json").write_text("{" + head + ',\n"cases": [\n' + lines + "\n]}\n")
