"""The nets of tests/onnx/models.py, small and with random weights: each a module in PyTorch, what it is fed, and the
learning rate with which it is trained. The first four are torchvision's, the others are written out here.

Nets with batch normalisation multiply what rounding does, the more the higher the rate: so theirs is low.
"""
import torch
import torch.nn.functional as F
import torchvision.models as vision
from torch import nn

BATCH, CLASSES, WORDS, TIME, WIDTH, HEADS = 8, 10, 50, 12, 32, 4


def images(size):
    return {"x": torch.randn(BATCH, 3, size, size)}


def words():
    return torch.randint(WORDS, (BATCH, TIME))


def resnet18():
    return vision.resnet18(num_classes=CLASSES), images(128), 1e-4


def mobilenet_v2():
    return vision.mobilenet_v2(num_classes=CLASSES, dropout=0.0), images(128), 1e-5


def efficientnet_b0():
    return vision.efficientnet_b0(num_classes=CLASSES, dropout=0.0, stochastic_depth_prob=0.0), images(128), 1e-4


def vit():
    net = vision.VisionTransformer(image_size=32, patch_size=8, num_layers=2, num_heads=HEADS, hidden_dim=WIDTH,
                                   mlp_dim=4 * WIDTH, num_classes=CLASSES)
    nn.init.normal_(net.heads.head.weight, std=0.1)  # which torchvision starts from zero
    return net, images(32), 1e-2


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)

    def forward(self, x, causal=False, mask=None):
        qkv = self.qkv(x).unflatten(-1, (3 * HEADS, -1)).transpose(1, 2)
        q, k, v = (qkv[:, i * HEADS : (i + 1) * HEADS] for i in range(3))
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)
        return self.out(y.transpose(1, 2).flatten(2))


class GPT2(nn.Module):
    """Words and places, a block that normalises first, and the embedding again as the head."""

    def __init__(self):
        super().__init__()
        self.word, self.place = nn.Embedding(WORDS, WIDTH), nn.Embedding(TIME, WIDTH)
        self.ln1, self.ln2, self.ln = (nn.LayerNorm(WIDTH) for _ in range(3))
        self.attention = Attention()
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
        nn.init.normal_(self.word.weight, std=0.1)

    def forward(self, ids):
        x = self.word(ids) + self.place(torch.arange(ids.shape[1]))
        x = x + self.attention(self.ln1(x), causal=True)
        x = x + self.down(F.gelu(self.up(self.ln2(x)), approximate="tanh"))
        return self.ln(x) @ self.word.weight.T


def gpt2():
    return GPT2(), {"ids": words()}, 1e-2


class BERT(nn.Module):
    """Words, places and kinds, a block that normalises last, padding masked, and a head over the first word."""

    def __init__(self):
        super().__init__()
        self.word, self.place, self.kind = (nn.Embedding(n, WIDTH) for n in (WORDS, TIME, 2))
        self.ln, self.ln1, self.ln2 = (nn.LayerNorm(WIDTH) for _ in range(3))
        self.attention = Attention()
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
        self.pool, self.head = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, CLASSES)

    def forward(self, ids, kinds, mask):
        x = self.ln(self.word(ids) + self.place(torch.arange(ids.shape[1])) + self.kind(kinds))
        hidden = (1.0 - mask[:, None, None, :].to(x.dtype)) * torch.finfo(x.dtype).min
        x = self.ln1(x + self.attention(x, mask=hidden))
        x = self.ln2(x + self.down(F.gelu(self.up(x))))
        return self.head(torch.tanh(self.pool(x[:, 0])))


def bert():
    lengths = torch.tensor([TIME, 7, 9, 3] * (BATCH // 4))
    mask = (torch.arange(TIME) < lengths[:, None]).long()
    return BERT(), {"ids": words(), "kinds": torch.randint(2, (BATCH, TIME)), "mask": mask}, 1e-2


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.word = nn.Embedding(WORDS, WIDTH)
        self.lstm = nn.LSTM(WIDTH, WIDTH, num_layers=2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * WIDTH, CLASSES)

    def forward(self, ids):
        return self.head(self.lstm(self.word(ids))[0])


def lstm():
    return Tagger(), {"ids": words()}, 1e-2


class UNet(nn.Module):
    def __init__(self, width=8):
        super().__init__()

        def twice(given, made):
            return nn.Sequential(*[layer for i in (given, made) for layer in (
                nn.Conv2d(i, made, 3, padding=1, bias=False), nn.BatchNorm2d(made), nn.ReLU())])

        self.down = nn.ModuleList([twice(3, width), twice(width, 2 * width)])
        self.middle = twice(2 * width, 4 * width)
        self.up = nn.ModuleList([nn.ConvTranspose2d(4 * width, 2 * width, 2, 2), nn.ConvTranspose2d(2 * width, width, 2, 2)])
        self.after = nn.ModuleList([twice(4 * width, 2 * width), twice(2 * width, width)])
        self.head = nn.Conv2d(width, CLASSES, 1)

    def forward(self, x):
        kept = []
        for block in self.down:
            kept.append(block(x))
            x = F.max_pool2d(kept[-1], 2)
        x = self.middle(x)
        for up, block in zip(self.up, self.after):
            x = block(torch.cat([kept.pop(), up(x)], 1))
        return self.head(x)


def unet():
    return UNet(), images(32), 1e-2


NETS = [resnet18, mobilenet_v2, efficientnet_b0, vit, gpt2, bert, lstm, unet]


def made(net):
    """The module, in inference; its inputs, the rate, and labels: a class for each of its results. No two parameters are
    the same: the exporter by TorchScript writes those once, and they would be trained as one."""
    torch.manual_seed(0)
    module, inputs, rate = net()
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.dim() == 1:
                parameter += 0.1 * torch.randn_like(parameter)
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.running_mean, std=0.1)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
    module.eval()
    with torch.no_grad():
        scores = classes_last(module(*inputs.values()))
    return module, inputs, rate, torch.randint(scores.shape[-1], scores.shape[:-1])


def classes_last(scores):
    """Those of images are the second axis."""
    return scores.movedim(1, -1) if scores.dim() == 4 else scores


def loss_of(scores, labels):
    return F.cross_entropy(classes_last(scores).flatten(0, -2), labels.flatten())
