"""Training steps of the compared nets in JAX. See peers.py.

XLA's own pools have a thread a core; compare.py pins a worker of one thread to one core.
"""

import jax
import jax.numpy as jnp
from jax import lax

from peers import ATTENTION, LAYERS, MOBILENET, TRANSFORMERS

jax.devices()  # starts the backend


class Parameters:
    """Makes parameters, and hands them out again in the same order."""

    def __init__(self):
        self.key, self.values = jax.random.PRNGKey(0), []

    def normal(self, *shape, deviation=None):
        self.key, key = jax.random.split(self.key)
        fan_in = 1
        for n in shape[:-1]:
            fan_in *= n
        self.values.append(jax.random.normal(key, shape) * (deviation or fan_in**-0.5))

    def dense(self, a, b):
        self.normal(a, b)
        self.values.append(jnp.zeros(b))

    def scale(self, n):
        self.values += [jnp.ones(n), jnp.zeros(n)]


def cross_entropy(logits, y):
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1).mean()


def conv(x, w, stride=1, padding="SAME"):
    return lax.conv_general_dilated(x, w, (stride, stride), padding, dimension_numbers=("NHWC", "HWIO", "NHWC"),
                                    feature_group_count=x.shape[3] // w.shape[2])


class BatchNorms:
    """Convolutions with batch norm, which notes the statistics for the running ones."""

    def __init__(self, p):
        self.p, self.statistics = p, []

    def __call__(self, x, stride=1):
        x = conv(x, next(self.p), stride)
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
        self.statistics += [mean, variance]
        return (x - mean) * lax.rsqrt(variance + 1e-5) * next(self.p) + next(self.p)


def lenet(make):
    for shape in [(5, 5, 1, 6), (5, 5, 6, 16)]:
        make.normal(*shape)
        make.values.append(jnp.zeros(shape[-1]))
    for a, b in [(400, 120), (120, 84), (84, 10)]:
        make.dense(a, b)

    def logits_of(p, x):
        def pooled(x, w, b, padding):
            x = jax.nn.relu(conv(x, w, padding=padding) + b)
            return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

        h = pooled(x, p[0], p[1], ((2, 2), (2, 2)))
        h = pooled(h, p[2], p[3], "VALID").reshape(64, -1)
        h = jax.nn.relu(h @ p[4] + p[5])
        h = jax.nn.relu(h @ p[6] + p[7])
        return h @ p[8] + p[9]

    return logits_of


def resnet20(make):
    shapes, inputs = [(3, 3, 16, 1)], 16
    for filters in (16, 32, 64):
        for block in range(3):
            stride = 2 if block == 0 and filters > 16 else 1
            shapes += [(3, inputs, filters, stride), (3, filters, filters, 1)]
            shapes += [(1, inputs, filters, stride)] if stride > 1 else []
            inputs = filters
    for size, a, b, _ in shapes:
        make.normal(size, size, a, b)
        make.scale(b)
    make.dense(64, 10)

    def logits_of(p, x):
        p = iter(p)
        normed = BatchNorms(p)
        h = jax.nn.relu(normed(x))
        for filters in (16, 32, 64):
            for block in range(3):
                stride = 2 if block == 0 and filters > 16 else 1
                a = normed(jax.nn.relu(normed(h, stride)))
                h = jax.nn.relu(a + (normed(h, stride) if stride > 1 else h))
        return h.mean((1, 2)) @ next(p) + next(p), normed.statistics

    return logits_of


def mobilenet(make):
    make.normal(3, 3, 3, 32)
    make.scale(32)
    inputs = 32
    for filters, _ in MOBILENET:
        make.normal(3, 3, 1, inputs)
        make.scale(inputs)
        make.normal(1, 1, inputs, filters)
        make.scale(filters)
        inputs = filters
    make.dense(inputs, 10)

    def logits_of(p, x):
        p = iter(p)
        normed = BatchNorms(p)
        h = jax.nn.relu(normed(x))
        for _, stride in MOBILENET:
            h = jax.nn.relu(normed(jax.nn.relu(normed(h, stride))))
        return h.mean((1, 2)) @ next(p) + next(p), normed.statistics

    return logits_of


IMAGES = {"lenet": (lenet, (64, 28, 28, 1)), "resnet20": (resnet20, (128, 32, 32, 3)),
          "mobilenet": (mobilenet, (64, 32, 32, 3))}
BATCH_NORMS = {"resnet20": [16] * 7 + [32] * 7 + [64] * 7,  # their channels
               "mobilenet": [32] + [n for a, b in zip([32] + [f for f, _ in MOBILENET], MOBILENET) for n in (a, b[0])]}


def lstm(make):
    make.normal(65, 64, deviation=1)
    make.normal(64, 1024)
    make.normal(256, 1024)
    make.values.append(jnp.zeros(1024))
    make.dense(256, 65)

    def logits_of(p, x):
        from_x = p[0][x].transpose(1, 0, 2) @ p[1] + p[3]

        def cell(state, z):
            h, c = state
            i, f, g, o = jnp.split(z + h @ p[2], 4, 1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        zeros = jnp.zeros((32, 256))
        _, h = lax.scan(cell, (zeros, zeros), from_x)
        return h.transpose(1, 0, 2).reshape(-1, 256) @ p[4] + p[5]

    return logits_of


def transformer(make, t):
    make.normal(t.letters, t.width, deviation=0.02)
    make.normal(t.length, t.width, deviation=0.02)
    for _ in range(t.layers):
        make.scale(t.width)
        make.dense(t.width, 3 * t.width)
        make.dense(t.width, t.width)
        make.scale(t.width)
        make.dense(t.width, 4 * t.width)
        make.dense(4 * t.width, t.width)
    make.scale(t.width)
    if not t.tied:
        make.dense(t.width, t.letters)
    seen = jnp.tril(jnp.ones((t.length, t.length), bool))

    def logits_of(p, x):
        p = iter(p)

        def norm(x):
            x = x - x.mean(-1, keepdims=True)
            return x * lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5) * next(p) + next(p)

        def dense(x):
            return x @ next(p) + next(p)

        table = next(p)
        h = table[x] + next(p)
        for _ in range(t.layers):
            heads = dense(norm(h)).reshape(t.batch, t.length, 3, t.heads, -1)
            q, k, v = (heads[:, :, i].transpose(0, 2, 1, 3) for i in range(3))
            scores = q @ k.transpose(0, 1, 3, 2) * (t.width // t.heads)**-0.5
            a = jax.nn.softmax(jnp.where(seen, scores, -jnp.inf)) @ v
            h = h + dense(a.transpose(0, 2, 1, 3).reshape(h.shape))
            h = h + dense(jax.nn.gelu(dense(norm(h)), approximate=False))
        h = norm(h)
        return (h @ table.T if t.tied else dense(h)).reshape(-1, t.letters)

    return logits_of


def perceptron(make, sizes):
    for a, b in zip(sizes, sizes[1:]):
        make.dense(a, b)

    def logits_of(p, x):
        for i in range(0, len(p), 2):
            x = x @ p[i] + p[i + 1]
            if i + 2 < len(p):
                x = jax.nn.relu(x)
        return x

    return logits_of


def branches(make):
    for _ in range(64 * 8):
        make.normal(64, 64)

    def loss_of(p, x, y):
        total = 0.0
        for b in range(64):
            h = x
            for k in range(8):
                h = jnp.tanh(h @ p[8 * b + k])
            total = total + h.mean()
        return total

    return loss_of


def network(net, make):
    """What gives the loss, perhaps with the statistics of batches, and what it is fed."""
    key = jax.random.PRNGKey(1)
    if net == "branches":
        return branches(make), jax.random.normal(key, (64, 64)), None
    if net in TRANSFORMERS:
        t = TRANSFORMERS[net]
        logits_of, classes = transformer(make, t), t.letters
        x, rows = jax.random.randint(key, (t.batch, t.length), 0, t.letters), t.batch * t.length
    elif net == "lstm":
        logits_of, classes = lstm(make), 65
        x, rows = jax.random.randint(key, (32, 100), 0, 65), 3200
    elif net in IMAGES:
        of, shape = IMAGES[net]
        logits_of, classes, x, rows = of(make), 10, jax.random.uniform(key, shape), shape[0]
    else:
        sizes, rows = LAYERS[net]
        logits_of, classes, x = perceptron(make, sizes), sizes[-1], jax.random.uniform(key, (rows, sizes[0]))
    if net == "micro":
        return lambda p, x, y: jnp.mean((logits_of(p, x) - y) ** 2), x, jax.random.uniform(key, (1, 1))

    def loss_of(p, x, y):
        if net not in BATCH_NORMS:
            return cross_entropy(logits_of(p, x), y)
        logits, statistics = logits_of(p, x)
        return cross_entropy(logits, y), statistics

    return loss_of, x, jax.random.randint(key, (rows,), 0, classes)


def update(p, m, v, t, g):
    t = t + 1
    rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    m = [0.9 * a + 0.1 * b for a, b in zip(m, g)]
    v = [0.999 * a + 0.001 * b * b for a, b in zip(v, g)]
    p = [a - rate * b / (jnp.sqrt(c) + 1e-7) for a, b, c in zip(p, m, v)]
    return p, m, v, t


def chain():
    x0 = jax.random.uniform(jax.random.PRNGKey(0), (1 << 20,)) - 0.5

    def loss_of(x):
        for _ in range(16):
            x = jnp.tanh(1.01 * x + 0.5) - x * x
        return x.sum()

    f = jax.jit(jax.value_and_grad(loss_of))
    return lambda: jax.block_until_ready(f(x0))


def attention(net):
    kind, length = net.split("_")
    shape = (4 if int(length) <= 256 else 1, int(length), 12, 64)
    values = [jax.random.uniform(jax.random.PRNGKey(i), shape) for i in range(4)]

    def step(q, k, v, dy):
        y, back = jax.vjp(lambda *a: jax.nn.dot_product_attention(*a, is_causal=kind == "causal"), q, k, v)
        return y, back(dy)

    f = jax.jit(step)
    return lambda: jax.block_until_ready(f(*values))


def adam_alone(make):
    for _ in range(10):
        make.normal(1000, 1000)
    gradients = [1.5 * a for a in make.values]
    f = jax.jit(update, donate_argnums=(0, 1, 2))
    state = start(make.values)

    def step():
        state[:] = f(*state, gradients)
        jax.block_until_ready(state)

    return step


def start(p):
    return [p, [jnp.zeros_like(a) for a in p], [jnp.zeros_like(a) for a in p], jnp.float32(0)]


def step_of(net):
    if net == "chain":
        return chain(), 0
    if net in ATTENTION:
        return attention(net), 0
    make = Parameters()
    if net == "adam":
        return adam_alone(make), 3 * 4 * 10**7
    loss_of, x, y = network(net, make)
    with_statistics = net in BATCH_NORMS
    running = [jnp.ones(n) for n in BATCH_NORMS.get(net, []) for _ in range(2)]

    def train(p, m, v, t, running, x, y):
        loss, g = jax.value_and_grad(loss_of, has_aux=with_statistics)(p, x, y)
        if with_statistics:
            loss, statistics = loss
            running = [0.9 * a + 0.1 * b for a, b in zip(running, statistics)]
        return *update(p, m, v, t, g), running, loss

    f = jax.jit(train, donate_argnums=(0, 1, 2, 4))
    state = [*start(make.values), running]
    state_bytes = 3 * sum(a.nbytes for a in make.values)
    make.values = None  # they are donated

    def step():
        *state[:], loss = f(*state, x, y)
        jax.block_until_ready(loss)
        jax.block_until_ready(state[0])

    return step, state_bytes
