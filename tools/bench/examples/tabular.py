"""The twin of tools/examples/tabular.cpp in PyTorch. Arguments: the number of epochs, a seed."""

import copy
import sys

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def flats(n):
    size, age, floor = 20 + 120 * torch.rand(n), 100 * torch.rand(n), torch.randint(0, 9, (n,)).float()
    district, haggling = torch.randint(0, 6, (n,)), 120 * torch.rand(n) - 60
    square_metre = torch.tensor([9, 11, 12, 14, 18, 25])[district]
    rent = size * square_metre * torch.where(age > 80, 1.2, 1 - age / 400) + 15 * floor + haggling
    return torch.stack([size, age, floor], 1), district, rent


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.embed = nn.BatchNorm1d(3), nn.Embedding(6, 4)
        self.net = nn.Sequential(
            nn.Linear(7, 64), nn.ReLU(), nn.Dropout(0.05), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, numbers, district):
        return self.net(torch.cat([self.norm(numbers), self.embed(district)], 1)).squeeze(1)


torch.manual_seed(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
table = flats(6000)
train = DataLoader(TensorDataset(*(column[:4800] for column in table)), batch_size=64, shuffle=True)
numbers, district, rent = (column[4800:] for column in table)
net = Net()
adam = torch.optim.Adam(net.parameters(), lr=2e-3)
best_loss, best_epoch, epoch = float("inf"), 0, 0
for epoch in range(1, 1 + int(sys.argv[1] if len(sys.argv) > 1 else 60)):
    net.train()
    for some_numbers, some_district, some_rent in train:
        loss = F.mse_loss(net(some_numbers, some_district), some_rent / 100)
        adam.zero_grad()
        loss.backward()
        adam.step()
    net.eval()
    with torch.no_grad():
        loss = F.mse_loss(net(numbers, district), rent / 100).item()
    if loss < best_loss:
        best_loss, best_epoch, best = loss, epoch, copy.deepcopy(net.state_dict())
    elif epoch == best_epoch + 8:
        break
net.load_state_dict(best)
with torch.no_grad():
    guessed = 100 * net(numbers, district)
print(f"best of {epoch} epochs: {best_epoch}")
print(f"off by {F.l1_loss(guessed, rent):.1f}, of flats that it has not seen")
for (size, age, floor), where, wanted, guess in list(zip(numbers, district, rent, guessed))[:5]:
    print(f"{size:3.0f} square metres, {age:2.0f} years old, floor {floor:.0f}, district {where}: "
          f"{wanted:5.0f}, guessed {guess:5.0f}")
