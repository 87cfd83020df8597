"""The twin of tools/examples/vae.cpp in PyTorch. Arguments: the folder with the MNIST files, the number of epochs, a
seed."""

import gzip
import sys

import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader

SIZE = 16  # of the code that a digit is described by


def images(part):
    with gzip.open(f"{folder}/{part}-images-idx3-ubyte.gz") as f:
        return torch.frombuffer(bytearray(f.read()), dtype=torch.uint8, offset=16).view(-1, 784) / 255


def perceptron(inputs, outputs):
    return nn.Sequential(nn.Linear(inputs, 256), nn.ReLU(), nn.Linear(256, outputs))


def measure(x):
    """What the images are off by, and the divergence. In training a code is drawn, else it is the middle one."""
    center, log_variance = encode(x).chunk(2, 1)
    z = center + (0.5 * log_variance).exp() * torch.randn_like(center) if encode.training else center
    error = F.binary_cross_entropy_with_logits(decode(z), x, reduction="sum") / len(x)
    divergence = (center.square() + log_variance.exp() - log_variance - 1).sum(1).mean() / 2
    return torch.stack([error, divergence])


folder = sys.argv[1] if len(sys.argv) > 1 else "tools/data/mnist10k"
torch.manual_seed(int(sys.argv[3]) if len(sys.argv) > 3 else 0)
train, test = images("train"), images("t10k")
encode, decode = perceptron(784, 2 * SIZE), perceptron(SIZE, 784)
adam = torch.optim.Adam([*encode.parameters(), *decode.parameters()], lr=2e-3)
for epoch in range(1, 1 + int(sys.argv[2] if len(sys.argv) > 2 else 20)):
    sums = torch.zeros(2)
    encode.train()
    for x in DataLoader(train, batch_size=64, shuffle=True):
        measured = measure(x)
        adam.zero_grad()
        measured.sum().backward()
        adam.step()
        sums += len(x) * measured.detach()
    encode.eval()
    with torch.no_grad():
        test_loss = measure(test).sum()
    error, divergence = sums / len(train)
    print(f"epoch {epoch:2}  loss {error + divergence:.1f} = error {error:.1f} + divergence {divergence:.1f}, "
          f"test loss {test_loss:.1f}")

# New codes, from the distribution towards which the divergence drew those of digits.
with torch.no_grad():
    digits = decode(torch.randn(16, SIZE)).sigmoid()
sheet = (255 * digits).byte().view(4, 4, 28, 28).transpose(1, 2).reshape(112, 112)
Image.fromarray(sheet.numpy()).resize((224, 224), Image.Resampling.NEAREST).save("vae.png")
print("vae.png shows 16 digits that nobody wrote")
