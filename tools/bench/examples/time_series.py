"""The twin of tools/examples/time_series.cpp in PyTorch. Arguments: the number of epochs, a seed."""

import math
import sys

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader

PAST = 48


def temperatures(hours):
    weather, t = 0, []
    for i, gust in enumerate((2 * torch.rand(hours) - 1).tolist()):
        weather = 0.98 * weather + 0.4 * gust
        t.append(12 + 6 * math.sin(2 * math.pi * (i % 24 - 9) / 24) + weather)
    return torch.tensor(t)[:, None]


class Forecaster(nn.Module):
    """The last temperature, and by how much it will change."""

    def __init__(self):
        super().__init__()
        self.gru, self.change = nn.GRU(1, 32, batch_first=True), nn.Linear(32, 1)

    def forward(self, x):
        return x[:, -1] + self.change(self.gru((x - 12) / 6)[0][:, -1])


def measure(piece):
    y, wanted, yesterday = forecast(piece[:, :-1]), piece[:, -1], piece[:, -25]
    return torch.stack([F.mse_loss(y, wanted), F.l1_loss(y, wanted), F.l1_loss(yesterday, wanted)])


torch.manual_seed(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
series = temperatures(3000)
pieces = series.unfold(0, PAST + 1, 1).transpose(1, 2)
train, test = pieces[:-(len(pieces) // 5)], pieces[-(len(pieces) // 5):]  # later hours are to test with
forecast = Forecaster()
adam = torch.optim.Adam(forecast.parameters(), lr=3e-3)
for epoch in range(1, 1 + int(sys.argv[1] if len(sys.argv) > 1 else 5)):
    sums = torch.zeros(3)
    for piece in DataLoader(train, batch_size=32, shuffle=True):
        measured = measure(piece)
        adam.zero_grad()
        measured[0].backward()
        adam.step()
        sums += len(piece) * measured.detach()
    with torch.no_grad():
        loss, error, yesterday = measure(test)
    print("epoch {}: loss {:.6g}, error {:.6g}, as yesterday {:.6g}, ".format(epoch, *sums / len(train))
          + f"val_loss {loss:.6g}, val_error {error:.6g}, val_as yesterday {yesterday:.6g}")

# From the last two days on, hour by hour: what is forecast is what the next hour is forecast from.
now = series[None, -PAST:]
with torch.no_grad():
    for i in range(24):
        now = torch.cat([now[:, 1:], forecast(now)[:, None]], 1)
        print(f"{now[0, -1, 0]:.1f}", end="\n" if i % 12 == 11 else " ")
