"""Trains the net of torch_weights.py on the MNIST sample, and writes tools/data/digits.safetensors. Arguments: the
folder with the MNIST files, the file to write."""

import sys

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch.utils.data import DataLoader
from torch_weights import Net, digits

torch.manual_seed(0)
net = Net()
adam = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(12):
    for x, label in DataLoader(digits(sys.argv[1], "train"), batch_size=64, shuffle=True):
        loss = F.cross_entropy(net(x), label)
        adam.zero_grad()
        loss.backward()
        adam.step()
save_file(net.state_dict(), sys.argv[2])
