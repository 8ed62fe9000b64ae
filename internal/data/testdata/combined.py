"""Makes combined.json: the batches that PyTorch Lightning's CombinedLoader (max_size_cycle) gives of several loaders over two
epochs, while the training draws a number after each. Run it with `bench/peer.sh python internal/data/testdata/combined.py`."""
import json
from pathlib import Path

import torch
from pytorch_lightning.utilities.combined_loader import CombinedLoader
from torch.utils.data import DataLoader, TensorDataset

CASES = {
    "shuffled": [dict(n=7, batch_size=2, shuffle=True), dict(n=3, batch_size=1, shuffle=True)],
    "in order": [dict(n=4, batch_size=2), dict(n=10, batch_size=3)],
    "own generator": [dict(n=9, batch_size=2, shuffle=True), dict(n=4, batch_size=2, shuffle=True, generator=5), dict(n=2, batch_size=2, shuffle=True)],
}


def loader(n, generator=None, **kwargs):
    if generator is not None:
        kwargs["generator"] = torch.Generator().manual_seed(generator)
    return DataLoader(TensorDataset(torch.arange(n)), **kwargs)


out = []
for name, loaders in CASES.items():
    torch.manual_seed(3)
    combined = CombinedLoader([loader(**c) for c in loaders], "max_size_cycle")
    epochs = []
    for _ in range(2):
        batches = []
        for batch, _, _ in combined:
            batches.append([b[0].tolist() for b in batch])
            torch.rand(1)
        epochs.append(batches)
    out.append(dict(name=name, loaders=loaders, epochs=epochs))
(Path(__file__).parent / "combined.json").write_text(json.dumps(out, indent=1) + "\n")
