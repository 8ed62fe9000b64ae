"""Makes hooks.json, logs.json and manual.json: what PyTorch Lightning does with LightningModules of the user's.

    python runner/testdata/lightning/make.py

The Go tests (runner/lightning_*_test.go) do the same runs and compare.
"""

import json
import logging
import pathlib
import tempfile
import warnings

import pytorch_lightning as pl
import torch
import torchmetrics
from pytorch_lightning.loggers.logger import Logger
from torch.utils.data import DataLoader

warnings.filterwarnings("ignore")
logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
here = pathlib.Path(__file__).parent

MODEL = """configure_model setup teardown prepare_data on_fit_start on_fit_end on_train_start on_train_end on_validation_start
on_validation_end on_test_start on_test_end on_predict_start on_predict_end on_train_epoch_start on_train_epoch_end
on_validation_epoch_start on_validation_epoch_end on_test_epoch_start on_test_epoch_end on_predict_epoch_start
on_predict_epoch_end on_train_batch_start on_train_batch_end on_validation_batch_start on_validation_batch_end
on_test_batch_start on_test_batch_end on_predict_batch_start on_predict_batch_end on_before_zero_grad on_before_backward
on_after_backward on_before_optimizer_step backward optimizer_step optimizer_zero_grad configure_gradient_clipping
lr_scheduler_step on_validation_model_zero_grad on_validation_model_eval on_validation_model_train on_test_model_eval
on_test_model_train on_predict_model_eval on_before_batch_transfer transfer_batch_to_device on_after_batch_transfer
on_save_checkpoint on_load_checkpoint configure_callbacks""".split()
DATA = """prepare_data setup teardown train_dataloader val_dataloader test_dataloader predict_dataloader state_dict load_state_dict
on_exception on_before_batch_transfer transfer_batch_to_device on_after_batch_transfer""".split()
CALLBACK = """setup teardown on_fit_start on_fit_end on_sanity_check_start on_sanity_check_end on_train_start on_train_end
on_validation_start on_validation_end on_test_start on_test_end on_predict_start on_predict_end on_train_epoch_start
on_train_epoch_end on_validation_epoch_start on_validation_epoch_end on_test_epoch_start on_test_epoch_end
on_predict_epoch_start on_predict_epoch_end on_train_batch_start on_train_batch_end on_validation_batch_start
on_validation_batch_end on_test_batch_start on_test_batch_end on_predict_batch_start on_predict_batch_end
on_before_zero_grad on_before_backward on_after_backward on_before_optimizer_step on_save_checkpoint on_load_checkpoint
on_exception""".split()


class Rows(Logger):
    """A logger that keeps rows."""

    name, version = "rows", 0

    def __init__(self):
        super().__init__()
        self.rows = []

    def log_metrics(self, metrics, step=None):
        self.rows.append([step, dict(metrics)])

    def log_hyperparams(self, *args, **kwargs):
        pass


def loader(n):
    x = torch.arange(n, dtype=torch.float32).reshape(n, 1) / 8
    return DataLoader([(x[i], x[i] * 2) for i in range(n)], batch_size=2)


def trainer(**kwargs):
    return pl.Trainer(
        **{
            "accelerator": "cpu", "enable_progress_bar": False, "enable_model_summary": False, "logger": False,
            "enable_checkpointing": False, "max_epochs": 2, **kwargs,
        }
    )


# ---- the order of hooks


def recorded(cls, who, names, log):
    """cls with every hook of names noted in log."""

    def noted(name, original):
        def hook(self, *args, **kwargs):
            log.append(f"{who}.{name}")
            return original(self, *args, **kwargs)

        return hook

    return type(cls.__name__, (cls,), {n: noted(n, getattr(cls, n)) for n in names})


