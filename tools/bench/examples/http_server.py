"""The twin of tools/examples/http_server.cpp in PyTorch and pandas. Arguments: the model, the port."""

import io
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
import torch

extra = {"columns": ""}
net = torch.export.load(sys.argv[1] if len(sys.argv) > 1 else "flats.pt2", extra_files=extra).module()
columns = json.loads(extra["columns"])
torch.set_num_threads(1)  # requests come side by side


class Predict(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, kind, text):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            x = pd.get_dummies(pd.read_csv(io.BytesIO(body))).reindex(columns=columns, fill_value=0)
            with torch.no_grad():
                rents = net(torch.tensor(x.values.astype("float32"))).numpy()
            self.answer(200, "text/csv", pd.DataFrame(rents, columns=["rent"]).to_csv(index=False))
        except ValueError as e:
            self.answer(400, "text/plain", f"{e}\n")

    def log_message(self, *arguments):
        pass


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 8080), Predict)
print(f"listening at http://127.0.0.1:{server.server_port}/predict", flush=True)
server.serve_forever()
