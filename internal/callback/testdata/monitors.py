"""Makes monitors.json with Lightning's Trainer: python monitors.py (pytorch_lightning 2.6, torch 2.11, in this folder).

The rows that DeviceStatsMonitor and ThroughputMonitor give a logger in a fit, a validation and a test: their step, whether they have
an epoch, and their values; of those that a clock or the machine decides only the names.
"""

import json
import logging
import sys
import types
import warnings

import numpy
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import DeviceStatsMonitor, ThroughputMonitor
from pytorch_lightning.loggers.logger import Logger
from torch.utils.data import DataLoader, TensorDataset

warnings.simplefilter("ignore")
logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
# Lightning's CPU values come from psutil: any numbers do.
psutil = types.ModuleType("psutil")
psutil.cpu_percent = lambda: 1.0
psutil.virtual_memory = psutil.swap_memory = lambda: types.SimpleNamespace(percent=1.0)
sys.modules.setdefault("psutil", psutil)
pl.callbacks.device_stats_monitor._PSUTIL_AVAILABLE = True
pl.accelerators.cpu._PSUTIL_AVAILABLE = True
ROWS = numpy.fromfile("../../data/digits.bin", dtype=numpy.uint8).reshape(-1, 65)


def loader(start, stop, batch_size):
    rows = ROWS[start:stop]
    x = torch.from_numpy(rows[:, :64].astype(numpy.float32) / 16)
    return DataLoader(TensorDataset(x, torch.from_numpy(rows[:, 64].astype(numpy.int64))), batch_size=batch_size)


class Rows(Logger):
    name, version = "rows", 0

    def __init__(self):
        super().__init__()
        self.rows = []

    def log_hyperparams(self, *args, **kwargs):
        pass

    def log_metrics(self, metrics, step=None):
        counts = {k: v for k, v in metrics.items() if k.rsplit("/", 1)[-1].rsplit(".", 1)[-1] in ("batches", "samples", "lengths")}
        self.rows.append({"step": step, "epoch": metrics.get("epoch"), "names": sorted(k for k in metrics if k != "epoch"), "counts": counts})


class Model(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.network = torch.nn.Linear(64, 10)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)

    def training_step(self, batch, i):
        return torch.nn.functional.cross_entropy(self.network(batch[0]), batch[1])

    def validation_step(self, batch, i):
        pass

    test_step = validation_step


def case(name, make, target, args, **trainer_args):
    logger = Rows()
    trainer = pl.Trainer(
        max_epochs=2, accelerator="cpu", logger=logger, enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False,
        callbacks=[make()], num_sanity_val_steps=0,  # Lightning gives rows of it, too
        **trainer_args,
    )
    model, out = Model(), {"name": name, "target": target, "args": args, "trainer": trainer_args}
    for stage in ("fit", "validate", "test"):
        logger.rows = []
        if stage == "fit":
            trainer.fit(model, loader(0, 60, 8), loader(100, 140, 10))
        else:
            # In a process of its own, as a command is.
            trainer = pl.Trainer(accelerator="cpu", logger=logger, enable_progress_bar=False, callbacks=[make()], enable_checkpointing=False, **trainer_args)
            getattr(trainer, stage)(model, loader(100, 140, 10), verbose=False)
        out[stage] = logger.rows
    return out


def cases():
    stats, pace = "pytorch_lightning.callbacks.DeviceStatsMonitor", "pytorch_lightning.callbacks.ThroughputMonitor"
    yield case("device", lambda: DeviceStatsMonitor(), stats, {}, log_every_n_steps=3)
    yield case("device, accumulated", lambda: DeviceStatsMonitor(cpu_stats=True), stats, {"cpu_stats": True}, log_every_n_steps=2, accumulate_grad_batches=3)
    yield case("no processors", lambda: DeviceStatsMonitor(cpu_stats=False), stats, {"cpu_stats": False}, log_every_n_steps=1)
    size, length = lambda b: b[0].size(0), lambda b: b[0].numel()
    texts = {"batch_size_fn": "$lambda b: b[0].size(0)", "length_fn": "$lambda b: b[0].numel()"}
    yield case("pace", lambda: ThroughputMonitor(size, window_size=3), pace, {"batch_size_fn": texts["batch_size_fn"], "window_size": 3}, log_every_n_steps=1)
    yield case("items", lambda: ThroughputMonitor(size, length, window_size=5, separator="."), pace, {**texts, "window_size": 5, "separator": "."}, log_every_n_steps=2)
    yield case("pace, accumulated", lambda: ThroughputMonitor(size, window_size=2), pace, {"window_size": 2}, log_every_n_steps=1, accumulate_grad_batches=3, val_check_interval=0.5)


if __name__ == "__main__":
    with open("monitors.json", "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(c) for c in cases()) + "\n]\n")
