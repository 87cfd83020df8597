"""The twin of tools/examples/ode.cpp in PyTorch. Arguments: the number of epochs, a seed."""

import sys

import torch


def change(animals, rates):
    hares, lynxes = animals
    meetings = hares * lynxes
    return torch.stack([rates[0] * hares - rates[1] * meetings, rates[2] * meetings - rates[3] * lynxes])


def simulated(rates):
    y, path = torch.ones(2), []
    for _ in range(100):
        a = 0.1 * change(y, rates)
        b = 0.1 * change(y + a / 2, rates)
        c = 0.1 * change(y + b / 2, rates)
        d = 0.1 * change(y + c, rates)
        y = y + (a + 2 * b + 2 * c + d) / 6
        path.append(y)
    return torch.stack(path)


torch.set_default_dtype(torch.float64)
torch.manual_seed(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
truth = torch.tensor([1.1, 0.4, 0.1, 0.4])
path = simulated(truth)
measured = path * (1 + 0.02 * torch.randn_like(path))

log_rates = torch.full([4], -0.5, requires_grad=True)
adam = torch.optim.Adam([log_rates], lr=0.02)
for epoch in range(1, 1 + int(sys.argv[1] if len(sys.argv) > 1 else 400)):
    loss = torch.nn.functional.mse_loss(simulated(log_rates.exp()), measured)
    adam.zero_grad()
    loss.backward()
    adam.step()
    if epoch % 100 == 0:
        print(f"epoch {epoch:3}  loss {loss.item():.6f}")
births, eaten, thriving, deaths = log_rates.exp().tolist()
print(f"births {births:.3f} (1.1), eaten {eaten:.3f} (0.4), thriving {thriving:.3f} (0.1), deaths {deaths:.3f} (0.4)")
