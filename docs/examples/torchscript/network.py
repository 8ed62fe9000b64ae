"""Writes model.pt, the network that config.yaml trains: python network.py (PyTorch 2)."""

import torch


class Gated(torch.nn.Module):
    """A residual network of 8x8 digits whose blocks decide at run time how often they run."""

    def __init__(self, width: int = 48, most: int = 3):
        super().__init__()
        self.first = torch.nn.Linear(64, width)
        self.block = torch.nn.Sequential(torch.nn.LayerNorm(width), torch.nn.Linear(width, width), torch.nn.GELU())
        self.head = torch.nn.Linear(width, 10)
        self.most = most

    def forward(self, x):
        h = self.first(x)
        turns = 0
        while turns < self.most and bool(h.abs().mean() < 2.0):  # control flow stays in the file
            h = h + self.block(h)
            turns += 1
        return self.head(h)


torch.manual_seed(0)
torch.jit.script(Gated()).save("model.pt")
