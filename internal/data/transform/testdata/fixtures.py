"""Writes torchvision.json.gz: what torchvision's transforms make of an image, a tensor of bytes, a tensor of floats and a pair
of image and mask, from a seed.

    python internal/data/transform/testdata/fixtures.py
"""

import base64, gzip, json, os, random, warnings

import numpy as np
import torch
import torchvision.transforms as v1
import torchvision.transforms.v2 as v2
from PIL import Image
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional as F

warnings.simplefilter("ignore")
torch.set_num_threads(1)
H, W = 18, 22
y, x = np.mgrid[0:H, 0:W].astype(float)
rng = np.random.default_rng(0)
pixels = np.stack([128 + 100 * np.sin(x / (3 + b) + b) * np.cos(y / (4 + b)) + rng.normal(0, 12, (H, W)) for b in range(3)], -1)
pixels[5:9, 6:13] = [250, 190, 130]
pixels = pixels.clip(0, 255).astype(np.uint8)
mask = (x // 4 + y // 5).astype(np.int64) % 5

inputs = {
    "pil": lambda: Image.fromarray(pixels),
    "grey": lambda: Image.fromarray(pixels[..., 0]),
    "bytes": lambda: torch.from_numpy(pixels).permute(2, 0, 1).contiguous(),
    "floats": lambda: torch.from_numpy(pixels).permute(2, 0, 1).contiguous().float() / 255,
    "pair": lambda: (tv_tensors.Image(torch.from_numpy(pixels).permute(2, 0, 1).contiguous()), tv_tensors.Mask(torch.from_numpy(mask))),
    "batch": lambda: (torch.stack([torch.from_numpy(pixels).permute(2, 0, 1).float() / 255 * k for k in (0.2, 0.6, 1.0)]), torch.tensor([0, 2, 3])),
}


def packed(v):
    if isinstance(v, (tuple, list)):
        return {"list": [packed(e) for e in v]}
    if isinstance(v, Image.Image):
        a = np.asarray(v)
        return {"kind": "pil " + v.mode, "shape": [v.height, v.width], "data": base64.b64encode(a.tobytes()).decode()}
    kind = "mask" if isinstance(v, tv_tensors.Mask) else "tensor"
    a = v.as_subclass(torch.Tensor).contiguous()
    return {"kind": f"{kind} {str(a.dtype)[6:]}", "shape": list(a.shape), "data": base64.b64encode(a.numpy().tobytes()).decode()}


cases = []


def build(module, spec):
    name, args = spec
    args = {k: ([build(module, s) for s in v] if k == "transforms" else getattr(torch, v[6:]) if isinstance(v, str) and v.startswith("torch.") else v) for k, v in args.items()}
    if "interpolation" in args:
        args["interpolation"] = v1.InterpolationMode(args["interpolation"])
    if "policy" in args:
        args["policy"] = v1.AutoAugmentPolicy(args["policy"])
    return getattr(module, name)(**args)


def case(name, args, on, seeds=1, modules="12"):
    for m in modules:
        module = v1 if m == "1" else v2
        for i in on.split():
            if i in ("pair", "batch") and m == "1":
                continue
            t = build(module, (name, args))
            for seed in range(seeds):
                torch.manual_seed(seed)
                random.seed(seed)
                v = inputs[i]()
                out = t(*v) if i == "batch" else t(v)
                draw = torch.rand(1).item()
                cases.append({"version": int(m), "name": name, "args": args, "in": i, "seed": seed, "out": packed(out), "next": draw})


every = "pil bytes floats pair"
for size in [9, [12, 30], [7]]:
    case("Resize", {"size": size}, every, modules="2")
for interp in ["nearest", "nearest-exact", "bilinear", "bicubic"]:
    case("Resize", {"size": [25, 13], "interpolation": interp}, "pil bytes floats", modules="2")
for interp in ["box", "hamming", "lanczos"]:
    case("Resize", {"size": [25, 13], "interpolation": interp}, "pil", modules="2")
case("Resize", {"size": 15, "max_size": 16}, "pil floats", modules="2")
case("Resize", {"size": 10, "antialias": False}, "bytes floats", modules="2")
case("CenterCrop", {"size": [11, 12]}, every, modules="2")
case("CenterCrop", {"size": [25, 12]}, every, modules="2")
case("FiveCrop", {"size": [7, 6]}, "pil floats", modules="2")
case("TenCrop", {"size": [7, 6]}, "pil floats", modules="2")
case("TenCrop", {"size": [7, 6], "vertical_flip": True}, "pil", modules="2")
for mode in ["constant", "edge", "reflect", "symmetric"]:
    case("Pad", {"padding": [1, 2, 3, 4], "padding_mode": mode, "fill": 7}, every, modules="2")
case("Pad", {"padding": 2, "fill": [1, 2, 3]}, "pil bytes", modules="2")
case("RandomCrop", {"size": 14, "padding": 2}, every, 2)
case("RandomCrop", {"size": [18, 10]}, "pil", 2)
case("RandomCrop", {"size": 30, "pad_if_needed": True, "padding_mode": "reflect"}, "pil", 2, "2")
case("RandomResizedCrop", {"size": 12}, every, 3)
case("RandomResizedCrop", {"size": [9, 20], "interpolation": "bicubic", "scale": [0.5, 1.0]}, "pil floats", 1)
case("RandomHorizontalFlip", {}, every, 2)
case("RandomVerticalFlip", {}, every, 2)
for interp in ["nearest", "bilinear"]:
    case("RandomRotation", {"degrees": 40, "interpolation": interp}, every, 2)
    case("RandomRotation", {"degrees": [10, 50], "interpolation": interp, "expand": True, "fill": 9}, "pil bytes", 1)
    case("RandomAffine", {"degrees": 20, "translate": [0.2, 0.1], "scale": [0.8, 1.3], "shear": [-10, 10, -5, 5], "interpolation": interp}, every, 2)
    case("RandomPerspective", {"p": 1.0, "interpolation": interp}, every, 2)
case("RandomRotation", {"degrees": 40, "center": [3, 4], "fill": [10, 20, 30]}, "pil bytes", 1)
case("RandomRotation", {"degrees": [90, 90], "expand": True}, "pil bytes", 1, "2")
case("ElasticTransform", {"alpha": 20.0, "sigma": 1.0}, every, 1)
case("ColorJitter", {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.1}, "pil bytes floats", 3)
case("ColorJitter", {"brightness": [0.5, 1.5]}, "pil grey", 1)
case("Grayscale", {}, "pil bytes floats", modules="2")
case("Grayscale", {"num_output_channels": 3}, "pil bytes", modules="2")
case("RandomGrayscale", {"p": 0.5}, "pil bytes", 2)
case("GaussianBlur", {"kernel_size": [5, 3]}, "pil bytes floats", 1)
for name, args in [("RandomInvert", {}), ("RandomPosterize", {"bits": 3}), ("RandomAdjustSharpness", {"sharpness_factor": 2}), ("RandomAutocontrast", {}), ("RandomEqualize", {})]:
    case(name, {"p": 1.0, **args}, "pil bytes floats" if name not in ("RandomEqualize",) else "pil bytes", 1, "2")
case("RandomSolarize", {"threshold": 100, "p": 1.0}, "pil bytes", 1, "2")
case("RandomSolarize", {"threshold": 0.4, "p": 1.0}, "floats", 1, "2")
case("RandomErasing", {"p": 1.0}, "floats", 2)
case("RandomErasing", {"p": 0.7, "value": "random"}, "floats", 2)
case("RandomErasing", {"p": 1.0, "value": [0.1, 0.2, 0.3]}, "floats", 1)
for policy in ["imagenet", "cifar10", "svhn"]:
    case("AutoAugment", {"policy": policy}, "pil bytes", 8)
case("RandAugment", {}, "pil bytes", 8)
case("RandAugment", {"num_ops": 3, "magnitude": 20, "fill": [1, 2, 3], "interpolation": "bilinear"}, "pil", 4)
case("TrivialAugmentWide", {}, "pil bytes", 10)
case("AugMix", {}, "pil bytes", 4)
case("RandomApply", {"transforms": [("RandomCrop", {"size": 10}), ("RandomHorizontalFlip", {})], "p": 0.6}, "pil", 3)
case("RandomChoice", {"transforms": [("RandomCrop", {"size": 10}), ("RandomHorizontalFlip", {})], "p": [1, 3]}, "pil", 3)
case("RandomChoice", {"transforms": [("RandomCrop", {"size": 10}), ("RandomHorizontalFlip", {}), ("RandomVerticalFlip", {"p": 1.0})]}, "pil", 4)
case("RandomOrder", {"transforms": [("RandomCrop", {"size": 10}), ("Resize", {"size": 12})]}, "pil", 3)
case("Compose", {"transforms": [("RandomCrop", {"size": 14, "padding": 2}), ("RandomHorizontalFlip", {}), ("ToTensor", {}), ("Normalize", {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.4]})]}, "pil", 2)
case("ConvertImageDtype", {"dtype": "torch.float64"}, "bytes floats", 1, "2")
case("ConvertImageDtype", {"dtype": "torch.uint8"}, "floats", 1, "2")
case("ToDtype", {"dtype": "torch.float32", "scale": True}, "bytes pair", 1, "2")
case("ToTensor", {}, "pil grey", 1)
case("PILToTensor", {}, "pil grey", 1)
case("MixUp", {"num_classes": 4}, "batch", 3, "2")
case("CutMix", {"num_classes": 4}, "batch", 3, "2")

here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "torchvision.json.gz"), "wb") as raw, gzip.GzipFile("", "wb", 9, raw, 0) as f:
    f.write(json.dumps({"inputs": {k: packed(v()) for k, v in inputs.items()}, "cases": cases}).encode())