class Net(pl.LightningModule):
    def __init__(self, manual=False, skip=-1, fail=-1, many=False, middle=None):
        super().__init__()
        self.net = torch.nn.Linear(1, 1)
        self.automatic_optimization = not manual
        self.skip, self.fail, self.many, self.middle = skip, fail, many, middle

    def training_step(self, batch, batch_idx):
        if batch_idx == self.fail:
            raise ValueError("the test's")
        loss = torch.nn.functional.mse_loss(self.net(batch[0]), batch[1])
        if not self.automatic_optimization:
            opt = self.optimizers()
            opt.zero_grad()
            self.manual_backward(loss)
            opt.step()
            self.lr_schedulers().step()
        return loss

    def validation_step(self, batch, batch_idx):
        v = self.net(batch[0]).mean()
        self.log("v", v)
        return v

    def on_train_batch_end(self, outputs, batch, batch_idx):
        if self.middle and self.trainer.global_step == 4:
            self.trainer.save_checkpoint(self.middle)

    def test_step(self, batch, batch_idx):
        return None

    def predict_step(self, batch, batch_idx):
        return self.net(batch[0])

    def on_train_batch_start(self, batch, batch_idx):
        return -1 if batch_idx == self.skip else None

    def configure_callbacks(self):
        return []

    def configure_optimizers(self):
        opt = torch.optim.SGD(self.parameters(), 0.1)
        if self.many:
            s = torch.optim.lr_scheduler
            return [opt], [
                {"scheduler": s.StepLR(opt, 1, 0.5), "interval": "step", "frequency": 2},
                s.ExponentialLR(opt, 0.9),
                {"scheduler": s.ReduceLROnPlateau(opt, patience=0, threshold=10.0), "monitor": "v"},
            ]
        return [opt], [{"scheduler": torch.optim.lr_scheduler.StepLR(opt, 1), "interval": "step"}]


STEPS = ["training_step", "validation_step", "test_step", "predict_step", "configure_optimizers"]
LOADERS = ["train_dataloader", "val_dataloader", "test_dataloader", "predict_dataloader"]


class Data(pl.LightningDataModule):
    def train_dataloader(self):
        return loader(5)

    def val_dataloader(self):
        return loader(3)

    def test_dataloader(self):
        return [loader(3), loader(2)]

    def predict_dataloader(self):
        return loader(3)

    def state_dict(self):
        return {"n": 1}


class OwnNet(Net):
    train_dataloader, val_dataloader = Data.train_dataloader, Data.val_dataloader
    test_dataloader, predict_dataloader = Data.test_dataloader, Data.predict_dataloader


def two(step):
    """A step of several loaders takes the loader's number."""

    def taken(self, batch, batch_idx, dataloader_idx=0):
        return step(self, batch, batch_idx)

    return taken


HOOK_CASES = [
    {"name": "fit", "stage": "fit", "save": True},
    {"name": "resume", "stage": "fit", "resume": True, "trainer": {"max_epochs": 3}},
    {"name": "save_middle", "stage": "fit", "middle": True},
    {"name": "resume_middle", "stage": "fit", "resume": True, "from": "middle"},
    {"name": "schedulers", "stage": "fit", "many": True, "trainer": {"max_epochs": 4}},
    {"name": "accumulate", "stage": "fit", "trainer": {"accumulate_grad_batches": 2, "gradient_clip_val": 1.0, "max_epochs": 1}},
    {"name": "val_interval", "stage": "fit", "trainer": {"val_check_interval": 2, "num_sanity_val_steps": 0, "max_epochs": 1}},
    {"name": "every_two_epochs", "stage": "fit", "trainer": {"check_val_every_n_epoch": 2, "num_sanity_val_steps": 0}},
    {"name": "own_loaders", "stage": "fit", "own": True},
    {"name": "reload", "stage": "fit", "own": True, "trainer": {"reload_dataloaders_every_n_epochs": 1, "max_epochs": 3}},
    {"name": "reload_two", "stage": "fit", "trainer": {"reload_dataloaders_every_n_epochs": 2, "max_epochs": 3, "num_sanity_val_steps": 0}},
    {"name": "skip", "stage": "fit", "skip": 1},
    {"name": "manual", "stage": "fit", "manual": True},
    {"name": "max_steps", "stage": "fit", "trainer": {"max_steps": 4, "max_epochs": None}},
    {"name": "no_epochs", "stage": "fit", "trainer": {"max_epochs": 0}},
    {"name": "fail", "stage": "fit", "fail": 1, "trainer": {"num_sanity_val_steps": 0}},
    {"name": "validate", "stage": "validate"},
    {"name": "validate_checkpoint", "stage": "validate", "resume": True},
    {"name": "test", "stage": "test"},
    {"name": "test_own", "stage": "test", "own": True},
    {"name": "predict", "stage": "predict"},
]


