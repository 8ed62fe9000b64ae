"""Makes trainer.json: what Python's Lighter logs for trainer.yaml under each of CASES.
Run it with `bench/peer.sh python runner/testdata/trainer.py`."""
import csv
import json
import os
import shutil
import tempfile
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")
import torch
from lighter.engine.runner import Runner

HERE = Path(__file__).parent.resolve()
ROOT = HERE.parent.parent
DATASET = "{_target_: lighter.datasets.Digits, start: %d, stop: %d}"
SECOND = "data::val_dataloader=[{_target_: torch.utils.data.DataLoader, batch_size: 8, dataset: {_target_: lighter.datasets.Digits, start: 100, stop: 120}}, {_target_: torch.utils.data.DataLoader, batch_size: 5, dataset: {_target_: lighter.datasets.Digits, start: 200, stop: 222}}]"
# Adam's eps vanishes in float16, and the loss becomes NaN.
SGD = '=model::optimizer={_target_: torch.optim.SGD, params: "$@model::network.parameters()", lr: 0.05, momentum: 0.9, foreach: true}'
# Each case is a name, the overrides, and k where the reference divides the training loss by k accumulated batches.
CASES = [
    ("plain", [], 1),
    ("64-true", ["trainer::precision=64-true"], 1),
    ("bf16-true", ["trainer::precision=bf16-true"], 1),
    ("16-true", ["trainer::precision=16-true", SGD], 1),
    ("bf16-mixed", ["trainer::precision=bf16-mixed"], 1),
    ("16-mixed", ["trainer::precision=16-mixed"], 1),
    ("overfit a number", ["trainer::overfit_batches=2"], 1),
    ("overfit a fraction", ["trainer::overfit_batches=0.34", "trainer::max_epochs=3"], 1),
    ("two validation loaders", ["=" + SECOND], 1),
    ("limited validation loaders", ["=" + SECOND, "trainer::limit_val_batches=2", "trainer::val_check_interval=0.5"], 1),
    ("accumulation", ["trainer::accumulate_grad_batches=3", "trainer::limit_train_batches=7"], 3),
    ("clip by value", ["trainer::gradient_clip_val=0.01", "trainer::gradient_clip_algorithm=value"], 1),
    ("clip by norm", ["trainer::gradient_clip_val=0.1"], 1),
    ("validation across epochs", ["trainer::check_val_every_n_epoch=null", "trainer::val_check_interval=3"], 1),
    ("max_steps", ["trainer::max_steps=11", "trainer::max_epochs=-1", "trainer::num_sanity_val_steps=0"], 1),
    ("no sanity check", ["trainer::num_sanity_val_steps=0", "trainer::check_val_every_n_epoch=2"], 1),
]


def rows(path, k):
    """The columns of metrics.csv as lists of [epoch, step, value]; a loss divided by k is put back."""
    series = {}
    for row in csv.DictReader(open(path, newline="")):
        for name, cell in row.items():
            if name in ("epoch", "step") or cell == "":
                continue
            value = float(cell) * (k if name.startswith("train/loss") else 1)
            series.setdefault(name, []).append([row["epoch"], row["step"], value])
    return series


torch.set_num_threads(1)
out = []
work = Path(tempfile.mkdtemp())
shutil.copytree(ROOT / "bench/peer", work, dirs_exist_ok=True)
shutil.copy(ROOT / "internal/data/digits.bin", work)
steps = work / "steps.py"  # Lightning asks for the argument where there are several loaders
steps.write_text(steps.read_text().replace("def validation_step(self, batch, batch_idx)", "def validation_step(self, batch, batch_idx, dataloader_idx=0)"))
os.chdir(work)
for name, overrides, k in CASES:
    config = (HERE / "trainer.yaml").read_text()
    swap = lambda text: text.replace("lighter.datasets.Digits", "project.steps.Digits").replace("lighter.LighterModule", "project.steps.Supervised")
    (work / "config.yaml").write_text(swap(config))
    shutil.rmtree("out", ignore_errors=True)
    Runner().run("fit", ["config.yaml"] + [swap(o) for o in overrides])
    out.append(dict(name=name, overrides=overrides, series=rows("out/fit/version_0/metrics.csv", k)))
shutil.rmtree(work)
text = json.dumps(out).replace('}, {"name"', '},\n{"name"')
(HERE / "trainer.json").write_text(text + "\n")
