"""Makes the goldens of the callbacks below with the real classes: python callbacks.py (pytorch_lightning 2.6, lighter 0.1, in this folder).

early_stopping.json: values fed to EarlyStopping, with its state, its reports and whether it stopped the fit after each one.
lr_monitor.json: the rows LearningRateMonitor gives a logger at the start of an epoch and of a batch.
timer.json: Timer's report and state on a clock of the test's.
freezer.json: which parameters Freezer leaves trainable, batch by batch, with its reports.
tensor_text.json: tensors as PyTorch prints them. names.json: the files FileWriter makes of names.
pixels.json: the bytes of write_image_2d and write_image_3d.
"""

import contextlib
import datetime
import io
import json
import logging
import os
import tempfile
import types
import warnings
from pathlib import Path
from unittest import mock

import pytorch_lightning as pl
import torch
from lighter.callbacks import FileWriter, Freezer
from lighter.callbacks import file_writer
from loguru import logger
from pytorch_lightning.callbacks import EarlyStopping, LearningRateMonitor, Timer
from pytorch_lightning.trainer.states import TrainerFn

warnings.simplefilter("ignore")
NAN, INF = float("nan"), float("inf")


def plain(x):
    """JSON has no NaN and no infinity."""
    if isinstance(x, torch.Tensor):
        x = x.tolist()
    if isinstance(x, list):
        return [plain(v) for v in x]
    return repr(x) if isinstance(x, float) and (x != x or abs(x) == INF) else x


