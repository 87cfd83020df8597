"""The twin of tools/examples/own_graph.cpp, and of the program's commands on what it writes, in PyTorch: its graph, a
profile, a training. Arguments: the number of points, a seed."""

import sys

import torch
import torch.nn.functional as F
from torch import nn
from torch.profiler import ProfilerActivity, profile
from torch.utils.data import DataLoader, TensorDataset, random_split


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 2))

    def forward(self, x, label):
        logits = self.net(x)
        return F.cross_entropy(logits, label), (logits.argmax(1) == label).float().mean()


def spirals(points):
    label, along = torch.randint(2, (points,)), 2 * torch.rand(points)
    angle = torch.pi * (along * 1.5 + label)
    x = torch.stack([along * angle.cos(), along * angle.sin()], 1)
    return TensorDataset(x + 0.03 * torch.randn_like(x), label)


torch.manual_seed(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
train, test = random_split(spirals(int(sys.argv[1]) if len(sys.argv) > 1 else 4000), [0.8, 0.2])
net = Classifier()
print(torch.export.export(net, train[:64]).graph)
with profile(activities=[ProfilerActivity.CPU]) as measured:
    net(*train[:64])
print(measured.key_averages().table(sort_by="cpu_time_total", row_limit=10))
adam = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(1, 31):
    for batch in DataLoader(train, batch_size=64, shuffle=True):
        loss = net(*batch)[0]
        adam.zero_grad()
        loss.backward()
        adam.step()
with torch.no_grad():
    loss, accuracy = net(*test[:])
print(f"test loss {loss:.4f}, test accuracy {accuracy:.4f}")
