"""The Python side of torchfile's tests. Needs torch 2.11, pytorch-lightning 2.6 and omegaconf.

    torchfile.py                writes the files the tests read, beside itself, and what they hold as text
    torchfile.py render FILE    opens FILE with weights_only=True and prints what it holds
    torchfile.py resume FILE    lets Lightning resume from FILE, opened with weights_only=True, and prints the loss after two more epochs
    torchfile.py trust FILE     the same with weights_only=False
    torchfile.py speed FILE     times torch.save and torch.load of 100 MB
"""
import argparse, collections, datetime, decimal, enum, os, pathlib, struct, sys, time

import numpy as np
import torch
from lightning_fabric.utilities.data import AttributeDict
from omegaconf import OmegaConf
from pytorch_lightning.trainer.states import RunningStage


def render(v, storages):
    """One line of text that tells apart all that torchfile's values can hold."""
    many = lambda vs: ", ".join(render(x, storages) for x in vs)
    v = v.item() if isinstance(v, np.generic) else v.value if isinstance(v, enum.Enum) else v
    if v is None or isinstance(v, (bool, int)):
        return str(v)
    if isinstance(v, float):
        return "f" + struct.pack(">d", v).hex()
    if isinstance(v, (str, pathlib.PurePath, datetime.date, datetime.timedelta, decimal.Decimal)):
        return f"{len(str(v).encode())}:{v}"
    if isinstance(v, argparse.Namespace):
        return render(vars(v), storages)
    if isinstance(v, bytes):
        return "b" + v.hex()
    if isinstance(v, torch.Size):
        return f"size{list(v)}"
    if isinstance(v, list):
        return f"[{many(v)}]"
    if isinstance(v, tuple):
        return f"({many(v)})"
    if isinstance(v, (set, frozenset)):
        return f"set({many(v)})"
    if isinstance(v, dict):
        kind = {collections.OrderedDict: "ordered", collections.Counter: "counter"}.get(type(v), "")
        attrs = "@" + render(v.__dict__, storages) if kind == "ordered" and v.__dict__ else ""
        return kind + "{" + ", ".join(f"{render(k, storages)}: {render(x, storages)}" for k, x in v.items()) + "}" + attrs
    if isinstance(v, (torch.dtype, torch.device)):
        return f"<{str(v).removeprefix('torch.')}>"
    if isinstance(v, type):
        return f"<{v.__module__}.{v.__qualname__}>"
    if isinstance(v, torch.Tensor):
        at = storages.setdefault(v.untyped_storage()._cdata, len(storages))
        raw = bytes(v.detach().clone(memory_format=torch.contiguous_format).untyped_storage()).hex()
        kind = "parameter" if isinstance(v, torch.nn.Parameter) else "tensor"
        dtype = str(v.dtype).removeprefix("torch.")
        return f"{kind}({dtype} {list(v.shape)} {list(v.stride())} {v.storage_offset()} {v.requires_grad} in {at}: {raw})"
    return render(OmegaConf.to_container(v, resolve=False), storages)


def values():
    base = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    param = torch.nn.Parameter(torch.tensor([1.5, -2.5]))
    dtypes = "float32 float64 float16 bfloat16 int8 int16 int32 int64 uint8 bool complex64 complex128 uint16 uint32 uint64 complex32 " \
        "float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz float8_e8m0fnu"
    every = {}
    for name in dtypes.split():
        dtype = getattr(torch, name)
        n = dtype.itemsize if name != "bool" else 1
        every[name] = torch.tensor([1] + [0] * (n - 1) + [0] * n, dtype=torch.uint8).view(dtype)
    shared = {"k": 1}
    return {
        "none": None, "yes": True, "no": False,
        "ints": [0, 255, 256, 65535, 65536, -1, -(2**31), 2**31, 2**63 - 1, -(2**63), 2**63, -(2**70), 10**30],
        "floats": [0.5, -0.0, float("inf"), 1e300], "nan": float("nan"),
        "text": "naïve ✓ 𝄞", "empty": "", "bytes": bytes(range(256)),
        "tuples": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)), "set": {7},
        "intkeys": {0: "a", 5: "b"}, "ordered": collections.OrderedDict([("z", 1), ("a", 2)]),
        "counter": collections.Counter({30: 1, 80: 2}), "size": torch.Size([2, 3]), "dtype": torch.bfloat16,
        "device": torch.device("cuda", 1), "path": pathlib.PurePosixPath("/data/x"),
        "shared": [shared, shared],
        "base": base, "view": base[1:, ::2], "transposed": base.t(), "expanded": torch.ones(1, 1).expand(2, 3),
        "scalar": torch.tensor(3), "void": torch.empty(0, 3), "param": param, "tied": param, "grad": torch.ones(1, requires_grad=True),
        "every": every,
    }


def legacy():
    """What the format before 1.6 can hold: storages that are shared, seen in part, empty, of several types; a module's state_dict."""
    base = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    return {
        "base": base, "view": base[1:, ::2], "void": torch.empty(0, 3), "scalar": torch.tensor(3), "half": torch.ones(3, dtype=torch.bfloat16),
        "flag": torch.tensor([True, False]), "param": torch.nn.Parameter(torch.tensor([1.5])), "list": [1, "a", (2.5,)],
        "state": torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2)).state_dict(),
    }


