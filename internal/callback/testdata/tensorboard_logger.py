"""Makes events.bin, the file of Lightning's TensorBoardLogger on a stopped clock, its hyper-parameters those of hyperparams.yaml:
python tensorboard_logger.py (pytorch_lightning 2.6, tensorboard 2.21, in this folder)."""

import glob
import sys
import tempfile
from unittest import mock

import yaml
from lightning_fabric.utilities.logger import _flatten_dict
from pytorch_lightning.loggers import TensorBoardLogger

sys.path.append("../../eventfile/testdata")
from torch_events import canonical

with open("hyperparams.yaml") as f:
    config = yaml.safe_load(f)
with tempfile.TemporaryDirectory() as root:
    with mock.patch("time.time", lambda: 1700000000.25):
        logger = TensorBoardLogger(root, prefix="p", sub_dir="a/b")
        logger.log_hyperparams(config)
        logger.log_metrics({"train/loss/step": 2.3128662109375, "epoch": 0}, 0)
        logger.log_metrics({"val/loss/epoch": float("nan"), "val/metrics/MulticlassAccuracy/epoch": 0.30000001192092896, "epoch": 1}, 1)
        logger.finalize("success")
    with open("events.bin", "wb") as f:
        f.write(canonical(glob.glob(root + "/lightning_logs/version_0/a/b/events*")[0], list(_flatten_dict(config))))
