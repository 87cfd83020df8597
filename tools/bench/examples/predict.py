"""The twin of tools/examples/predict.cpp in PyTorch and pandas. Arguments: the model, a CSV file."""

import json
import sys

import pandas as pd
import torch

extra = {"columns": "", "labels": ""}
net = torch.export.load(sys.argv[1] if len(sys.argv) > 1 else "flats.pt2", extra_files=extra).module()
table = pd.read_csv(sys.argv[2] if len(sys.argv) > 2 else "tools/data/flats.csv")
x = pd.get_dummies(table).reindex(columns=json.loads(extra["columns"]), fill_value=0)
with torch.no_grad():
    predictions = net(torch.tensor(x.values.astype("float32"))).numpy()
if labels := json.loads(extra["labels"]):
    answers = pd.DataFrame(predictions, columns=["district=" + label for label in labels])
    answers.insert(0, "district", [labels[best] for best in predictions.argmax(1)])
else:
    answers = pd.DataFrame(predictions, columns=["rent"])
print(answers.to_csv(index=False), end="")
