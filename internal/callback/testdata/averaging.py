"""Makes averaging.json with Lightning's Trainer: python averaging.py (pytorch_lightning 2.6, torch 2.11, in this folder).

Each case is a fit of a small network on the digits, with callbacks that change how it goes: averages of the weights, windows of
accumulation, the search for a learning rate. Noted are the learning rate of every epoch, what it logged, the last checkpoint and
the weights that the fit ended with.
"""

import contextlib
import io
import json
import logging
import os
import shutil
import tempfile
import warnings

import numpy
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import (
    EMAWeightAveraging, GradientAccumulationScheduler, LearningRateFinder, ModelCheckpoint, StochasticWeightAveraging, WeightAveraging,
)
from torch.optim.swa_utils import get_ema_avg_fn, get_ema_multi_avg_fn, get_swa_multi_avg_fn
from torch.utils.data import DataLoader, TensorDataset

warnings.simplefilter("ignore")
logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
torch.set_num_threads(1)
ROWS = numpy.fromfile("../../data/digits.bin", dtype=numpy.uint8).reshape(-1, 65)


def loader(start, stop, batch_size, shuffle):
    rows = ROWS[start:stop]
    x = torch.from_numpy(rows[:, :64].astype(numpy.float32) / 16)
    return DataLoader(TensorDataset(x, torch.from_numpy(rows[:, 64].astype(numpy.int64))), batch_size=batch_size, shuffle=shuffle)


class Model(pl.LightningModule):
    def __init__(self, norm, schedule, lr):
        super().__init__()
        layers = [torch.nn.Linear(64, 4)] + [torch.nn.BatchNorm1d(4)] * norm + [torch.nn.ReLU(), torch.nn.Linear(4, 10)]
        self.network, self.criterion = torch.nn.Sequential(*layers), torch.nn.CrossEntropyLoss()
        self.schedule, self.lr, self.lrs, self.val = schedule, lr, [], []

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.network.parameters(), lr=self.lr, momentum=0.9)
        if not self.schedule:
            return optimizer
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)]

    def on_train_batch_start(self, batch, i):
        if i == 0:
            self.lrs.append(self.trainer.optimizers[0].param_groups[0]["lr"])

    def training_step(self, batch, i):
        return self.criterion(self.network(batch[0]), batch[1])

    def validation_step(self, batch, i):
        self.log("val", self.criterion(self.network(batch[0]), batch[1]), on_epoch=True)

    def on_validation_epoch_end(self):
        if not self.trainer.sanity_checking:
            self.val.append(self.trainer._results["validation_step.val"].compute().item())


def plain(x):
    if isinstance(x, torch.Tensor):
        return plain(x.flatten().tolist() if x.dim() else x.item()) if x.dtype != torch.float32 else [float(f"{v:.9g}") for v in x.flatten().tolist()]
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(v) for v in x]
    return x


def run(name, callback, target, args, norm=False, schedule=False, val=True, epochs=6, lr=0.1, **trainer_args):
    pl.seed_everything(0, verbose=False)
    root = tempfile.mkdtemp()
    model = Model(norm, schedule, lr)
    saver = ModelCheckpoint(dirpath=root, save_last=True, save_on_train_epoch_end=True)
    trainer = pl.Trainer(
        max_epochs=epochs, accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False, callbacks=[callback, saver],
        use_distributed_sampler=False, default_root_dir=root, **trainer_args,
    )
    trainer.fit(model, loader(0, 60, 8, True), loader(100, 140, 20, False) if val else None)
    last = torch.load(os.path.join(root, "last.ckpt"), weights_only=False)
    shutil.rmtree(root)
    state = {k: v for k, v in last["callbacks"].items() if "ModelCheckpoint" not in k}
    trained = last["epoch"] + 1  # a search comes before
    out = {
        "name": name, "target": target, "args": args, "norm": norm, "schedule": schedule, "validates": val, "epochs": epochs, "lr": lr,
        "trainer": trainer_args, "lrs": model.lrs[-trained:], "val": model.val, "final": plain(model.state_dict()), "global_step": trainer.global_step,
        "last": {"epoch": last["epoch"], "global_step": last["global_step"], "keys": list(last)},
        "state": plain(state),
    }
    for key in ("state_dict", "current_model_state", "averaging_state", "lr_schedulers"):
        if key in last:
            out["last"][key] = plain(last[key])
    if isinstance(callback, StochasticWeightAveraging) and norm and not val:
        # Lightning ends the epoch of batch normalization with a step of the optimizer on the gradients that the last epoch left,
        # unless a validation has dropped them. The average is what is meant.
        average = state["StochasticWeightAveraging"]["average_model_state"]
        for name, _ in model.named_parameters():
            out["final"][name] = out["last"]["state_dict"][name] = plain(average[name])
    if isinstance(callback, LearningRateFinder):  # what follows it depends on draws of random numbers that only Lightning makes
        for key in ("val", "final", "state", "last"):
            del out[key]
        found = callback.optimal_lr
        out["search"] = {"lr": found.results["lr"], "loss": found.results["loss"], "suggestion": found.suggestion()}
    return out


