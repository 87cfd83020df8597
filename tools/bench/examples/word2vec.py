"""The twin of tools/examples/word2vec.cpp in PyTorch. Arguments: the number of epochs, a seed."""

import sys

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader

# Eight kinds of five words, one after another; and sentences, as the kinds of their words.
WORDS = ("cat dog horse cow mouse bread soup rice cheese pie anna ben mary tom eve paris rome oslo lima cairo "
         "january march july october december red blue green white black eats wants cooks likes smells "
         "sees visits loves leaves paints").split()
SENTENCES = [[0, 6, 1], [5, 0, 6, 1], [2, 6, 5, 1], [2, 7, 3, 4], [4, 2, 7, 3], [2, 7, 5, 0]]


def text(count):
    kinds = [kind for which in torch.randint(6, (count,)).tolist() for kind in SENTENCES[which]]
    return 5 * torch.tensor(kinds) + torch.randint(5, (len(kinds),))


torch.manual_seed(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
pieces = text(8000).unfold(0, 5, 1)
embed, context = nn.Embedding(40, 16), nn.Embedding(40, 16)
for table in (embed, context):
    nn.init.uniform_(table.weight, -0.05, 0.05)
adam = torch.optim.Adam([*embed.parameters(), *context.parameters()], lr=2e-3)
for epoch in range(1, 1 + int(sys.argv[1] if len(sys.argv) > 1 else 10)):
    losses = 0
    for piece in DataLoader(pieces, batch_size=64, shuffle=True):
        word, near = embed(piece[:, 2:3]), context(piece[:, [0, 1, 3, 4]])
        far = context(torch.randint(40, (len(piece), 8)))
        pull, push = (word * near).sum(-1), (word * far).sum(-1)
        loss = F.softplus(torch.cat([-pull, push], 1)).sum(1).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses += len(piece) * loss.item()
    print(f"epoch {epoch}: loss {losses / len(pieces):.6g}")

unit = F.normalize(embed.weight.detach(), dim=1)
nearest = (unit @ unit.T).topk(4).indices.tolist()  # the first is the word itself
for i in range(0, 40, 5):
    print(f"{WORDS[i]:8} {', '.join(WORDS[j] for j in nearest[i][1:])}")
alike = sum(row[1] // 5 == i // 5 for i, row in enumerate(nearest))
print(f"of 40 words, {alike} have one of their own kind nearest")