def hooks():
    cases = []
    with tempfile.TemporaryDirectory() as folder:
        path, middle = folder + "/fit.ckpt", folder + "/middle.ckpt"
        for case in HOOK_CASES:
            log = []
            torch.manual_seed(1)
            own = case.get("own", False)
            model = recorded(OwnNet if own else Net, "model", MODEL + STEPS + (LOADERS if own else []), log)
            model = model(case.get("manual", False), case.get("skip", -1), case.get("fail", -1), case.get("many", False), middle if case.get("middle") else None)
            data = None if own else recorded(Data, "data", DATA, log)()
            callback = recorded(pl.Callback, "callback", CALLBACK, log)()
            if case["stage"] == "test":
                for n in ["test_step", "on_test_batch_start", "on_test_batch_end"]:
                    one = getattr(type(model), n)
                    if n == "on_test_batch_end":
                        setattr(type(model), n, lambda self, out, b, i, dataloader_idx=0, one=one: one(self, out, b, i))
                    else:
                        setattr(type(model), n, two(one))
            tr = trainer(callbacks=[callback], **case.get("trainer", {}))
            try:
                getattr(tr, case["stage"])(model, datamodule=data, ckpt_path=(middle if "from" in case else path) if case.get("resume") else None)
            except ValueError:
                pass
            if case.get("save"):
                tr.save_checkpoint(path)
            cases.append({**case, "calls": " ".join(log), "global_step": tr.global_step, "weight": model.net.weight.item()})
    return cases


# ---- self.log

class Logging(pl.LightningModule):
    """Logs by a list of calls: hook, name, kind of value, arguments. The value counts the call's turns."""

    def __init__(self, calls):
        super().__init__()
        self.net = torch.nn.Linear(1, 1)
        self.calls, self.turns = calls, [0] * len(calls)
        self.mean = torchmetrics.MeanMetric()
        self.max = torchmetrics.MaxMetric()

    def go(self, hook):
        for i, c in enumerate(self.calls):
            if c["hook"] != hook:
                continue
            self.turns[i] += 1
            n = self.turns[i]
            if n % c.get("every", 1):
                continue
            v = n * 0.3
            kind = c.get("kind", "tensor")
            if kind == "tensor":
                v = torch.tensor(v)
            elif kind == "double":
                v = torch.tensor(v, dtype=torch.float64)
            elif kind == "int":
                v = n
            elif kind == "bool":
                v = n % 2 == 0
            elif kind == "long":
                v = torch.tensor(n)
            elif kind == "vector":
                v = torch.tensor([v, v])
            elif kind == "one":
                v = torch.tensor([v])
            elif kind == "str":
                v = "x"
            elif kind in ("mean", "max"):
                metric = getattr(self, kind)
                metric(torch.tensor(v))
                v = metric
            if c.get("dict"):
                self.log_dict({c["name"]: v, c["name"] + "2": v * 2}, **c.get("args", {}))
            else:
                self.log(c["name"], v, **c.get("args", {}))

    def training_step(self, batch, batch_idx):
        self.go("training_step")
        return self.net(batch[0]).mean()

    def validation_step(self, batch, batch_idx, dataloader_idx=0):
        self.go("validation_step")

    def configure_optimizers(self):
        self.go("configure_optimizers")
        return torch.optim.SGD(self.parameters(), 0.1)


LOG_HOOKS = """on_train_start on_train_end on_train_epoch_start on_train_epoch_end on_train_batch_start on_train_batch_end on_fit_start
on_validation_start on_validation_end on_validation_epoch_start on_validation_epoch_end on_before_backward on_after_backward
on_before_optimizer_step on_before_zero_grad setup on_validation_batch_end on_validation_batch_start""".split()
for hook in LOG_HOOKS:
    setattr(Logging, hook, lambda self, *args, hook=hook, **kwargs: self.go(hook))


class Watch(pl.Callback):
    def __init__(self):
        self.seen = []

    def note(self, where, tr):
        metrics = lambda d: {k: float(v) for k, v in d.items()}
        self.seen.append([where, metrics(tr.callback_metrics), metrics(tr.progress_bar_metrics), metrics(tr.logged_metrics)])

    def on_train_batch_end(self, tr, *args):
        self.note("batch", tr)

    def on_validation_end(self, tr, *args):
        self.note("validation", tr)

    def on_train_end(self, tr, *args):
        self.note("end", tr)


