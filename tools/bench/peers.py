"""The peers' side of the comparison: one training step of a net, in PyTorch (eager, compiled) or JAX.

A worker: prints "ready", then for each line "go SECONDS" on standard input runs steps for so long and prints the median
milliseconds a step; ends at end of input. tools/bench/compare.py starts workers and takes them in turn.

    python tools/bench/peers.py torch|compiled|jax NET THREADS
"""

import os
import statistics
import sys
import time

NETS = ["mlp", "branches", "lenet", "chain", "micro", "adam"]
LAYERS = {"mlp": ([784, 256, 256, 10], 32), "micro": ([10, 32, 32, 1], 1)}


def serve(step):
    for _ in range(5):
        step()
    print("ready", flush=True)
    for line in sys.stdin:
        seconds, times, start = float(line.split()[1]), [], time.perf_counter()
        while time.perf_counter() - start < seconds or len(times) < 3:
            t = time.perf_counter()
            step()
            times.append(time.perf_counter() - t)
        print(1e3 * statistics.median(times), flush=True)


def torch_step(net, threads, compiled):
    import torch
    import torch.nn.functional as F

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    if net == "chain":
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

    if net == "adam":
        parameters = [torch.nn.Parameter(torch.rand(1000, 1000)) for _ in range(10)]
        for p in parameters:
            p.grad = torch.rand(1000, 1000)
        # The fused step is a kernel of PyTorch's own; what compiles is the one made of elementwise operations.
        adam = torch.optim.Adam(parameters, fused=not compiled, capturable=False)
        return torch.compile(adam.step) if compiled else adam.step

    if net == "branches":
        x = torch.randn(64, 64)
        weights = [torch.nn.Parameter(torch.randn(64, 64) / 8) for _ in range(64 * 8)]

        def loss_of():
            total = 0.0
            for b in range(64):
                h = x
                for k in range(8):
                    h = torch.tanh(h @ weights[8 * b + k])
                total = total + h.mean()
            return total

        parameters = weights
    elif net == "lenet":
        model = torch.nn.Sequential(
            torch.nn.Conv2d(1, 6, 5, padding=2), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
            torch.nn.Conv2d(6, 16, 5), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten(),
            torch.nn.Linear(400, 120), torch.nn.ReLU(), torch.nn.Linear(120, 84), torch.nn.ReLU(),
            torch.nn.Linear(84, 10))
        x, y = torch.rand(64, 1, 28, 28), torch.randint(0, 10, (64,))
        parameters = list(model.parameters())

        def loss_of():
            return F.cross_entropy(model(x), y)
    else:
        sizes, batch = LAYERS[net]
        layers = []
        for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
            layers += [torch.nn.Linear(a, b)] + ([torch.nn.ReLU()] if i + 2 < len(sizes) else [])
        model = torch.nn.Sequential(*layers)
        x = torch.rand(batch, sizes[0])
        y = torch.randint(0, 10, (batch,)) if net == "mlp" else torch.rand(batch, 1)
        parameters = list(model.parameters())

        def loss_of():
            return F.cross_entropy(model(x), y) if net == "mlp" else F.mse_loss(model(x), y)

    f = torch.compile(loss_of) if compiled else loss_of
    adam = torch.optim.Adam(parameters, fused=True)

    def step():
        adam.zero_grad(set_to_none=True)
        f().backward()
        adam.step()

    return step


def jax_step(net, threads):
    # XLA's own pools have a thread a core; compare.py pins a worker of one thread to one core.
    import jax
    import jax.numpy as jnp
    from jax import lax

    key = jax.random.PRNGKey(0)
    if net == "chain":
        x0 = jax.random.uniform(key, (1 << 20,)) - 0.5

        def loss_of(x):
            for _ in range(16):
                x = jnp.tanh(1.01 * x + 0.5) - x * x
            return x.sum()

        f = jax.jit(jax.value_and_grad(loss_of))
        return lambda: jax.block_until_ready(f(x0))

    def update(p, m, v, t, g):
        t = t + 1
        rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        m = [0.9 * a + 0.1 * b for a, b in zip(m, g)]
        v = [0.999 * a + 0.001 * b * b for a, b in zip(v, g)]
        p = [a - rate * b / (jnp.sqrt(c) + 1e-7) for a, b, c in zip(p, m, v)]
        return p, m, v, t

    if net == "adam":
        params = [jax.random.uniform(key, (1000, 1000)) for _ in range(10)]
        gradients = [jax.random.uniform(key, (1000, 1000)) for _ in range(10)]
        f = jax.jit(update, donate_argnums=(0, 1, 2))
        state = [params, [jnp.zeros_like(a) for a in params], [jnp.zeros_like(a) for a in params], jnp.float32(0)]

        def step():
            state[:] = f(*state, gradients)
            jax.block_until_ready(state)

        return step

    if net == "branches":
        x = jax.random.normal(key, (64, 64))
        params = [jax.random.normal(key, (64, 64)) / 8 for _ in range(64 * 8)]

        def loss_of(p, x, y):
            total = 0.0
            for b in range(64):
                h = x
                for k in range(8):
                    h = jnp.tanh(h @ p[8 * b + k])
                total = total + h.mean()
            return total

        y = None
    elif net == "lenet":
        x = jax.random.uniform(key, (64, 28, 28, 1))
        y = jax.random.randint(key, (64,), 0, 10)
        shapes = [(5, 5, 1, 6), (6,), (5, 5, 6, 16), (16,), (400, 120), (120,), (120, 84), (84,), (84, 10), (10,)]
        params = [jax.random.normal(key, s) * 0.1 for s in shapes]

        def loss_of(p, x, y):
            def conv(x, w, b, padding):
                x = lax.conv_general_dilated(x, w, (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))
                x = jax.nn.relu(x + b)
                return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

            h = conv(x, p[0], p[1], ((2, 2), (2, 2)))
            h = conv(h, p[2], p[3], "VALID").reshape(64, -1)
            h = jax.nn.relu(h @ p[4] + p[5])
            h = jax.nn.relu(h @ p[6] + p[7])
            logits = h @ p[8] + p[9]
            return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1).mean()
    else:
        sizes, batch = LAYERS[net]
        x = jax.random.uniform(key, (batch, sizes[0]))
        y = jax.random.randint(key, (batch,), 0, 10) if net == "mlp" else jax.random.uniform(key, (batch, 1))
        params = []
        for a, b in zip(sizes, sizes[1:]):
            params += [jax.random.normal(key, (a, b)) / a**0.5, jnp.zeros(b)]

        def loss_of(p, x, y):
            h = x
            for i in range(0, len(p), 2):
                h = h @ p[i] + p[i + 1]
                if i + 2 < len(p):
                    h = jax.nn.relu(h)
            if net == "micro":
                return jnp.mean((h - y) ** 2)
            return -jnp.take_along_axis(jax.nn.log_softmax(h), y[:, None], 1).mean()

    def train(p, m, v, t, x, y):
        loss, g = jax.value_and_grad(loss_of)(p, x, y)
        return *update(p, m, v, t, g), loss

    f = jax.jit(train, donate_argnums=(0, 1, 2))
    state = [params, [jnp.zeros_like(a) for a in params], [jnp.zeros_like(a) for a in params], jnp.float32(0)]

    def step():
        *state[:], loss = f(*state, x, y)
        jax.block_until_ready(loss)
        jax.block_until_ready(state[0])

    return step


if __name__ == "__main__":
    peer, net, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    serve(jax_step(net, threads) if peer == "jax" else torch_step(net, threads, peer == "compiled"))
