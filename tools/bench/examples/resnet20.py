"""The twin of tools/examples/resnet20.cpp in PyTorch. Arguments: the folder with the MNIST files, the number of epochs,
a seed, `depthwise`."""

import gzip
import sys

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2


class Digits(Dataset):
    def __init__(self, part, transform=nn.Identity()):
        with gzip.open(f"{folder}/{part}-images-idx3-ubyte.gz") as f:
            self.x = torch.frombuffer(bytearray(f.read()), dtype=torch.uint8, offset=16).view(-1, 1, 28, 28) / 255
        with gzip.open(f"{folder}/{part}-labels-idx1-ubyte.gz") as f:
            self.label = torch.frombuffer(bytearray(f.read()), dtype=torch.uint8, offset=8).long()
        self.transform = transform

    def __len__(self):
        return len(self.x)

    def __getitem__(self, row):
        return self.transform(self.x[row]), self.label[row]


def conv(inputs, filters, size, stride, groups=1):
    made = nn.Conv2d(inputs, filters, size, stride, padding=size // 2, groups=groups, bias=False)
    nn.init.kaiming_normal_(made.weight)
    return made


def conv_norm(inputs, filters, size, stride, depthwise):
    if depthwise and size > 1:
        return nn.Sequential(conv(inputs, inputs, size, stride, inputs), conv_norm(inputs, filters, 1, 1, False))
    return nn.Sequential(conv(inputs, filters, size, stride), nn.BatchNorm2d(filters))


class Block(nn.Module):
    """Two convolutions beside a shortcut, which is a convolution of single pixels where the shape changes."""

    def __init__(self, inputs, filters, stride):
        super().__init__()
        self.shortcut = conv_norm(inputs, filters, 1, stride, depthwise) if stride > 1 else nn.Identity()
        self.two = nn.Sequential(conv_norm(inputs, filters, 3, stride, depthwise), nn.ReLU(),
                                 conv_norm(filters, filters, 3, 1, depthwise))

    def forward(self, x):
        return F.relu(self.two(x) + self.shortcut(x))


def run(data, learn):
    """Mean loss and accuracy, in batches."""
    net.train(learn)
    loss_sum = right = 0
    for x, label in data:
        with torch.set_grad_enabled(learn):
            logits = net(x)
            loss = F.cross_entropy(logits, label)
        if learn:
            adam.zero_grad()
            loss.backward()
            adam.step()
            schedule.step()
        loss_sum += len(x) * loss.item()
        right += (logits.argmax(1) == label).sum().item()
    return loss_sum / len(data.dataset), right / len(data.dataset)


folder = sys.argv[1] if len(sys.argv) > 1 else "tools/data/mnist10k"
epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
torch.manual_seed(int(sys.argv[3]) if len(sys.argv) > 3 else 0)
depthwise = len(sys.argv) > 4
train = DataLoader(Digits("train", v2.RandomCrop(28, padding=2)), batch_size=64, shuffle=True)
test = DataLoader(Digits("t10k"), batch_size=256)
layers, inputs = [conv_norm(1, 16, 3, 2, False), nn.ReLU()], 16
for filters in (16, 32, 64):
    for i in range(3):
        layers.append(Block(inputs, filters, 2 if filters > 16 and i == 0 else 1))
        inputs = filters
net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
adam = torch.optim.Adam(net.parameters(), lr=3e-3)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, epochs * len(train))
for epoch in range(1, epochs + 1):
    loss, accuracy = run(train, learn=True)
    val_loss, val_accuracy = run(test, learn=False)
    print(f"epoch {epoch}: loss {loss:.6g}, accuracy {accuracy:.6g}, val_loss {val_loss:.6g}, "
          f"val_accuracy {val_accuracy:.6g}")
