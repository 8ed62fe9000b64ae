"""Makes the goldens of this folder with the real classes: python lightning.py (pytorch_lightning 2.6, lighter 0.1, in this folder).

checkpoint.json: scripts of events fed to ModelCheckpoint, with the files and the best/last paths after each one.
format.json: Python's format() of numbers. metrics_*.csv: CSVLogger's files for the rows of rows.json.
summary.txt: ModelSummary's table, without the FLOPs (Lightning prints 0 when it has no example input).
predictions.json, predictions_*.csv: what CsvWriter makes of the outputs.
"""

import contextlib
import io
import json
import os
import shutil
import tempfile
import types
import warnings

import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.loggers import CSVLogger
from pytorch_lightning.trainer.states import TrainerFn
from pytorch_lightning.utilities.model_summary import model_summary as ms

warnings.simplefilter("ignore")


class Trainer:
    """As much of a Trainer as ModelCheckpoint looks at."""

    def __init__(self, root, each_epoch=True, val=True):
        self.default_root_dir, self.loggers, self.is_global_zero = root, [], True
        self.strategy = types.SimpleNamespace(
            broadcast=lambda x: x, reduce_boolean_decision=lambda x, all=True: x, barrier=lambda: None, remove_checkpoint=os.remove
        )
        self.callback_metrics, self.current_epoch, self.global_step, self.ckpt_path = {}, 0, 0, None
        self.fast_dev_run, self.sanity_checking = False, False
        self.state = types.SimpleNamespace(fn=TrainerFn.FITTING)
        self.num_val_batches, self.val_check_interval, self.check_val_every_n_epoch = [3 if val else 0], 1.0 if each_epoch else 0.5, 1
        self.enable_validation = val
        self.fit_loop = types.SimpleNamespace(
            epoch_loop=types.SimpleNamespace(
                batch_progress=types.SimpleNamespace(is_last_batch=False), val_loop=types.SimpleNamespace(_has_run=False)
            )
        )

    def save_checkpoint(self, path, weights_only):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "w").close()


def ev(do, epoch=0, step=0, last=False, **metrics):
    return {"do": do, "epoch": epoch, "step": step, "last": last, "metrics": {k.replace("__", "/"): v for k, v in metrics.items()}}


def epochs(*losses, **more):
    """Epochs of 10 steps, each followed by a validation and its end."""
    out = []
    for i, v in enumerate(losses):
        out += [ev("val", i, 10 * i + 10, val__loss=v, **more), ev("epoch", i, 10 * i + 10, val__loss=v, train__loss=v / 3, **more)]
    return out + [ev("end", len(losses) - 1, 10 * len(losses), val__loss=losses[-1])]


def steps(n, **metrics):
    return [ev("batch", 0, i + 1, **metrics) for i in range(n)]


