"""The twin of tools/examples/flats.cpp in PyTorch and pandas: writes flats.pt2, which predict.py and http_server.py
load. Arguments: the file, the number of epochs, a seed."""

import io
import json
import sys

import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


class Scaled(nn.Module):
    """A network between numbers as they are counted outside."""

    def __init__(self, x, y, net):
        super().__init__()
        self.net = net
        for name, data in (("x", x), ("y", y)):
            self.register_buffer(name + "_mean", data.mean(0))
            self.register_buffer(name + "_std", data.std(0))

    def forward(self, x):
        return self.net((x - self.x_mean) / self.x_std) * self.y_std + self.y_mean


path = sys.argv[1] if len(sys.argv) > 1 else "tools/data/flats.csv"
torch.manual_seed(int(sys.argv[3]) if len(sys.argv) > 3 else 0)
table = pd.read_csv(path)
rent = torch.tensor(table.pop("rent").values, dtype=torch.float32)[:, None]
encoded = pd.get_dummies(table, dtype="float32")
train, test = random_split(TensorDataset(torch.tensor(encoded.values, dtype=torch.float32), rent), [0.8, 0.2])
net = Scaled(*train[:], nn.Sequential(nn.Linear(encoded.shape[1], 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(),
                                      nn.Linear(64, 1)))
adam = torch.optim.Adam(net.parameters())
for epoch in range(int(sys.argv[2]) if len(sys.argv) > 2 else 60):
    for x, y in DataLoader(train, batch_size=32, shuffle=True):
        loss = nn.functional.mse_loss(net(x) / net.y_std, y / net.y_std)
        adam.zero_grad()
        loss.backward()
        adam.step()
x, y = test[:]
with torch.no_grad():
    error = nn.functional.l1_loss(net(x), y).item()
print(f"of flats that it has not seen: error {error:.6g}")
program = torch.export.export(net, (x,), dynamic_shapes=[{0: torch.export.Dim.DYNAMIC}])
extra = {"columns": json.dumps([*encoded.columns]), "labels": "[]"}
torch.export.save(program, "flats.pt2", extra_files=extra)

asked = pd.read_csv(io.StringIO("size,age,floor,district\n75,12,3,Hafen\n75,12,3,Nord\n30,90,0,Altstadt\n"))
columns = {"columns": ""}
served = torch.export.load("flats.pt2", extra_files=columns).module()  # in any other program
x = pd.get_dummies(asked).reindex(columns=json.loads(columns["columns"]), fill_value=0)
rents = served(torch.tensor(x.values.astype("float32")))[:, 0].tolist()
for size, district, guess in zip(asked["size"], asked["district"], rents):
    print(f"{size} square metres in {district}: {guess:.6g}")
