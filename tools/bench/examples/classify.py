"""The twin of tools/examples/classify.cpp in PyTorch and pandas: writes districts.pt2, which predict.py loads.
Arguments: the file, the number of epochs, a seed."""

import json
import sys

import pandas as pd
import torch
from sklearn.metrics import classification_report, confusion_matrix
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Scaled(nn.Module):
    def __init__(self, x):
        super().__init__()
        self.register_buffer("mean", x.mean(0))
        self.register_buffer("std", x.std(0))

    def forward(self, x):
        return (x - self.mean) / self.std


path = sys.argv[1] if len(sys.argv) > 1 else "tools/data/flats.csv"
seed = int(sys.argv[3]) if len(sys.argv) > 3 else 0
torch.manual_seed(seed)
table = pd.read_csv(path)
district = table.pop("district").astype("category").cat
labels, y = [*district.categories], torch.tensor(district.codes.values, dtype=torch.long)
x = torch.tensor(table.values, dtype=torch.float32)
x, test_x, y, test_y = train_test_split(x, y, test_size=0.2, stratify=y, random_state=seed)
net = nn.Sequential(Scaled(x), nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, len(labels)))
adam = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(int(sys.argv[2]) if len(sys.argv) > 2 else 60):
    for some_x, some_y in DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True):
        loss = nn.functional.cross_entropy(net(some_x), some_y)
        adam.zero_grad()
        loss.backward()
        adam.step()
with torch.no_grad():
    found = net(test_x).argmax(1)
print(f"accuracy {(found == test_y).float().mean():.4f}")
print(classification_report(test_y, found, target_names=labels, digits=4))
print(confusion_matrix(test_y, found))
batches = [{0: torch.export.Dim.DYNAMIC}]
program = torch.export.export(nn.Sequential(net, nn.Softmax(1)), (test_x,), dynamic_shapes=batches)
extra = {"columns": json.dumps([*table.columns]), "labels": json.dumps(labels)}
torch.export.save(program, "districts.pt2", extra_files=extra)
