"""Write sliding.json, what MONAI's SlidingWindowInferer gives: sliding.py (needs torch and monai==1.6.1)."""

import json
import pathlib

import torch
from monai.inferers import SlidingWindowInferer


def ramp(*shape):
    n = torch.Size(shape).numel()
    v = torch.sin(torch.arange(1, n + 1, dtype=torch.float64) * 12.9898) * 43758.5453
    return ((v - v.floor() - 0.5) * 2).reshape(shape).float()


def encode(t):
    return {"dtype": "float32", "shape": list(t.shape), "data": t.flatten().tolist()}


def network(x):
    """Depends on the place within a window, so that each window counts."""
    steps = torch.arange(x.shape[-1], dtype=torch.float32)
    return torch.cat([x.cumsum(-1), x * steps], 1)


cases = []
for shape, kwargs in [
    ([2, 1, 7, 9], {"roi_size": 4}),
    ([1, 1, 8, 8], {"roi_size": [4, 4], "sw_batch_size": 3, "overlap": 0.5, "mode": "gaussian"}),
    ([1, 1, 7, 5], {"roi_size": [-1, 3], "overlap": [0.0, 0.6], "mode": "gaussian", "sigma_scale": 0.3}),
    ([1, 1, 3, 5], {"roi_size": [6, 4], "sw_batch_size": 2, "padding_mode": "constant", "cval": 0.5}),
    ([1, 1, 5, 6], {"roi_size": 7, "padding_mode": "reflect"}),
    ([1, 1, 5, 4, 6], {"roi_size": [3, 3, 4], "sw_batch_size": 4, "overlap": 0.25, "mode": "gaussian"}),
]:
    x = ramp(*shape)
    cases.append({"input": encode(x), "args": kwargs, "output": encode(SlidingWindowInferer(**kwargs)(x, network))})
lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
pathlib.Path(__file__).with_name("sliding.json").write_text(f"[\n{lines}\n]\n")