def call(hook, name="a", kind="tensor", **more):
    args = {k: more.pop(k) for k in list(more) if k not in ("dict", "every")}
    return {"hook": hook, "name": name, "kind": kind, "args": args, **more}


LOG_CASES = [
    [call("training_step")],
    [call("training_step", on_step=True, on_epoch=True)],
    [call("training_step", on_step=False, on_epoch=True)],
    [call("training_step", on_epoch=True, prog_bar=True)],
    [call("training_step", prog_bar=True, logger=False)],
    [call("training_step", logger=False, on_epoch=True)],
    [call("training_step", on_epoch=True, reduce_fx="sum")],
    [call("training_step", on_epoch=True, reduce_fx="max")],
    [call("training_step", on_epoch=True, reduce_fx="min")],
    [call("training_step", on_epoch=True, reduce_fx="avg")],
    [call("training_step", on_epoch=True, batch_size=7, kind="double")],
    [call("training_step", on_epoch=True, kind="int")],
    [call("training_step", on_epoch=True, kind="float")],
    [call("training_step", on_epoch=True, kind="bool")],
    [call("training_step", on_epoch=True, kind="long")],
    [call("training_step", on_epoch=True, kind="one")],
    [call("training_step", on_epoch=True, kind="mean")],
    [call("training_step", on_step=False, on_epoch=True, kind="max")],
    [call("training_step", kind="mean")],
    [call("training_step", every=2)],
    [call("training_step", every=2, on_epoch=True)],
    [call("training_step", dict=True, on_epoch=True, prog_bar=True)],
    [call("training_step", "x"), call("training_step", "y", on_epoch=True), call("validation_step", "x")],
    [call("training_step"), call("validation_step")],
    [call("training_step", sync_dist=True, rank_zero_only=True, enable_graph=True)],
    [call("validation_step")],
    [call("validation_step", on_step=True)],
    [call("validation_step", on_step=True, on_epoch=False)],
    [call("validation_step", prog_bar=True, kind="mean", on_step=True)],
    [call("validation_step", reduce_fx="sum", batch_size=3)],
    [call("on_train_start")],
    [call("on_train_epoch_start", prog_bar=True)],
    [call("on_train_epoch_end")],
    [call("on_train_epoch_end", prog_bar=True, reduce_fx="max"), call("training_step")],
    [call("on_train_batch_start", on_epoch=True), call("on_train_batch_end", "b", on_epoch=True)],
    [call("on_before_backward"), call("on_after_backward", "b"), call("on_before_optimizer_step", "c"), call("on_before_zero_grad", "d")],
    [call("on_validation_start"), call("on_validation_epoch_start", "b"), call("on_validation_epoch_end", "c")],
    [call("on_validation_batch_start"), call("on_validation_batch_end", "b", on_step=True)],
    [call("training_step", "step", kind="int")],
    [call("on_train_epoch_end", "step", kind="int"), call("training_step", "loss", on_epoch=True)],
    [call("training_step", "a"), call("on_train_epoch_end", "a")],
    # misuse
    [call("training_step", on_step=False, on_epoch=False)],
    [call("on_train_epoch_end", on_step=True)],
    [call("on_train_start", on_epoch=False)],
    [call("on_train_end")],
    [call("on_fit_start")],
    [call("on_validation_end")],
    [call("setup")],
    [call("configure_optimizers")],
    [call("training_step", reduce_fx="median")],
    [call("training_step", "a/dataloader_idx_0")],
    [call("training_step"), call("training_step", on_epoch=True)],
    [call("training_step", kind="vector")],
    [call("training_step", kind="str")],
]
LOADER_CASES = [
    [call("validation_step")],
    [call("validation_step", on_step=True, prog_bar=True)],
    [call("validation_step", on_step=True), call("on_validation_epoch_end", "b"), call("training_step")],
    [call("validation_step", add_dataloader_idx=False)],
    [call("validation_step", kind="mean"), call("on_validation_batch_end", "b")],
]