class Log(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


@contextlib.contextmanager
def reports(name):
    handler = Log()
    log = logging.getLogger(name)
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield handler.lines
    log.removeHandler(handler)


LOSSES = [0.5, 0.3, 0.31, 0.29, 0.2899, 0.3, NAN, 0.28, 0.5, 0.6, 0.7, 0.8]
STOPPING = [
    ("defaults", {}, LOSSES),
    ("reported", {"verbose": True}, [0.5, 0.4, 0.45, 0.46, 0.47, 0.1]),
    ("a delta", {"min_delta": 0.05, "verbose": True}, [0.5, 0.45, 0.44, 0.4, 0.39, 0.38, 0.37]),
    ("the delta exactly", {"min_delta": 0.25, "verbose": True}, [1.0, 0.75, 0.5, 0.25]),
    ("greatest", {"mode": "max", "patience": 2, "verbose": True}, [0.1, 0.3, 0.3, 0.29, 0.4]),
    ("greatest, a delta", {"mode": "max", "min_delta": 0.1, "patience": 2, "verbose": True}, [0.1, 0.15, 0.25, 0.3, 0.36]),
    ("NaN", {"verbose": True}, [0.5, NAN, 0.4]),
    ("infinite at first", {"verbose": True}, [INF, 0.4]),
    ("NaN allowed", {"check_finite": False, "patience": 2, "verbose": True}, [NAN, 0.5, NAN, NAN]),
    ("infinite allowed", {"check_finite": False, "mode": "max", "verbose": True}, [-INF, INF, 1.0]),
    ("threshold", {"stopping_threshold": 0.3, "verbose": True}, [0.5, 0.3, 0.25]),
    ("threshold, greatest", {"stopping_threshold": 0.9, "mode": "max", "verbose": True}, [0.5, 0.9, 0.95]),
    ("divergence", {"divergence_threshold": 0.7, "verbose": True}, [0.5, 0.7, 0.71, 3.0]),
    ("divergence, greatest", {"divergence_threshold": 0.1, "mode": "max", "verbose": True}, [0.5, 0.1, 0.09]),
    ("no patience", {"patience": 0, "verbose": True}, [0.5, 0.4, 0.4]),
    ("large values", {"verbose": True}, [1e22, 123456.789, 1e-7]),
]


def early_stopping():
    out = []
    for name, args, values in STOPPING:
        c = EarlyStopping("val/loss", **args)
        trainer = types.SimpleNamespace(
            val_check_interval=1.0, check_val_every_n_epoch=1, sanity_checking=False, fast_dev_run=False, callback_metrics={}, should_stop=False,
            state=types.SimpleNamespace(fn=TrainerFn.FITTING), world_size=1, strategy=types.SimpleNamespace(reduce_boolean_decision=lambda x, all: x),
        )
        c.setup(trainer, None, "fit")
        steps = []
        with reports("pytorch_lightning.callbacks.early_stopping") as lines:
            for i, v in enumerate(values):
                trainer.current_epoch, trainer.should_stop = i, False
                trainer.callback_metrics["val/loss"] = torch.tensor(v)
                c.on_train_epoch_end(trainer, None)
                state = {k: plain(s) for k, s in c.state_dict().items()}
                steps.append({"value": plain(v), "stop": trainer.should_stop, "state": state, "log": lines[:]})
                lines.clear()
        out.append({"name": name, "args": args, "state_key": c.state_key, "steps": steps})
    return out


def lr_monitor():
    P = lambda: [torch.nn.Parameter(torch.zeros(1))]
    groups = lambda *options: [{"params": P(), **o} for o in options]
    out = []
    for name, args, cls, params, schedule in [
        ("no scheduler", {}, "SGD", groups({}), None),
        ("by epoch", {}, "SGD", groups({}), ("epoch", None)),
        ("by step", {}, "Adam", groups({}), ("step", None)),
        ("a name", {}, "Adam", groups({}, {"lr": 0.3}), ("step", "rate")),
        ("each step", {"logging_interval": "step"}, "SGD", groups({}, {"lr": 0.3}), ("epoch", None)),
        ("each epoch", {"logging_interval": "epoch"}, "SGD", groups({}), ("step", None)),
        ("momentum", {"log_momentum": True, "log_weight_decay": True}, "SGD", groups({"momentum": 0.9}, {"lr": 0.3, "weight_decay": 0.01}), None),
        ("betas", {"log_momentum": True, "log_weight_decay": True}, "Adam", groups({"betas": (0.8, 0.99)}), None),
        ("group names", {}, "Adam", groups({"name": "body"}, {"lr": 0.3}, {"name": "head"}), None),
        ("one group with a name", {}, "Adam", groups({"name": "body"}), None),
    ]:
        m = LearningRateMonitor(**args)
        optimizer = getattr(torch.optim, cls)(params, lr=0.1)
        listed = [{k: v for k, v in g.items() if k in ("lr", "momentum", "betas", "weight_decay", "name")} for g in optimizer.param_groups]
        rows = []
        configs = []
        if schedule:
            scheduler = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
            configs = [types.SimpleNamespace(scheduler=scheduler, interval=schedule[0], name=schedule[1])]
        trainer = types.SimpleNamespace(
            loggers=[types.SimpleNamespace(log_metrics=lambda row, step: rows.append(list(row.items())))], lr_scheduler_configs=configs,
            optimizers=[optimizer], _logger_connector=types.SimpleNamespace(should_update_logs=True), callback_metrics={},
            fit_loop=types.SimpleNamespace(epoch_loop=types.SimpleNamespace(_batches_that_stepped=0)),
            strategy=types.SimpleNamespace(root_device="cpu"),
        )
        m.on_train_start(trainer)
        m.on_train_epoch_start(trainer)
        at_epoch, rows[:] = rows[:], []
        m.on_train_batch_start(trainer)
        out.append({"name": name, "args": args, "class": cls, "groups": listed, "schedule": schedule, "epoch": at_epoch, "batch": rows[:]})
    return out


def timer():
    out = []
    for name, args, events in [
        ("by step", {"duration": "00:00:01:00"}, [("fit", 0), ("train", 0), ("batch", 59.5), ("batch", 60), ("batch", 61.9)]),
        ("by epoch", {"duration": "00:00:00:10", "interval": "epoch"}, [("fit", 0), ("train", 1), ("batch", 20), ("val", 21), ("val_end", 24), ("epoch", 25)]),
        ("quietly", {"duration": "00:00:00:10", "verbose": False}, [("fit", 0), ("train", 1), ("batch", 20)]),
        ("no limit", {}, [("fit", 0), ("train", 5), ("batch", 100), ("end", 200), ("state", 300)]),
        ("days", {"duration": "01:01:01:01"}, [("fit", 0), ("train", 0), ("batch", 90061), ("batch", 90061 + 86400)]),
        ("used up before", {"duration": "00:00:01:00"}, [("load", 61.5), ("fit", 1000), ("train", 1001), ("batch", 1002)]),
        ("partly used up", {"duration": "00:00:01:00"}, [("load", 50.25), ("fit", 1000), ("train", 1001), ("batch", 1002), ("batch", 1011)]),
    ]:
        now = [0.0]
        with mock.patch("pytorch_lightning.callbacks.timer.time.monotonic", lambda: now[0]), reports("lightning.pytorch.utilities.rank_zero") as a, \
                reports("pytorch_lightning.utilities.rank_zero") as b:
            c = Timer(**args)
            trainer = types.SimpleNamespace(should_stop=False, strategy=types.SimpleNamespace(broadcast=lambda x: x))
            steps = []
            for do, at in events:
                trainer.should_stop = False
                if do != "load":
                    now[0] = float(at)
                call = {
                    "load": lambda: c.load_state_dict({"time_elapsed": {"train": at}}), "fit": lambda: c.on_fit_start(trainer),
                    "train": lambda: c.on_train_start(trainer, None), "batch": lambda: c.on_train_batch_end(trainer),
                    "epoch": lambda: c.on_train_epoch_end(trainer), "val": lambda: c.on_validation_start(trainer, None),
                    "val_end": lambda: c.on_validation_end(trainer, None), "end": lambda: c.on_train_end(trainer, None), "state": lambda: None,
                }[do]
                call()
                steps.append({"do": do, "at": at, "stop": trainer.should_stop, "elapsed": c.state_dict()["time_elapsed"], "log": a[:] + b[:]})
                a.clear(), b.clear()
        out.append({"name": name, "args": args, "steps": steps})
    return out


def freezer():
    from lighter import LighterModule

    out = []
    for name, args, batches in [
        ("a beginning", {"name_starts_with": "0."}, [(0, 0), (0, 1)]),
        ("until an epoch", {"name_starts_with": ["0.", "2.w"], "until_epoch": 2}, [(0, 0), (1, 1), (2, 2), (2, 3)]),
        ("until a step", {"names": ["0.weight", "2.bias"], "until_step": 1}, [(0, 0), (0, 1), (0, 2)]),
        ("exceptions", {"name_starts_with": ["0", "2"], "except_names": "0.bias", "except_name_starts_with": ["2.w"], "until_epoch": 1}, [(0, 0), (1, 1)]),
        ("over at once", {"names": "0.weight", "until_epoch": 0}, [(0, 0)]),
        ("names of nothing", {"names": []}, [(0, 0)]),
    ]:
        network = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))
        network[2].bias.requires_grad_(False)
        model = LighterModule(network=network)
        c = Freezer(**args)
        lines, steps = [], []
        logger.remove()
        sink = logger.add(lambda m: lines.append(m.record["message"]), format="{message}")
        for epoch, step in batches:
            c.on_train_batch_start(types.SimpleNamespace(global_step=step, current_epoch=epoch), model, None, 0)
            steps.append({"epoch": epoch, "step": step, "trainable": [n for n, p in network.named_parameters() if p.requires_grad], "log": lines[:]})
            lines.clear()
        logger.remove(sink)
        out.append({"name": name, "args": args, "steps": steps})
    return out


