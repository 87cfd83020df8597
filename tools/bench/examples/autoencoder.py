"""The twin of tools/examples/autoencoder.cpp in PyTorch. Arguments: the folder with the MNIST files, the number of
epochs, a seed."""

import gzip
import sys

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader


def images(part):
    with gzip.open(f"{folder}/{part}-images-idx3-ubyte.gz") as f:
        return torch.frombuffer(bytearray(f.read()), dtype=torch.uint8, offset=16).view(-1, 784) / 255


def show(before, after):
    for row in range(0, 28, 2):  # a letter is twice as high as wide
        greys = [digit.view(28, 28)[row : row + 2].mean(0) for digit in (before, after)]
        print("".join(" .:*#@"[int(5.99 * grey)] for grey in torch.cat(greys)))


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(784, 128), nn.Linear(128, 32)
        self.back_bias, self.out_bias = nn.Parameter(torch.zeros(128)), nn.Parameter(torch.zeros(784))
        for layer in (self.first, self.second):
            nn.init.xavier_uniform_(layer.weight)

    def forward(self, x):
        code = self.second(F.relu(self.first(x)))
        back = F.relu(F.linear(code, self.second.weight.T, self.back_bias))
        return F.linear(back, self.first.weight.T, self.out_bias)


folder = sys.argv[1] if len(sys.argv) > 1 else "tools/data/mnist10k"
torch.manual_seed(int(sys.argv[3]) if len(sys.argv) > 3 else 0)
train, test = images("train"), images("t10k")
net = Autoencoder()
adam = torch.optim.Adam(net.parameters(), lr=2e-3)
for epoch in range(1, 1 + int(sys.argv[2] if len(sys.argv) > 2 else 10)):
    losses = errors = 0
    for x in DataLoader(train, batch_size=64, shuffle=True):
        logits = net(x)
        loss = F.binary_cross_entropy_with_logits(logits, x)
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses += len(x) * loss.item()
        errors += len(x) * F.mse_loss(logits.detach().sigmoid(), x).item()
    with torch.no_grad():
        restored = net(test).sigmoid()
    print(f"epoch {epoch:2}  loss {losses / len(train):.4f}  squared error {errors / len(train):.4f}, "
          f"of test digits {F.mse_loss(restored, test):.4f}")
show(test[0], restored[0])
