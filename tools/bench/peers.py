"""The peers' side of the comparison: one training step of a net, in PyTorch (eager or compiled, convolutions also with
channels last) or JAX.

A worker: says "loaded" before anything is built and waits for a line; "first" after the first step; "ready", with the
bytes of weights and moments, after nine more; then for each line "go SECONDS" it runs steps for so long and prints the
median milliseconds a step. It ends at end of input. tools/bench/compare.py starts workers and takes them in turn.

    python tools/bench/peers.py torch|torch_last|compiled|compiled_last|jax NET THREADS
"""

import os
import statistics
import sys
import time

PEERS = ["torch", "torch_last", "compiled", "compiled_last", "jax"]
CONVOLUTIONS = ["lenet", "resnet20", "mobilenet"]  # what channels last is for
MOBILENET = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)]  # filters and stride of each block
LAYERS = {"mlp": ([784, 256, 256, 10], 32), "mlp_large": ([784, 1024, 1024, 10], 1024), "micro": ([10, 32, 32, 1], 1)}


class Transformer:
    def __init__(self, layers, width, heads, length, batch, letters, tied=False):
        self.layers, self.width, self.heads, self.length = layers, width, heads, length
        self.batch, self.letters, self.tied = batch, letters, tied


TRANSFORMERS = {
    "gpt": Transformer(4, 128, 4, 64, 12, 65),
    "gpt2_wide": Transformer(2, 768, 12, 256, 2, 65),
    "gpt2": Transformer(12, 768, 12, 256, 1, 50257, tied=True),
}
# What is read of a kernel by itself: "attention_256" and, causal, "causal_256", of 12 heads of 64.
ATTENTION = [f"{kind}_{length}" for kind in ("attention", "causal") for length in (64, 256, 1024, 2048)]


def serve(build):
    print("loaded", flush=True)
    sys.stdin.readline()
    step, state_bytes = build()
    step()
    print("first", flush=True)
    for _ in range(9):
        step()
    print("ready", state_bytes, flush=True)
    for line in sys.stdin:
        seconds, times, start = float(line.split()[1]), [], time.perf_counter()
        while time.perf_counter() - start < seconds or len(times) < 3:
            t = time.perf_counter()
            step()
            times.append(time.perf_counter() - t)
        print(1e3 * statistics.median(times), flush=True)


def main():
    peer, net, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    if peer == "jax":
        import peers_jax

        serve(lambda: peers_jax.step_of(net))
    else:
        import peers_torch

        serve(peers_torch.prepare(net, threads, peer.startswith("compiled"), peer.endswith("_last")))


if __name__ == "__main__":
    main()