def tensor_text():
    t = torch.tensor
    g = torch.Generator().manual_seed(0)
    short = lambda x: x.mul(64).round() / 64  # numbers of few digits, for the size of the file
    tensors = [
        t(10), t(-3.0), t(0.1), t(True), t([]), t([1, 2, -300]), t([True, False]), t([0.0, -0.0]), t([1.0, 2.0, -3.0]), t([0.1, 22.25, -3.0]),
        t([1.0, NAN, INF, -INF]), t([0.5, NAN, INF, -INF]), t([NAN, NAN]), t([1e-5, 1.0]), t([1e9, 1.0]), t([123456.0, 0.5]), t([1e-3, 1.0]), t([5e8, 5e8]),
        t([1, 2], dtype=torch.uint8), t([1.5], dtype=torch.float64), t([1.5, 0.1], dtype=torch.float16), t([1.5, 0.1], dtype=torch.bfloat16),
        torch.zeros(0, 3), torch.zeros(2, 0, dtype=torch.int64), torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.float16),
        torch.arange(12).reshape(3, 4), torch.arange(24.0).reshape(2, 3, 4), torch.arange(40), torch.arange(1001), torch.arange(1000),
        torch.randn(3, 4, generator=g), torch.randn(30, generator=g), torch.randn(2, 3, 40, generator=g), short(torch.randn(1001, generator=g)),
        short(torch.randn(20, 60, generator=g)), short(torch.randn(7, 200, 2, generator=g)), torch.arange(15, dtype=torch.float64).reshape(3, 5) / 7,
        torch.arange(14, dtype=torch.float64) * 1000.5, torch.ones(2, 2, 2, 2), torch.arange(9, dtype=torch.int16).reshape(3, 3),
    ]
    return [{"dtype": str(x.dtype)[6:], "shape": list(x.shape), "values": plain(x.double().reshape(-1)), "text": str(x)} for x in tensors]


