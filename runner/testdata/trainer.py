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
SGD = '=model::optimizer={_target_: torch.optim.SGD, params: "$@model::network.parameters()", lr: 0.05, momentum: 0.9}'
STOPPING = "=trainer::callbacks=[{_target_: pytorch_lightning.callbacks.EarlyStopping, %s}]"
MONITOR = "=trainer::callbacks=[{_target_: pytorch_lightning.callbacks.LearningRateMonitor, %s}]"


def saver(folder, arguments):
    return "{_target_: pytorch_lightning.callbacks.ModelCheckpoint, dirpath: out/%s, %s}" % (folder, arguments)


def saving(arguments):
    return "=trainer::callbacks=[%s]" % saver("saved", arguments)


LBFGS = '=model::optimizer={_target_: torch.optim.LBFGS, params: "$@model::network.parameters()", lr: 0.2, max_iter: 4%s}'
OTHERS = [
    ("NAdam", "lr: 0.01, momentum_decay: 0.01, foreach: false"),
    ("Adafactor", "lr: 0.05, foreach: false"),
    ("RMSprop", "lr: 0.003, momentum: 0.5, centered: true, foreach: false"),
]
METRICS = """=model::val_metrics={_target_: torchmetrics.MetricCollection, prefix: v_, metrics: [
  {_target_: torchmetrics.F1Score, task: multiclass, num_classes: 10, average: macro},
  {_target_: torchmetrics.Accuracy, task: multiclass, num_classes: 10, average: macro},
  {_target_: torchmetrics.AUROC, task: multiclass, num_classes: 10},
  {_target_: torchmetrics.classification.MulticlassAveragePrecision, num_classes: 10, thresholds: 7},
  {_target_: torchmetrics.JaccardIndex, task: multiclass, num_classes: 10}]}"""
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
    ("nothing saved", ["trainer::enable_checkpointing=false"], 1),
    ("the best two and the last", [saving("monitor: val/loss/epoch, save_top_k: 2, save_last: true"), "trainer::max_epochs=4"], 1),
    ("names with metrics", [saving("monitor: val/loss/epoch, mode: max, save_top_k: -1, filename: 'e{epoch:02d}-{step}-{val/loss/epoch:.2f}'"), "trainer::max_epochs=3"], 1),
    ("names as they are", [saving("monitor: train/loss/epoch, auto_insert_metric_name: false, save_top_k: -1, filename: '{epoch}_{train/loss/epoch:.3f}'")], 1),
    ("every three steps", [saving("every_n_train_steps: 3, save_top_k: -1")], 1),
    ("every three steps, monitored", [saving("every_n_train_steps: 3, save_top_k: 2, monitor: val/loss/epoch, filename: '{step}'"), "trainer::val_check_interval=0.5"], 1),
    ("every two epochs", [saving("every_n_epochs: 2, save_top_k: -1, save_last: true"), "trainer::max_epochs=5"], 1),
    ("one name for all", [saving("filename: same, save_top_k: -1"), "trainer::max_epochs=3"], 1),
    ("overwritten", [saving("filename: same, save_top_k: -1, enable_version_counter: false"), "trainer::max_epochs=3"], 1),
    ("validation within the epoch", [saving("save_top_k: -1"), "trainer::val_check_interval=0.5"], 1),
    ("validation every two epochs", [saving("monitor: val/loss/epoch, save_top_k: -1"), "trainer::check_val_every_n_epoch=2", "trainer::max_epochs=4"], 1),
    ("at the end of training epochs", [saving("monitor: train/loss/epoch, save_top_k: 1, save_on_train_epoch_end: true"), "trainer::val_check_interval=0.25"], 1),
    ("steps in the middle of an epoch", [saving("save_top_k: -1, save_last: true"), "trainer::max_steps=11", "trainer::max_epochs=-1"], 1),
    ("none kept", [saving("save_top_k: 0, save_last: true")], 1),
    ("the last as a link", [saving("save_last: link, save_top_k: 1")], 1),
    ("no validation", [saving("save_top_k: -1"), "trainer::limit_val_batches=0"], 1),
    ("two of them", ["=trainer::callbacks=[%s, %s]" % (saver("a", "filename: 'a-{epoch}'"), saver("b", "monitor: val/loss/epoch, filename: 'b-{step}'"))], 1),
    ("early stopping", [STOPPING % "monitor: val/loss/epoch, patience: 1, min_delta: 0.3", "trainer::max_epochs=20"], 1),
    ("early stopping after its threshold", [STOPPING % "monitor: train/loss/epoch, stopping_threshold: 1.9, check_on_train_epoch_end: true", "trainer::max_epochs=20"], 1),
    ("early stopping held back", [STOPPING % "monitor: val/loss/epoch, patience: 1, min_delta: 0.5", "trainer::max_epochs=20", "trainer::min_epochs=5"], 1),
    ("rates of each step", ["model::scheduler={scheduler: {_target_: torch.optim.lr_scheduler.StepLR, optimizer: '@model::optimizer', step_size: 3, gamma: 0.5}, interval: step}", MONITOR % "logging_interval: step, log_momentum: true"], 1),
    ("rates of each epoch", ["model::scheduler={_target_: torch.optim.lr_scheduler.ExponentialLR, optimizer: '@model::optimizer', gamma: 0.5}", MONITOR % ""], 1),
    ("rates of every second step", ["model::scheduler={scheduler: {_target_: torch.optim.lr_scheduler.StepLR, optimizer: '@model::optimizer', step_size: 1, gamma: 0.9}, interval: step, frequency: 2, name: mine}", MONITOR % "", "trainer::accumulate_grad_batches=3", "trainer::log_every_n_steps=2"], 3),
    ("rates on a plateau", ["model::scheduler={scheduler: {_target_: torch.optim.lr_scheduler.ReduceLROnPlateau, optimizer: '@model::optimizer', patience: 0, threshold: 0.2}, monitor: val/loss/epoch}", MONITOR % "", "trainer::max_epochs=5"], 1),
    ("rows of every third step", ["trainer::log_every_n_steps=3", "trainer::accumulate_grad_batches=2"], 2),
    ("unfrozen in the second epoch", ["=trainer::callbacks=[{_target_: lighter.callbacks.Freezer, name_starts_with: '0.', until_epoch: 1}]"], 1),
    ("LBFGS", [LBFGS % "", "trainer::precision=64-true"], 1),
    ("LBFGS with a line search", [LBFGS % ", line_search_fn: strong_wolfe", "trainer::gradient_clip_val=5.0", "trainer::precision=64-true"], 1),
    *((name, ["=model::optimizer={_target_: torch.optim.%s, params: \"$@model::network.parameters()\", %s}" % (name, o)], 1) for name, o in OTHERS),
    ("metrics", [METRICS], 1),
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
    files = sorted(str(p.relative_to("out")) for p in Path("out").rglob("*.ckpt"))
    out.append(dict(name=name, overrides=overrides, series=rows("out/fit/version_0/metrics.csv", k), files=files))
shutil.rmtree(work)
text = json.dumps(out).replace('}, {"name"', '},\n{"name"')
(HERE / "trainer.json").write_text(text + "\n")
