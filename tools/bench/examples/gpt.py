"""The twin of tools/examples/gpt.cpp in PyTorch. Arguments: a text file, the number of epochs, a seed."""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader

LETTERS, WIDTH, LENGTH, BATCH = 256, 64, 48, 16


def rotary(x):
    half = x.shape[-1] // 2
    angle = torch.outer(torch.arange(x.shape[-2]), 10000 ** (-torch.arange(half) / half))
    a, b = x.chunk(2, -1)
    return torch.cat([a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()], -1)


class Block(nn.Module):
    def __init__(self, heads):
        super().__init__()
        self.heads = heads
        self.attention_norm, self.dense_norm = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attention, self.projection = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.dense = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x):
        batch, length, _ = x.shape
        q, k, v = (a.view(batch, length, self.heads, -1).transpose(1, 2)
                   for a in self.attention(self.attention_norm(x)).chunk(3, 2))
        seen = F.scaled_dot_product_attention(rotary(q), rotary(k), v, is_causal=True)
        x = x + self.projection(seen.transpose(1, 2).reshape(batch, length, WIDTH))
        return x + self.dense(self.dense_norm(x))


torch.manual_seed(int(sys.argv[3]) if len(sys.argv) > 3 else 0)
text = torch.tensor(list(Path(sys.argv[1] if len(sys.argv) > 1 else "LICENSE").read_bytes()))
pieces = DataLoader(text.unfold(0, LENGTH + 1, 6), batch_size=BATCH, shuffle=True)
epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 10
gpt = nn.Sequential(nn.Embedding(LETTERS, WIDTH), Block(4), Block(4), nn.LayerNorm(WIDTH), nn.Linear(WIDTH, LETTERS))
adam = torch.optim.Adam(gpt.parameters(), lr=5e-3)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, epochs * len(pieces))
for epoch in range(1, epochs + 1):
    losses = 0
    for piece in pieces:
        loss = F.cross_entropy(gpt(piece[:, :-1]).flatten(0, 1), piece[:, 1:].flatten())
        adam.zero_grad()
        loss.backward()
        adam.step()
        schedule.step()
        losses += len(piece) * loss.item()
    print(f"epoch {epoch}: loss {losses / len(pieces.dataset):.6g}")

# Letter by letter. Divided by less than 1, the logits are further apart: fewer surprises.
written = text[: LENGTH // 2]
with torch.no_grad():
    for _ in range(400):
        logits = gpt(written[None, -LENGTH:])[0, -1]
        written = torch.cat([written, torch.multinomial(F.softmax(logits / 0.6, 0), 1)])
        print(chr(written[-1]), end="")
print()
