"""The Python side of the tests. Needs torch and safetensors.

    make.py            writes the files the tests read, beside itself, and what they hold as text
    make.py render F   opens F with safetensors and prints what it holds
"""
import pathlib, sys

import torch
from safetensors import safe_open
from safetensors.torch import save_file

DTYPES = "bool uint8 int8 float8_e5m2 float8_e4m3fn float8_e8m0fnu float8_e4m3fnuz float8_e5m2fnuz int16 uint16 float16 bfloat16 " \
    "int32 uint32 float32 complex64 float64 int64 uint64"


def render(path):
    with safe_open(path, framework="pt") as f:
        lines = [f"{k}={v}" for k, v in sorted((f.metadata() or {}).items())]
        for name in sorted(f.keys()):
            t = f.get_tensor(name)
            raw = bytes(t.contiguous().reshape(-1).view(torch.uint8)).hex() if t.numel() else ""
            lines.append(f"{name} {str(t.dtype).removeprefix('torch.')} {list(t.shape)} {raw}")
    return "\n".join(lines) + "\n"


def every():
    out = {}
    for name in DTYPES.split():
        dtype = getattr(torch, name)
        out[name] = torch.tensor([1] + [0] * (2 * dtype.itemsize - 1), dtype=torch.uint8).view(dtype)
    return out


def main():
    if sys.argv[1:2] == ["render"]:
        print(render(sys.argv[2]), end="")
        return
    here = pathlib.Path(__file__).parent
    save_file(every(), here / "dtypes.safetensors", {"format": "pt"})
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    save_file(net.state_dict() | {"scalar": torch.tensor(2.5), "void": torch.empty(0, 3), "naïve ✓": torch.ones(1), 'quote"\\': torch.ones(1)},
              here / "module.safetensors")
    for name in ("dtypes", "module"):
        (here / f"{name}.txt").write_text(render(here / f"{name}.safetensors"))


main()