def names():
    out = []
    for names, suffix in [
        (None, ".txt"), (["a", "b/c", "x.jpg"], ".txt"), (["a.b.c", ".hidden", "end."], ".label"), (torch.tensor([7, 9, 11]), ".txt"), (["a.jpg", "b", "c"], ""),
        ([1.5, True, None], ".txt"), (torch.tensor([[1, 2], [3, 4], [5, 6]]), ".txt"),
    ]:
        root = tempfile.mkdtemp()
        w = FileWriter(os.path.join(root, "out"), "v", lambda path, value: file_writer.write_text(path, value, suffix=suffix), "n" if names is not None else None)
        t = types.SimpleNamespace(
            global_rank=0, world_size=1, is_global_zero=True, strategy=types.SimpleNamespace(broadcast=lambda x, src: x, barrier=lambda: None)
        )
        w.setup(t, None, "predict")
        w.write({"v": torch.tensor([0.5, 1.5, 2.5]), "n": names}, None, 0, 0)
        files = {str(p.relative_to(Path(root) / "out")): p.read_text() for p in (Path(root) / "out").rglob("*") if p.is_file()}
        out.append({"names": plain(names), "tensor": isinstance(names, torch.Tensor), "suffix": suffix, "files": files})
    return out


def pixels():
    import torchvision

    out = []
    g = torch.Generator().manual_seed(0)
    for kind, shape in [("image_2d", (1, 3, 4)), ("image_2d", (3, 2, 5)), ("image_3d", (1, 2, 3, 2)), ("image_3d", (3, 2, 2, 3))]:
        x = torch.randn(shape, generator=g) / 2 + 0.5
        path = Path(tempfile.mkdtemp()) / "x"
        file_writer.writer_registry.get(kind)(path, x)
        png = torchvision.io.read_image(str(path.with_suffix(".png")))
        out.append({"kind": kind, "shape": list(shape), "values": x.reshape(-1).tolist(), "png_shape": list(png.shape), "png": png.reshape(-1).tolist()})
    return out


with contextlib.redirect_stderr(io.StringIO()):
    for function in (early_stopping, lr_monitor, timer, freezer, tensor_text, names, pixels):
        with open(f"{function.__name__}.json", "w") as f:
            json.dump(function(), f, indent=1 if function in (freezer, timer, lr_monitor) else None)
            f.write("\n")