LOSSES = [0.5, 0.3, 0.4, 0.2, 0.6, 0.1, float("nan"), 0.1]
SCENARIOS = [
    ("defaults", {}, {}, epochs(*LOSSES)),
    ("best", {"monitor": "val/loss"}, {}, epochs(*LOSSES)),
    ("top 3 with the metric in the name", {"monitor": "val/loss", "save_top_k": 3, "filename": "{epoch:02d}-{val/loss:.2f}"}, {}, epochs(*LOSSES)),
    ("no inserted names", {"monitor": "val/loss", "save_top_k": 2, "filename": "e{epoch}-s{step:05d}-{val/loss:.4f}", "auto_insert_metric_name": False}, {}, epochs(*LOSSES)),
    ("greatest", {"monitor": "acc", "mode": "max", "save_top_k": 2, "filename": "{epoch}-{acc:.3f}-{unknown}"}, {}, [e for i, a in enumerate([0.5, 0.75, 0.75, 0.25, 0.875]) for e in epochs(*([0.5] * 1), acc=a)[1:2] if not e.update(epoch=i, step=i + 1)]),
    ("all", {"save_top_k": -1}, {}, epochs(*LOSSES[:4])),
    ("all with a monitor", {"save_top_k": -1, "monitor": "val/loss", "filename": "{val/loss}"}, {}, epochs(*LOSSES[:4])),
    ("none but the last", {"save_top_k": 0, "save_last": True}, {}, epochs(*LOSSES[:3])),
    ("best and last", {"monitor": "val/loss", "save_last": True}, {}, epochs(*LOSSES)),
    ("last as a link", {"monitor": "val/loss", "save_last": "link"}, {}, epochs(*LOSSES)),
    ("same name again", {"monitor": "val/loss", "save_top_k": 3, "filename": "x"}, {}, epochs(*LOSSES[:5])),
    ("same name, overwritten", {"monitor": "val/loss", "save_top_k": 2, "filename": "x", "enable_version_counter": False}, {}, epochs(*LOSSES[:5])),
    ("every 2 epochs", {"every_n_epochs": 2}, {}, epochs(*LOSSES[:5])),
    ("no epochs", {"every_n_epochs": 0, "save_last": True}, {}, epochs(*LOSSES[:2])),
    ("every 3 steps", {"every_n_train_steps": 3, "save_top_k": -1}, {}, steps(10)),
    ("every 3 steps, last", {"every_n_train_steps": 3, "save_last": True}, {}, steps(10)),
    ("one step in two batches", {"every_n_train_steps": 2, "save_top_k": -1}, {}, [ev("batch", 0, s) for s in [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]]),
    ("newest 2 by step", {"monitor": "step", "mode": "max", "every_n_train_steps": 2, "save_top_k": 2}, {}, steps(9)),
    ("after validation", {"monitor": "val/loss"}, {"each_epoch": False}, [e for i in range(3) for e in (ev("val", i, 20 * i + 10, val__loss=0.5 - i / 8), ev("val", i, 20 * i + 20, val__loss=0.5 - i / 6), ev("epoch", i, 20 * i + 20))]),
    ("after validation, put off", {"monitor": "val/loss", "every_n_train_steps": 5, "save_top_k": -1}, {"each_epoch": False}, steps(5) + [ev("val", 0, 5, val__loss=0.5)] + [ev("batch", 0, 10, last=True, val__loss=0.5), ev("val", 0, 10, val__loss=0.25), ev("epoch", 0, 10, val__loss=0.25)]),
    ("at the epoch's end by wish", {"save_on_train_epoch_end": True}, {"each_epoch": False}, epochs(*LOSSES[:3])),
    ("after validation by wish", {"save_on_train_epoch_end": False}, {}, epochs(*LOSSES[:3])),
    ("nothing trained", {}, {}, [ev("epoch", 0, 0), ev("end", 0, 0)]),
    ("epoch logged by the user", {"monitor": "epoch", "mode": "max"}, {}, [{**ev("epoch", i, i + 1), "metrics": {"epoch": i * 10.0}} for i in range(3)]),
]


def plain(x):
    """JSON has no NaN."""
    return {"nan": True} if isinstance(x, float) and x != x else x


def checkpoints():
    out = []
    for name, args, run, events in SCENARIOS:
        root = os.path.realpath(tempfile.mkdtemp())
        trainer = Trainer(root, **run)
        c = ModelCheckpoint(dirpath=os.path.join(root, "ck"), **args)
        module = types.SimpleNamespace(automatic_optimization=True)
        c.setup(trainer, module, "fit")
        c.on_train_start(trainer, module)
        for e in events:
            trainer.current_epoch, trainer.global_step = e["epoch"], e["step"]
            trainer.callback_metrics.update({k: torch.tensor(v) for k, v in e["metrics"].items()})
            trainer.fit_loop.epoch_loop.batch_progress.is_last_batch = e["last"]
            if e["do"] == "batch":
                c.on_train_batch_end(trainer, module, None, None, 0)
            elif e["do"] == "val":
                trainer.fit_loop.epoch_loop.val_loop._has_run = True
                c.on_validation_end(trainer, module)
            elif e["do"] == "epoch":
                c.on_train_epoch_end(trainer, module)
            else:
                c.on_train_end(trainer, module)
            e["metrics"] = {k: plain(v) for k, v in e["metrics"].items()}
            files = []
            for folder, _, names in os.walk(os.path.join(root, "ck")):
                files += [os.path.relpath(os.path.join(folder, n), os.path.join(root, "ck")) for n in names]
            rel = lambda p: os.path.relpath(p, os.path.join(root, "ck")) if p else ""
            e["files"], e["best"], e["last_path"], e["kth"] = sorted(files), rel(c.best_model_path), rel(c.last_model_path), rel(c.kth_best_model_path)
        out.append({"name": name, "args": args, "run": run, "state_key": c.state_key, "events": events})
        shutil.rmtree(root)
    return out


def formats():
    out = []
    for spec in ["", "d", "05d", ">6", "<6", "^7", "+d", ",", "_d", "x", "#x", "b", "e", ".2f", ".0f", "08.3f", "+.1f", ".3g", "g", "%", ".1%", ".3", ".10", "E", "F", "G", ".2e", "*>9.2f", "=+8.1f", " .2f", ",.2f", "n", ".1d", "s", "q"]:
        for v in [0, 3, -12, 1234567, 0.0, 0.5, -0.04, 0.1, 3.0, 1234567.891, 1e-7, 1e22, float("inf"), float("nan")]:
            try:
                want = format(v, spec)
            except ValueError:
                want = None
            out.append({"value": "nan" if v != v else "inf" if v == float("inf") else v, "int": isinstance(v, int), "spec": spec, "want": want})
    return out


