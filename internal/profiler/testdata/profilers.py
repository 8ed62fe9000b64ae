"""Writes profilers.json: reports of PyTorch Lightning 2.6's SimpleProfiler for given durations, names of its files, and tables of PyTorch
2.11's profiler with the events they were made of.

python profilers.py > profilers.json
"""

import json
import time

import torch
from pytorch_lightning.profilers import SimpleProfiler

ACTIONS = {
    "run_training_epoch": [1.25, 0.75],
    "[Callback]Timer.on_train_batch_end": [1e-6, 3e-6, 2.5e-6],
    "a": [0.0001],
    "b": [2.0],
    "long": [12345.678],
    "tie": [2.0],
}


def simple():
    for extended in (True, False):
        for stage, actions in (("fit", ACTIONS), ("test", {"run": [0.5]})):
            p = SimpleProfiler(extended=extended)
            p._stage = stage
            p.recorded_durations.update(actions)
            clock, time.perf_counter = time.perf_counter, lambda: p.start_time + 123.456
            yield {"extended": extended, "stage": stage, "actions": [[k, v] for k, v in actions.items()], "whole": 123.456, "report": p.summary()}
            time.perf_counter = clock


def names():
    for filename, action in (("perf", None), (None, "[Strategy]SingleDeviceStrategy.training_step"), ("a/b:c?", "x__y"), (None, None)):
        p = SimpleProfiler(filename=filename)
        p._stage = "fit"
        yield {"filename": filename or "", "action": action or "", "name": p._prepare_filename(action, ".txt")}


def tables():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 4))
    x, y = torch.rand(5, 8), torch.randint(4, (5,))
    for options, grouped, key, rows, kwargs in (
        ({}, False, "cpu_time_total", 10, {}),
        ({"record_shapes": True}, True, "count", 8, {"max_name_column_width": 20}),
        ({"profile_memory": True}, False, "self_cpu_memory_usage", -1, {"header": "Memory"}),
        ({"record_shapes": True, "with_flops": True}, False, "cpu_time", 5, {"time_unit": "ms"}),
        ({}, False, "cpu_time_total", 20, {"top_level_events_only": True}),
    ):
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], **options) as p:
            for _ in range(2):
                with torch.profiler.record_function("step"):
                    net.zero_grad()
                    torch.nn.functional.cross_entropy(net(x), y).backward()
        events = [
            {
                "Name": e.name(), "Shapes": ", ".join(str(s) for s in e.shapes()), "Start": e.start_ns(), "Duration": e.duration_ns(),
                "Thread": e.start_thread_id(), "ID": e.correlation_id(), "Linked": e.linked_correlation_id(), "Bytes": e.nbytes(),
                "FLOPs": e.flops(), "Device": int(e.device_type() == torch.autograd.DeviceType.CUDA), "Async": e.is_async(),
            }
            for e in p.profiler.kineto_results.events()
            if not e.is_hidden_event()
        ]
        first = min(e["Start"] for e in events)
        for e in events:
            e["Start"] -= first
        events = [{k: v for k, v in e.items() if v} for e in events]
        table = p.key_averages(group_by_input_shape=grouped).table(sort_by=key, row_limit=rows, **kwargs)
        yield {"memory": "profile_memory" in options, "flops": "with_flops" in options, "grouped": grouped, "key": key, "rows": rows, "kwargs": kwargs, "events": events, "table": table}


print(json.dumps({"simple": list(simple()), "names": list(names()), "numbers": [[v, f"{v:.5}"] for v in (0.0, 1.0, 0.17, 1e-5, 0.0001, 9999.96, 99999.5, 12345.0, 1234.56, 100.0, 123456789.0, 2.5e-300)], "tables": list(tables())}, indent=None))
