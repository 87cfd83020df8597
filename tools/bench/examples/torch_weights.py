"""The twin of tools/examples/torch_weights.cpp in PyTorch. Arguments: the folder with the MNIST files, the number of
epochs, a seed, the file with the parameters: that which the example wrote, say, with 0 epochs."""

import gzip
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8)
        self.conv2, self.bn2 = nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16)
        self.conv3, self.bn3 = nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.BatchNorm2d(32)
        self.fc = nn.Linear(32, 10)

    def forward(self, x):
        h = F.relu(self.bn1(self.conv1(x)))
        h = F.relu(self.bn2(self.conv2(h)))
        h = F.relu(self.bn3(self.conv3(h)))
        return self.fc(h.mean((2, 3)))


def digits(folder, part):
    with gzip.open(f"{folder}/{part}-images-idx3-ubyte.gz") as f:
        x = torch.frombuffer(bytearray(f.read()), dtype=torch.uint8, offset=16).view(-1, 1, 28, 28) / 255
    with gzip.open(f"{folder}/{part}-labels-idx1-ubyte.gz") as f:
        return TensorDataset(x, torch.frombuffer(bytearray(f.read()), dtype=torch.uint8, offset=8).long())


def half_mirrored(x):
    return torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x.flip(3), x)


def print_accuracy(net, when, test):
    net.eval()
    with torch.no_grad():
        for how, x in (("as they are", test[:][0]), ("half in a mirror", half_mirrored(test[:][0]))):
            logits, label = net(x), test[:][1]
            print(f"{when}: loss {F.cross_entropy(logits, label):.5f}, "
                  f"accuracy {(logits.argmax(1) == label).float().mean():.4f}, {how}")


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else "tools/data/mnist10k"
    torch.manual_seed(int(sys.argv[3]) if len(sys.argv) > 3 else 0)
    train, test = digits(folder, "train"), digits(folder, "t10k")
    net = Net()
    net.load_state_dict(load_file(sys.argv[4] if len(sys.argv) > 4 else "tools/data/digits.safetensors"))
    print_accuracy(net, "before", test)
    adam = torch.optim.Adam(net.parameters(), lr=3e-3)
    for epoch in range(int(sys.argv[2]) if len(sys.argv) > 2 else 5):
        net.train()
        for x, label in DataLoader(train, batch_size=64, shuffle=True):
            loss = F.cross_entropy(net(half_mirrored(x)), label)
            adam.zero_grad()
            loss.backward()
            adam.step()
    print_accuracy(net, "after", test)
    save_file(net.state_dict(), "tuned.safetensors")


if __name__ == "__main__":
    main()