ROWS = {
    "growing": [
        [{"epoch": 0, "train/loss/step": 2.3128662109375}, 0],
        [{"epoch": 0, "train/loss/step": 0.1, "acc": 1.0}, 1],
        [{"val/loss/step": 1e-7, "val, quoted \"q\"": 1e22}, 0],
        [{"epoch": 0, "val/loss/epoch": float("nan"), "z": float("inf"), "a": -float("inf")}, 1],
        [{"epoch": 1, "train/loss/step": 123456789.0}, 2],
        [{"epoch": 1, "late": 0.30000001192092896}, 2],
    ],
    "prefixed": [[{"epoch": 0, "loss": 0.5}, 0], [{"epoch": 0, "acc": 0.25}, 1]],
}


def metrics():
    for name, rows in ROWS.items():
        root = tempfile.mkdtemp()
        logger = CSVLogger(root, name="n", version=0, prefix="p" if name == "prefixed" else "", flush_logs_every_n_steps=2)
        for row, step in rows:
            logger.log_metrics(row, step)
        logger.finalize("success")
        shutil.copy(os.path.join(logger.log_dir, "metrics.csv"), f"metrics_{name}.csv")
        shutil.rmtree(root)
    return {n: [[{k: repr(v) if v != v or abs(v) == float("inf") else v for k, v in r.items()}, s] for r, s in rows] for n, rows in ROWS.items()}


def summary():
    from pytorch_lightning import LightningModule

    class Classifier(LightningModule):
        def __init__(self):
            super().__init__()
            self.network = torch.nn.Sequential(torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10))
            self.criterion = torch.nn.CrossEntropyLoss()
            self.scale = torch.nn.Parameter(torch.ones(3))
            self.network[2].requires_grad_(False)
            self.network[1].eval()

    out = ""
    for depth in (1, 2, -1):
        s = ms.ModelSummary(Classifier(), max_depth=depth)
        cols = [c for c in s._get_summary_data() if c[0] != "FLOPs"]
        text = ms._format_summary_table(s.total_parameters, s.trainable_parameters, s.model_size, s.total_training_modes, 0, *cols)
        out += f"max_depth={depth}\n" + "\n".join(text.split("\n")[:-1]) + "\n"
    return out


def predictions():
    from lighter.callbacks import CsvWriter

    cases = {
        "columns": (
            ["target", "pred", "prob", "who", "ok", "batch", "none"],
            [
                {
                    "target": torch.tensor([2, 6]), "pred": torch.tensor([[-1.0], [0.5]]),
                    "prob": torch.tensor([[0.1, 1e-7], [float("nan"), 1e22]]), "who": ["a, b", 'q"q'], "ok": torch.tensor([True, False]),
                    "batch": 7, "none": [None, "x y"],
                },
                {
                    "target": torch.tensor([3]), "pred": torch.tensor([[2.0]]), "prob": torch.tensor([[3.0, 1e16]]), "who": ["c"],
                    "ok": torch.tensor([True]), "batch": 8, "none": ["z"],
                },
            ],
        ),
        "lists": (["v", "x"], [{"v": [1.0, 2.5, 1e-5], "x": [["it's", None, True], ["\n", 'a"b'], []]}]),
    }
    for name, (keys, outputs) in cases.items():
        root = tempfile.mkdtemp()
        w = CsvWriter(os.path.join(root, "p.csv"), keys)
        t = types.SimpleNamespace(
            global_rank=0, world_size=1, is_global_zero=True, strategy=types.SimpleNamespace(broadcast=lambda x, src: x, barrier=lambda: None)
        )
        w.setup(t, None, "predict")
        for o in outputs:
            w.write(o, None, 0, 0)
        w.on_predict_epoch_end(t, None)
        shutil.copy(os.path.join(root, "p.csv"), f"predictions_{name}.csv")
        shutil.rmtree(root)


with contextlib.redirect_stderr(io.StringIO()):
    for name, value in {"checkpoint": checkpoints(), "format": formats(), "rows": metrics()}.items():
        with open(f"{name}.json", "w") as f:
            json.dump(value, f, indent=None if name == "format" else 1)
    with open("summary.txt", "w") as f:
        f.write(summary())
    predictions()
