"""The twin of tools/examples/unet.cpp in PyTorch. Arguments: the number of epochs, a seed."""

import sys

import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def shapes(n):
    """Images [n, 1, 32, 32] and labels [n, 32, 32]: nothing, squares, discs of the same grey."""
    place, noise = torch.rand(n, 3, 1, 1), 0.8 * torch.rand(n, 32, 32) - 0.4
    down = (torch.arange(32)[:, None] - 7 - 18 * place[:, 0]).abs()
    across = (torch.arange(32) - 7 - 18 * place[:, 1]).abs()
    disc = (torch.arange(n) % 2 == 1)[:, None, None]
    inside = torch.where(disc, torch.hypot(down, across), torch.maximum(down, across)) < 5 + 5 * place[:, 2]
    return (noise + torch.where(inside, 0.7, 0.3))[:, None], inside * (1 + disc.long())


def convs(inputs, filters):
    return nn.Sequential(nn.Conv2d(inputs, filters, 3, padding=1), nn.BatchNorm2d(filters), nn.ReLU(),
                         nn.Conv2d(filters, filters, 3, padding=1), nn.BatchNorm2d(filters), nn.ReLU())


class U(nn.Module):
    """What is seen at this size, beside what a U below sees at half of it."""

    def __init__(self, inputs, filters, depth):
        super().__init__()
        self.down, self.out = convs(inputs, filters), convs(2 * filters, filters)
        below = U(filters, 2 * filters, depth - 1) if depth > 1 else convs(filters, 2 * filters)
        self.below = nn.Sequential(nn.MaxPool2d(2), below, nn.ConvTranspose2d(2 * filters, filters, 2, stride=2))

    def forward(self, x):
        here = self.down(x)
        return self.out(torch.cat([here, self.below(here)], 1))


torch.manual_seed(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
x, label = shapes(1500)
train = DataLoader(TensorDataset(x[:1200], label[:1200]), batch_size=32, shuffle=True)
x, label = x[1200:], label[1200:]
net = nn.Sequential(U(1, 8, 3), nn.Conv2d(8, 3, 1))
adam = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(1, 1 + int(sys.argv[1] if len(sys.argv) > 1 else 8)):
    net.train()
    losses = right = 0
    for some_x, some_label in train:
        logits = net(some_x)
        loss = F.cross_entropy(logits, some_label)
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses += len(some_x) * loss.item() / 1200
        right += (logits.argmax(1) == some_label).sum().item() / (1200 * 32 * 32)
    net.eval()
    with torch.no_grad():
        logits = net(x)
    found = logits.argmax(1)
    print(f"epoch {epoch}: loss {losses:.6g}, accuracy {right:.6g}, val_loss {F.cross_entropy(logits, label):.6g}, "
          f"val_accuracy {(found == label).float().mean():.6g}")
sheet = torch.cat([x.squeeze(1), label / 2, found / 2], 1)[:8].clamp(0, 1).transpose(0, 1).flatten(1)
Image.fromarray((255 * sheet).byte().numpy()).resize((512, 192), Image.Resampling.NEAREST).save("unet.png")