def run_logging(calls, loaders=1, **kwargs):
    torch.manual_seed(1)
    rows, watch = Rows(), Watch()
    case = {"calls": calls, "loaders": loaders, "trainer": kwargs}
    val = [loader(3), loader(4)][:loaders]
    tr = trainer(logger=rows, callbacks=[watch], **{"log_every_n_steps": 1, "max_epochs": 2, **kwargs})
    try:
        tr.fit(Logging(calls), loader(5), val)
    except Exception as e:  # the message is the fixture
        return {**case, "error": str(e)}
    return {**case, "rows": rows.rows, "seen": watch.seen}


def logs():
    cases = [run_logging(c) for c in LOG_CASES]
    cases += [run_logging(c, loaders=2) for c in LOADER_CASES]
    every = [call("training_step", on_epoch=True, prog_bar=True), call("validation_step", "v", on_step=True)]
    for kwargs in [{"log_every_n_steps": 2}, {"accumulate_grad_batches": 2}, {"val_check_interval": 1}, {"num_sanity_val_steps": 0}, {"limit_val_batches": 0}]:
        cases.append(run_logging(every, **kwargs))
    return cases


# ---- manual optimization: a GAN-like pair


class Pair(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.automatic_optimization = False
        self.generator = torch.nn.Sequential(torch.nn.Linear(1, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
        self.critic = torch.nn.Sequential(torch.nn.Linear(1, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))

    def training_step(self, batch, batch_idx):
        g, c = self.optimizers()
        noise, real = batch
        self.toggle_optimizer(g)
        loss = -self.critic(self.generator(noise)).mean()
        self.log("g", loss, prog_bar=True)
        g.zero_grad()
        self.manual_backward(loss)
        self.clip_gradients(g, gradient_clip_val=0.5, gradient_clip_algorithm="norm")
        g.step()
        self.untoggle_optimizer(g)
        self.toggle_optimizer(c)
        loss = self.critic(self.generator(noise).detach()).mean() - self.critic(real).mean()
        self.log("c", loss, on_epoch=True)
        c.zero_grad()
        self.manual_backward(loss)
        c.step()
        self.untoggle_optimizer(c)
        if batch_idx % 2:
            for s in self.lr_schedulers():
                s.step()

    def configure_optimizers(self):
        g = torch.optim.Adam(self.generator.parameters(), 0.05)
        c = torch.optim.SGD(self.critic.parameters(), 0.1, momentum=0.9)
        return [g, c], [torch.optim.lr_scheduler.ExponentialLR(g, 0.9), torch.optim.lr_scheduler.StepLR(c, 2)]


def manual():
    cases = []
    for kwargs in [{}, {"max_steps": 7, "max_epochs": None}, {"precision": "bf16-mixed"}, {"precision": "64-true"}]:
        pl.seed_everything(3)
        rows, model = Rows(), Pair()
        tr = trainer(logger=rows, log_every_n_steps=1, **kwargs)
        tr.fit(model, loader(5))
        with tempfile.TemporaryDirectory() as folder:
            tr.save_checkpoint(folder + "/a.ckpt")
            ckpt = torch.load(folder + "/a.ckpt", weights_only=False)
        cases.append({
            "trainer": kwargs, "rows": rows.rows, "global_step": tr.global_step,
            "state": {k: v.flatten().tolist() for k, v in model.state_dict().items()},
            "optimizers": len(ckpt["optimizer_states"]), "schedulers": len(ckpt["lr_schedulers"]),
            "last_lr": [s["_last_lr"] for s in ckpt["lr_schedulers"]],
            "progress": ckpt["loops"]["fit_loop"]["epoch_loop.manual_optimization.optim_step_progress"],
            "stepped": ckpt["loops"]["fit_loop"]["epoch_loop.state_dict"]["_batches_that_stepped"],
        })
    return cases


def write(name, **values):
    """One line a case keeps the files small and their differences readable."""
    parts = []
    for key, v in values.items():
        cases = isinstance(v, list)
        parts.append(f'"{key}": ' + ("[\n" + ",\n".join(json.dumps(c) for c in v) + "\n]" if cases else json.dumps(v)))
    (here / f"{name}.json").write_text("{\n" + ",\n".join(parts) + "\n}\n")


names = {"model": MODEL + STEPS, "loaders": LOADERS, "data": DATA, "callback": CALLBACK}
write("hooks", names=names, cases=hooks())
write("logs", cases=logs())
write("manual", cases=manual())