def averaging(name, cls, args, functions={}, **options):
    """functions are arguments that a configuration names by a target, with the objects that they are in Python."""
    shown = {**args, **{k: target for k, (target, _) in functions.items()}}
    callback = cls(**args, **{k: v for k, (_, v) in functions.items()})
    return run(name, callback, "pytorch_lightning.callbacks." + cls.__name__, shown, **options)


SWA, EMA, AVG = StochasticWeightAveraging, EMAWeightAveraging, WeightAveraging
utils = "torch.optim.swa_utils."


def cases():
    yield averaging("swa", SWA, {"swa_lrs": 0.05, "swa_epoch_start": 0.5, "annealing_epochs": 2}, schedule=True)
    yield averaging("swa at once, straight line", SWA, {"swa_lrs": [0.02], "swa_epoch_start": 1, "annealing_strategy": "linear", "annealing_epochs": 4})
    yield averaging("swa without annealing", SWA, {"swa_lrs": 0.01, "swa_epoch_start": 3, "annealing_epochs": 0, "device": None}, val=False)
    yield averaging("swa with batch norm", SWA, {"swa_lrs": 0.05, "swa_epoch_start": 3}, norm=True, schedule=True)
    yield averaging("swa with batch norm, accumulated", SWA, {"swa_lrs": 0.05, "swa_epoch_start": 2}, norm=True, accumulate_grad_batches=3)
    yield averaging("swa with batch norm, no validation", SWA, {"swa_lrs": 0.05, "swa_epoch_start": 3}, norm=True, val=False)
    yield averaging("swa with exponential weights", SWA, {"swa_lrs": 0.05, "swa_epoch_start": 2}, {"avg_fn": ({"_target_": utils + "get_ema_avg_fn", "decay": 0.75}, get_ema_avg_fn(0.75))})
    yield averaging("ema", EMA, {"decay": 0.9})
    yield averaging("ema with batch norm", EMA, {"decay": 0.9}, norm=True)
    yield averaging("ema without buffers", EMA, {"decay": 0.9, "use_buffers": False}, norm=True)
    yield averaging("ema, every third step, later", EMA, {"decay": 0.75, "update_every_n_steps": 3, "update_starting_at_step": 10}, norm=True)
    yield averaging("ema by epoch", EMA, {"decay": 0.5, "update_every_n_steps": 0, "update_starting_at_epoch": 1}, val_check_interval=0.5)
    yield averaging("ema, accumulated", EMA, {"decay": 0.9}, accumulate_grad_batches=3)
    yield averaging("plain average", AVG, {}, norm=True)
    yield averaging("plain average of parameters, many at once", AVG, {"use_buffers": False}, {"multi_avg_fn": ({"_target_": utils + "get_swa_multi_avg_fn"}, get_swa_multi_avg_fn())})
    yield averaging("exponential average given by function", AVG, {}, {"avg_fn": ({"_target_": utils + "get_ema_avg_fn", "decay": 0.9}, get_ema_avg_fn(0.9))})
    yield averaging("exponential average, many at once", AVG, {}, {"multi_avg_fn": ({"_target_": utils + "get_ema_multi_avg_fn", "decay": 0.9}, get_ema_multi_avg_fn(0.9))}, norm=True)
    for scheduling in ({0: 1, 2: 3, 4: 2}, {1: 5}, {3: 100}):
        yield run(f"accumulation {scheduling}", GradientAccumulationScheduler(dict(scheduling)), "pytorch_lightning.callbacks.GradientAccumulationScheduler", {"scheduling": scheduling}, schedule=True)
    finder = "pytorch_lightning.callbacks.LearningRateFinder"
    for name, args in [
        ("search", {"num_training_steps": 40}),
        ("straight search", {"mode": "linear", "min_lr": 0.001, "max_lr": 2.0, "num_training_steps": 30}),
        ("search that diverges", {"min_lr": 0.01, "max_lr": 1000.0, "num_training_steps": 40, "early_stop_threshold": 2.0}),
        ("search without a limit", {"min_lr": 0.001, "max_lr": 10.0, "num_training_steps": 40, "early_stop_threshold": None}),
        ("search, accumulated", {"num_training_steps": 15, "early_stop_threshold": None}),
    ]:
        more = {"accumulate_grad_batches": 2} if "accumulated" in name else {}
        with contextlib.redirect_stderr(io.StringIO()):
            yield run(name, LearningRateFinder(**args), finder, args, norm=True, epochs=8, **more)


if __name__ == "__main__":
    with open("averaging.json", "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(c) for c in cases()) + "\n]\n")
