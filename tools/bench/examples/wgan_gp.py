"""The twin of tools/examples/wgan_gp.cpp in PyTorch. Arguments: the number of steps, a seed."""

import sys

import matplotlib.pyplot as plt
import torch
from torch import nn

ANGLE = torch.arange(8) * torch.pi / 4
CENTRES = torch.stack([ANGLE.cos(), ANGLE.sin()], 1)


def heaps(n):
    return CENTRES[torch.randint(8, (n,))] + 0.05 * torch.randn(n, 2)


def perceptron(outputs):
    return nn.Sequential(nn.Linear(2, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, outputs))


torch.manual_seed(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
generator, critic = perceptron(2), perceptron(1)
critic_adam = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.0, 0.9))
generator_adam = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.0, 0.9))
for _ in range(int(sys.argv[1] if len(sys.argv) > 1 else 3000)):
    for _ in range(5):  # the critic is to rate real points higher, by slopes of 1 in between
        real = heaps(128)
        made = generator(torch.randn(128, 2)).detach()
        between = torch.lerp(made, real, torch.rand(128, 1)).requires_grad_()
        (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        loss = (slope.norm(dim=1) - 1).square().mean() - (critic(real) - critic(made)).mean()
        critic_adam.zero_grad()
        loss.backward()
        critic_adam.step()
    loss = -critic(generator(torch.randn(128, 2))).mean()
    generator_adam.zero_grad()
    loss.backward()
    generator_adam.step()

wanted, made = heaps(1000), generator(torch.randn(1000, 2)).detach()
print(*(torch.cdist(made, CENTRES) < 0.2).sum(0).tolist(), "of 1000 points lie in the heaps")
plt.figure(figsize=(6, 6))
plt.scatter(*wanted.T, s=4, label="wanted")
plt.scatter(*made.T, s=4, label="made")
plt.legend()
plt.savefig("wgan_gp.svg")
