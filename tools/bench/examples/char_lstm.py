"""The twin of tools/examples/char_lstm.cpp in PyTorch. Arguments: a text file, the number of epochs, a seed."""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader

LETTERS, UNITS, LENGTH = 256, 128, 48


class Writer(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.lstm = nn.Embedding(LETTERS, 32), nn.LSTM(32, UNITS, batch_first=True)
        self.head = nn.Linear(UNITS, LETTERS)

    def forward(self, x, state=None):
        y, state = self.lstm(self.embed(x), state)
        return self.head(y), state


torch.manual_seed(int(sys.argv[3]) if len(sys.argv) > 3 else 0)
text = Path(sys.argv[1] if len(sys.argv) > 1 else "LICENSE").read_bytes()
pieces = torch.tensor(list(text)).unfold(0, LENGTH + 1, 3)
net = Writer()
adam = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(1, 1 + int(sys.argv[2] if len(sys.argv) > 2 else 10)):
    losses = 0
    for piece in DataLoader(pieces, batch_size=32, shuffle=True):
        logits, _ = net(piece[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), piece[:, 1:].flatten())
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses += len(piece) * loss.item()
    print(f"epoch {epoch}: loss {losses / len(pieces):.6g}")

# Letter by letter. Divided by less than 1, the logits are further apart: fewer surprises.
last, state = torch.tensor([[ord("\n")]]), None
with torch.no_grad():
    for _ in range(400):
        logits, state = net(last, state)
        last = torch.multinomial(F.softmax(logits[:, -1] / 0.7, 1), 1)
        print(chr(last), end="")
print()
