"""What Python's Lighter needs in code for the configs beside this folder: the step, and the digits."""

import numpy as np
import torch
from lighter import LighterModule
from torch.utils.data import Dataset


class Supervised(LighterModule):
    def _step(self, batch, metrics):
        x, y = batch
        pred = self(x)
        if metrics is not None:
            metrics(pred, y)
        return {"loss": self.criterion(pred, y), "pred": pred, "target": y}

    def training_step(self, batch, batch_idx):
        return self._step(batch, self.train_metrics)

    def validation_step(self, batch, batch_idx):
        return self._step(batch, self.val_metrics)


class Digits(Dataset):
    """Rows start..stop of the program's own file: 64 pixels and the label, a byte each."""

    def __init__(self, start, stop):
        table = torch.from_numpy(np.fromfile("digits.bin", np.uint8).reshape(-1, 65)[start:stop])
        self.x = table[:, :64].float() / 16
        self.y = table[:, 64].long()

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]
