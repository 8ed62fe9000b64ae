"""Python's side of interop_test.go. Needs lighter 0.1, pytorch-lightning 2.6 and torch.

    interop.py fit OUT CONFIG [CKPT...]   fits CONFIG in the current folder, or goes on from each CKPT in a folder of its own, and
                                          writes to OUT what the checkpoints that come of it hold, as JSON
    interop.py fixtures                   makes interop.json, interop_resumed.json and interop_*.ckpt, beside itself
"""
import json, os, pathlib, shutil, subprocess, sys, tempfile

# Moments of the fit: in the hooks after a batch, in a validation's end, at an epoch's end.
MOMENTS = {"batch": "epoch=1-step=5", "val": "epoch=1-step=4", "epoch": "epoch=0-step=3"}


def summary(path):
    import torch

    c = torch.load(path, weights_only=True)
    plain = lambda v: v.tolist() if isinstance(v, torch.Tensor) else {str(k): plain(x) for k, x in v.items()} if isinstance(v, dict) else v
    return {
        "epoch": c["epoch"], "global_step": c["global_step"], "loops": c["loops"],
        "lr": [g["lr"] for g in c["optimizer_states"][0]["param_groups"]],
        "steps": [float(s["step"]) for s in c["optimizer_states"][0]["state"].values()],
        "last_epoch": [s["last_epoch"] for s in c["lr_schedulers"]],
        "wait_count": next((v["wait_count"] for k, v in c["callbacks"].items() if k.startswith("EarlyStopping")), None),
        "weights": {k: [float(v.double().sum()), float(v.double().abs().sum())] for k, v in c["state_dict"].items()},
    }


def summaries():
    return {str(p): summary(p) for p in sorted(pathlib.Path(".").rglob("*.ckpt"))}


def fit(out, config, ckpts):
    import lighter
    from lighter.engine.runner import cli

    def step(self, batch, batch_idx):
        x, y = batch
        pred = self(x)
        return {"loss": self.criterion(pred, y), "pred": pred, "target": y}

    for mode in ("training", "validation", "test"):
        setattr(lighter.LighterModule, f"{mode}_step", step)
    out, config, found = pathlib.Path(out).absolute(), os.path.abspath(config), {}
    if not ckpts:
        sys.argv = ["lighter", "fit", config]
        cli()
        found = summaries()
    for ckpt in map(os.path.abspath, ckpts):
        with tempfile.TemporaryDirectory() as d:
            os.chdir(d)
            sys.argv = ["lighter", "fit", config, "--ckpt_path", ckpt]
            cli()
            found[pathlib.Path(ckpt).stem] = summaries()
    out.write_text(json.dumps(found, sort_keys=True, separators=(",", ":")) + "\n")


def fixtures():
    here = pathlib.Path(__file__).resolve().parent
    run = lambda d, *args: subprocess.run([sys.executable, __file__, "fit", *map(str, args)], cwd=d, check=True)
    with tempfile.TemporaryDirectory() as d:
        run(d, here / "interop.json", here / "interop.yaml")
        for kind, name in MOMENTS.items():
            shutil.copy(pathlib.Path(d) / "out" / kind / f"{name}.ckpt", here / f"interop_{kind}.ckpt")
        run(d, here / "interop_resumed.json", here / "interop.yaml", *(here / f"interop_{kind}.ckpt" for kind in MOMENTS))


if sys.argv[1] == "fixtures":
    fixtures()
else:
    fit(sys.argv[2], sys.argv[3], sys.argv[4:])
