"""Makes torch.bin, the file of PyTorch's SummaryWriter on a stopped clock: python torch_events.py (torch 2.11, tensorboard 2.21, in this folder)."""

import glob
import struct
import tempfile
import time
from unittest import mock

from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionStartInfo
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams


def ordered(event, names):
    """Protobuf leaves the order of a map open, and Python's changes from run to run: here it is that of the arguments."""
    for value in event.summary.value:
        if value.tag == "_hparams_/session_start_info":
            info = HParamsPluginData.FromString(value.metadata.plugin_data.content).session_start_info
            data = b"".join(SessionStartInfo(hparams={k: info.hparams[k]}).SerializeToString() for k in names)
            size = b""
            n = len(data)
            while n > 127:
                size, n = size + bytes([n & 127 | 128]), n >> 7
            value.metadata.plugin_data.content = b"\x1a" + size + bytes([n]) + data
    return event.SerializeToString()


def canonical(file, names):
    out = b""
    for data in RawEventFileLoader(file).Load():
        data = ordered(Event.FromString(data), names)
        length = struct.pack("<Q", len(data))
        out += length + struct.pack("<I", masked_crc32c(length)) + data + struct.pack("<I", masked_crc32c(data))
    return out


if __name__ == "__main__":
    params = {"lr": 0.001, "name": "Adam", "é": -1.0}
    with tempfile.TemporaryDirectory() as root:
        with mock.patch("time.time", lambda: 1700000000.25):
            w = SummaryWriter(root)
            w.add_scalar("hp_metric", -1)
            for s in hparams(params, {"hp_metric": -1, "loss": 0}):
                w._get_file_writer().add_summary(s)
            for step, tag, value in [
                (0, "train/loss/step", 0.1), (1, "epoch", 0.0), (300, "a", float("nan")), (300, "b", float("-inf")), (2**40, "c", 1e300), (127, "é", -0.0),
            ]:
                w.add_scalar(tag, value, step)
            w.close()
        with open("torch.bin", "wb") as f:
            f.write(canonical(glob.glob(root + "/*")[0], list(params)))