def odd():
    """Hyper-parameters of classes that are data."""
    return {
        "namespace": argparse.Namespace(lr=0.1, path=pathlib.PurePosixPath("a/b"), inner=argparse.Namespace(x=1)), "empty": argparse.Namespace(),
        "date": datetime.date(2024, 2, 29), "datetime": datetime.datetime(2024, 2, 29, 3, 4, 5), "precise": datetime.datetime(1999, 12, 31, 23, 59, 59, 12),
        "deltas": [datetime.timedelta(seconds=5), datetime.timedelta(days=1, microseconds=7), datetime.timedelta(days=-3, hours=30)],
        "decimal": decimal.Decimal("0.10"),
    }


def lightning():
    import pytorch_lightning as pl

    class Net(pl.LightningModule):
        def __init__(self, hidden=4, nested=None):
            super().__init__()
            self.save_hyperparameters()
            self.network = torch.nn.Sequential(torch.nn.Linear(3, hidden), torch.nn.BatchNorm1d(hidden), torch.nn.Linear(hidden, 1))

        def training_step(self, batch, _):
            loss = self.network(batch).square().mean()
            self.log("loss", loss)
            return loss

        def configure_optimizers(self):
            opt = torch.optim.Adam(self.parameters(), lr=0.01)
            return [opt], [torch.optim.lr_scheduler.MultiStepLR(opt, [1, 2, 2])]

    torch.manual_seed(0)
    check = pl.callbacks.ModelCheckpoint(dirpath=".", monitor="loss", filename="lightning")
    stop = pl.callbacks.EarlyStopping("loss")
    trainer = pl.Trainer(max_epochs=2, accelerator="cpu", logger=False, callbacks=[check, stop], enable_progress_bar=False, enable_model_summary=False)
    data = torch.utils.data.DataLoader(torch.arange(24.0).reshape(8, 3) / 24, batch_size=4)
    if len(sys.argv) > 2:
        trainer = pl.Trainer(max_epochs=4, accelerator="cpu", logger=False, callbacks=[stop], enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False)
        trainer.fit(Net(nested=AttributeDict(a=1)), data, ckpt_path=sys.argv[2], weights_only=sys.argv[1] == "resume")
        print("resumed", trainer.global_step, repr(float(trainer.callback_metrics["loss"])))
        return
    trainer.fit(Net(nested=AttributeDict(a=1)), data)
    ckpt = torch.load("lightning.ckpt", weights_only=False)
    state = next(v for k, v in ckpt["callbacks"].items() if k.startswith("ModelCheckpoint"))
    here = state["dirpath"]
    for k, v in state.items():  # no folder of this machine in the file
        if isinstance(v, str):
            state[k] = v.replace(here, "/run")
        elif isinstance(v, dict):
            state[k] = {p.replace(here, "/run"): score for p, score in v.items()}
    torch.save(ckpt, "lightning.ckpt")


def speed():
    state = {f"w{i}": torch.randn(1 << 20) for i in range(25)}
    for what in (lambda: torch.save(state, sys.argv[2]), lambda: torch.load(sys.argv[2], weights_only=True)):
        best = 9e9
        for _ in range(5):
            t = time.perf_counter()
            what()
            best = min(best, time.perf_counter() - t)
        print(f"{25 * 4 * (1 << 20) / 1e6 / best:.0f} MB/s")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        if sys.argv[1] == "render":
            print(render(torch.load(sys.argv[2], weights_only=True), {}))
        elif sys.argv[1] in ("resume", "trust"):
            lightning()
        elif sys.argv[1] == "speed":
            speed()
        sys.exit()
    os.chdir(pathlib.Path(__file__).parent)
    if os.path.exists("lightning.ckpt"):
        os.remove("lightning.ckpt")
    lightning()
    torch.save(values(), "values.pt")
    torch.save({"hp": OmegaConf.create({"a": 1, "l": [1, {"b": "x"}], "ref": "${a}", "n": None}), "ad": AttributeDict(x=AttributeDict(y=2)),
                "type": type(OmegaConf.create({})), "default": collections.defaultdict(list, a=[1]), "stage": RunningStage.TRAINING,
                "numpy": [np.float64(0.5), np.float32(0.25), np.int64(-3), np.int8(-1), np.uint8(200), np.uint64(2**64 - 1), np.bool_(True)]}, "containers.pt")
    torch.save({"net": torch.nn.Linear(1, 1)}, "module.pt")
    torch.manual_seed(0)
    torch.save(legacy(), "legacy.pt", _use_new_zipfile_serialization=False)
    torch.save(odd(), "odd.pt")
    torch.save({"t": torch.ones(3), "n": 1}, "small.pt")
    for protocol in (3, 4, 5):
        torch.save({"t": torch.ones(3), "b": b"ab", "s": {1}, "f": frozenset({2}), "d": {"x": [1.5]}}, f"protocol{protocol}.pt", pickle_protocol=protocol)
    torch.jit.script(torch.nn.Linear(1, 1)).save("script.pt")
    for name in ("values.pt", "containers.pt", "small.pt", "lightning.ckpt", "protocol3.pt", "protocol4.pt", "protocol5.pt", "legacy.pt", "odd.pt"):
        text = render(torch.load(name, weights_only=False, map_location="cpu"), {})
        pathlib.Path(name).with_suffix(".txt").write_text(text + "\n")
