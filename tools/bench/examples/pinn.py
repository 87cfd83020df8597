"""The twin of tools/examples/pinn.cpp in PyTorch. Arguments: the number of epochs, a seed."""

import sys

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.utils.data import DataLoader


def exact(t):
    frequency = (4 - 0.25**2) ** 0.5
    return torch.exp(-0.25 * t) * (torch.cos(frequency * t) + 0.25 / frequency * torch.sin(frequency * t))


def u(t):
    return 1 + torch.tanh(t) ** 2 * net(t / 4)  # 1 and at rest at first, whatever the network says


torch.manual_seed(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
net = nn.Sequential(nn.Linear(1, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))
adam = torch.optim.Adam(net.parameters(), lr=5e-3)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, 16000)
times = 8 * torch.rand(1024, 1)
for epoch in range(1, 1 + int(sys.argv[1] if len(sys.argv) > 1 else 2000)):
    losses = 0
    for t in DataLoader(times, batch_size=128, shuffle=True):
        t.requires_grad_()
        position = u(t)
        (speed,) = torch.autograd.grad(position.sum(), t, create_graph=True)
        (acceleration,) = torch.autograd.grad(speed.sum(), t, create_graph=True)
        loss = (acceleration + speed / 2 + 4 * position).square().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        schedule.step()
        losses += len(t) * loss.item()
    if epoch % 400 == 0:
        print(f"epoch {epoch:4}  residual {losses / len(times):.6f}")

t = torch.arange(81)[:, None] / 10
truth, found = exact(t), u(t).detach()
print(f"nowhere off by more than {(found - truth).abs().max():.5f}")
plt.plot(t, truth, label="exact")
plt.plot(t, found, ".", label="the network")
plt.xlabel("time")
plt.ylabel("u")
plt.legend()
plt.savefig("pinn.svg")
