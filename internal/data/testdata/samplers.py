"""Makes samplers.json: the batches that DataLoaders with each sampler give over two epochs, while the training draws a number after
each, and the default generator's next number. Run it with `bench/peer.sh python internal/data/testdata/samplers.py`."""
import importlib
import json
from pathlib import Path

import torch
from torch.utils.data import DataLoader, TensorDataset

N = 11
U = "torch.utils.data."
DATA = "dataset"  # stands for the dataset of N samples
WEIGHTS = [0.1, 2.0, 0.0, 1.0, 0.5, 3.0, 0.25, 0.0, 1.5, 0.7, 0.3]


def of(target, **kwargs):
    return {"_target_": U + target, **kwargs}


CASES = {
    "random": dict(batch_size=4, sampler=of("RandomSampler", data_source=DATA)),
    "replacement, more than a chunk": dict(batch_size=20, sampler=of("RandomSampler", data_source=DATA, replacement=True, num_samples=70)),
    "subset": dict(batch_size=3, sampler=of("SubsetRandomSampler", indices=[10, 0, 3, 3, 7])),
    "subset, generator": dict(batch_size=2, sampler=of("SubsetRandomSampler", indices=[10, 0, 3, 1, 7], generator=5)),
    "weighted": dict(batch_size=4, sampler=of("WeightedRandomSampler", weights=WEIGHTS, num_samples=10)),
    "weighted, without replacement": dict(batch_size=4, sampler=of("WeightedRandomSampler", weights=WEIGHTS, num_samples=9, replacement=False)),
    "weighted, generator": dict(batch_size=3, sampler=of("WeightedRandomSampler", weights=WEIGHTS, num_samples=7, generator=9)),
    "a list": dict(batch_size=2, sampler=[4, 2, 2, 9, 0]),
    "batches": dict(batch_sampler=of("BatchSampler", sampler=of("RandomSampler", data_source=DATA), batch_size=4, drop_last=True)),
    "batches of a list": dict(batch_sampler=of("BatchSampler", sampler=[5, 1, 8], batch_size=2, drop_last=False)),
    "lists of a list": dict(batch_sampler=[[0, 5, 2], [1], [9, 3]]),
    "distributed": dict(batch_size=2, sampler=of("distributed.DistributedSampler", dataset=DATA, num_replicas=3, rank=1, seed=4)),
    "distributed, dropping": dict(batch_size=2, sampler=of("distributed.DistributedSampler", dataset=DATA, num_replicas=3, rank=2, drop_last=True)),
    "distributed, in order": dict(batch_size=2, sampler=of("distributed.DistributedSampler", dataset=DATA, num_replicas=4, rank=3, shuffle=False)),
    "distributed, more parts than samples": dict(batch_size=2, sampler=of("distributed.DistributedSampler", dataset=DATA, num_replicas=30, rank=29)),
    "generator for both": dict(batch_size=4, shuffle=True, generator=3, drop_last=True),
}


def build(value, dataset):
    if value == DATA:
        return dataset
    if isinstance(value, dict):
        kwargs = {k: build(v, dataset) for k, v in value.items() if k != "_target_"}
        if isinstance(kwargs.get("generator"), int):
            kwargs["generator"] = torch.Generator().manual_seed(kwargs["generator"])
        module, _, name = value["_target_"].rpartition(".")
        return getattr(importlib.import_module(module), name)(**kwargs)
    return value


out = []
for name, case in CASES.items():
    for workers in (0, 2):
        dataset = TensorDataset(torch.arange(N))
        kwargs = dict(case, num_workers=workers)
        loader = build({"_target_": U + "DataLoader", "dataset": DATA, **kwargs}, dataset)
        torch.manual_seed(3)
        epochs = []
        for epoch in range(2):
            if hasattr(loader.sampler, "set_epoch"):
                loader.sampler.set_epoch(epoch)
            batches = []
            iterator = iter(loader)
            for _ in range(len(loader)):
                batches.append(next(iterator)[0].tolist())
                torch.rand(1)
            epochs.append(batches)
        following = torch.empty((), dtype=torch.int64).random_().item()
        out.append(dict(name=f"{name}, {workers} workers", loader=kwargs, epochs=epochs, next=following))
lines = ",\n".join(json.dumps(case) for case in out)
(Path(__file__).parent / "samplers.json").write_text(f"[{lines}]\n")
