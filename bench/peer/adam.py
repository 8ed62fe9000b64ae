"""Steps of PyTorch's Adam, as it comes, over 200 small tensors: adam.py STEPS."""

import sys

import torch

params = [torch.zeros(16, 16, requires_grad=True) for _ in range(200)]
for p in params:
    p.grad = torch.ones(16, 16)
optimizer = torch.optim.Adam(params)
for _ in range(int(sys.argv[1])):
    optimizer.step()
