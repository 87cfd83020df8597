"""The twin of tools/examples/own_parts.cpp in PyTorch. Arguments: the number of epochs, a seed."""

import sys

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, TensorDataset, random_split


class Signum(torch.optim.Optimizer):
    def __init__(self, parameters, lr=0.005, beta=0.9):
        super().__init__(parameters, {"lr": lr, "beta": beta})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                mean = self.state[p].setdefault("m", torch.zeros_like(p))
                mean.mul_(group["beta"]).add_(p.grad, alpha=1 - group["beta"])
                p.add_(mean.sign(), alpha=-group["lr"])


def near(guess, y):
    return ((guess - y).abs() < 0.1).float().mean().item()


torch.manual_seed(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
x = 2 * torch.rand(1024, 2) - 1
y = torch.sin(3 * x[:, :1] + x[:, 1:])
train, test = random_split(TensorDataset(x, y), [0.8, 0.2])
net = nn.Sequential(nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 1))
optimizer = Signum(net.parameters())
schedule = LambdaLR(optimizer, lambda step: (1 + step / 20) ** -0.5)
for epoch in range(1, 1 + int(sys.argv[1] if len(sys.argv) > 1 else 200)):
    for inputs, truth in DataLoader(train, batch_size=32, shuffle=True):
        loss = nn.functional.mse_loss(net(inputs), truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        share = near(net(test[:][0]), test[:][1])
    if epoch % 20 == 0:
        print(f"epoch {epoch:3}: {100 * share:.0f} % of the points are near")
    if share > 0.98:
        break
print(f"after {epoch} epochs {100 * share:.0f} %")
