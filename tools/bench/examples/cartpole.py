"""The twin of tools/examples/cartpole.cpp in PyTorch. Arguments: the number of rounds, a seed."""

import math
import sys

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def push(x, speed, angle, turn, right):
    """The cart 0.02 s later."""
    s, c = math.sin(angle), math.cos(angle)
    force = ((10 if right else -10) + 0.05 * turn**2 * s) / 1.1
    fall = (9.8 * s - c * force) / (0.5 * (4 / 3 - 0.1 * c**2 / 1.1))
    return x + 0.02 * speed, speed + 0.02 * (force - 0.05 * fall * c / 1.1), angle + 0.02 * turn, turn + 0.02 * fall


torch.manual_seed(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
actor = nn.Sequential(nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 2))
critic = nn.Sequential(nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 1))
adam = torch.optim.Adam([*actor.parameters(), *critic.parameters()], lr=5e-4)
for number in range(1, 1 + int(sys.argv[1] if len(sys.argv) > 1 else 100)):
    seen, done, good = [], [], []
    for _ in range(16):
        cart, steps = (0.1 * torch.rand(4) - 0.05).tolist(), 0
        while steps < 500 and abs(cart[0]) < 2.4 and abs(cart[2]) < 0.2095:
            with torch.no_grad():
                deed = torch.multinomial(F.softmax(actor(torch.tensor(cart)), 0), 1).item()
            seen.append(cart)
            done.append(deed)
            cart, steps = push(*cart, deed == 1), steps + 1
        # The sum of 0.99^k over the steps to come, out of that of a pole which stands for ever.
        good += [1.0 if steps == 500 else 1 - 0.99**left for left in range(steps, 0, -1)]
    tried = TensorDataset(torch.tensor(seen), torch.tensor(done), torch.tensor(good))
    for x, deed, value in DataLoader(tried, batch_size=32, shuffle=True):
        expected = critic(x).squeeze(1)
        better = (value - expected).detach()
        surprise = F.cross_entropy(actor(x), deed, reduction="none")
        loss = (better * surprise).mean() + F.mse_loss(expected, value)
        adam.zero_grad()
        loss.backward()
        adam.step()
    if number % 10 == 0:
        print(f"round {number:3}: it stands for {len(done) / 16:.0f} steps")
