"""Writes files.json: files of tables, arrays and shards as Python's libraries write them, and what is in them.

Run with pyarrow 26, pandas 3.1, scikit-learn 1.9, safetensors 0.8, webdataset 1.0, Pillow and PyTorch 2.11:
python files.py > files.json
"""

import base64
import io
import json
import pathlib
import tempfile

import numpy as np
import pandas as pd
import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import safetensors.numpy
import torch
import webdataset
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, OrdinalEncoder, StandardScaler

files = {}


def keep(name, data):
    files[name] = base64.b64encode(data).decode()


# ---- Parquet: each type, compression and encoding ----
n = 7
columns = {
    "i8": pa.array(range(n), pa.int8()),
    "u16": pa.array([65535 - i for i in range(n)], pa.uint16()),
    "i32": pa.array([-i for i in range(n)], pa.int32()),
    "u32": pa.array([2**32 - 1 - i for i in range(n)], pa.uint32()),
    "i64": pa.array([2**53 - i for i in range(n)], pa.int64()),
    "f32": pa.array([i / 3 for i in range(n)], pa.float32()),
    "f64": pa.array([i / 3 for i in range(n)], pa.float64()),
    "bool": pa.array([i % 3 == 0 for i in range(n)]),
    "list": pa.array([[i, i + 0.5] for i in range(n)], pa.list_(pa.float64())),
    "fixed": pa.array([[i, i + 1, i + 2] for i in range(n)], pa.list_(pa.int32(), 3)),
    "text": pa.array(["b", "a", "b", "c", "a", "b", ""]),
    "dict": pa.array(["x", "y", "x", "x", "y", "x", "y"]).dictionary_encode(),
    "gaps": pa.array([1.0, None, 3, 4, None, 6, 7]),
}
table = pa.table(columns)
numbers = ["i8", "u16", "i32", "u32", "i64", "f32", "f64", "bool", "list", "fixed"]
flat = [table[c].to_pylist() for c in numbers]
parquet = [[float(x) for cell in row for x in (cell if isinstance(cell, list) else [cell])] for row in zip(*flat)]
for name, options in {
    "snappy": {"compression": "snappy"},
    "zstd, version 2, no dictionary": {"compression": "zstd", "data_page_version": "2.0", "use_dictionary": False, "row_group_size": 3},
    "gzip, split": {"compression": "gzip", "use_dictionary": False, "column_encoding": {"f32": "BYTE_STREAM_SPLIT", "f64": "BYTE_STREAM_SPLIT", "i64": "DELTA_BINARY_PACKED", "text": "DELTA_BYTE_ARRAY"}},
    "brotli": {"compression": "brotli"},
    "lz4": {"compression": "lz4"},
}.items():
    f = io.BytesIO()
    pq.write_table(table, f, **options)
    keep(f"{name}.parquet", f.getvalue())
odd = pa.table({
    "time": pa.array([0], pa.timestamp("us")),
    "decimal": pa.array(["1.5"]).cast(pa.decimal128(5, 2)),
    "half": pa.array([np.float16(1)], pa.float16()),
    "big": pa.array([2**53 + 1]),
    "inf": pa.array([float("inf")]),
    "struct": pa.array([{"a": 1, "b": 2}]),
    "nested": pa.array([[[1]]]),
    "text": pa.array(["one"]),
})
f = io.BytesIO()
pq.write_table(odd, f)
keep("odd.parquet", f.getvalue())

# ---- what is learnt of a table ----
frame = pd.DataFrame({
    "city": ["b", "a", None, "c", "a", "b", "a"],
    "size": [10, 9, 100, 9, 10, 9, 100],
    "age": [31.0, None, 22.5, 40.25, 1e6, None, -3],
    "one": [0.1] * 7,
    "y": [3.5, 1, 2, 8, 6, 4, 2],
})
train, rest = frame[:5], pd.DataFrame({"city": ["c", "b"], "size": [100, 9], "age": [None, 50.0], "one": [0.3, 0.1], "y": [0.0, 10]})
for name, part in {"train": frame, "rest": rest}.items():
    keep(f"{name}.csv", part.to_csv(index=False).encode())
    keep(f"{name}.jsonl", part.to_json(orient="records", lines=True).encode())
    f = io.BytesIO()
    part.to_parquet(f, index=False)
    keep(f"{name}.parquet", f.getvalue())
city = SimpleImputer(strategy="most_frequent", missing_values=np.nan)
onehot = OneHotEncoder(sparse_output=False)
ordinal = OrdinalEncoder()
age = SimpleImputer(strategy="median")
scalers = {c: s for c, s in zip(["age", "one", "y"], [StandardScaler(), StandardScaler(), MinMaxScaler()])}


def column(part, name):
    return part[[name]].to_numpy(dtype=object if name == "city" else float)


def prepared(part, learn):
    do = "fit_transform" if learn else "transform"
    ages = getattr(age, do)(column(part, "age"))
    x = [
        getattr(onehot, do)(getattr(city, do)(column(part, "city"))),
        getattr(ordinal, do)(column(part, "size")),
        getattr(scalers["age"], do)(ages),
        getattr(scalers["one"], do)(column(part, "one")),
    ]
    return {"x": np.hstack(x).tolist(), "y": getattr(scalers["y"], do)(column(part, "y"))[:, 0].tolist()}


learnt = {"train": prepared(train, True), "rest": prepared(rest, False)}

# ---- arrays ----
x, y = np.arange(24, dtype="u1").reshape(4, 2, 3), np.array([3, 1, 2, 0])
f = io.BytesIO()
np.savez(f, x=x, y=y)
keep("stored.npz", f.getvalue())
f = io.BytesIO()
np.savez_compressed(f, np.asfortranarray(x.astype(">f8")))
keep("packed.npz", f.getvalue())
keep("x.safetensors", safetensors.numpy.save({"x": x, "y": y, "half": np.ones((4, 1), "f2")}))

# ---- shards ----
rng = np.random.default_rng(0)
shards = tempfile.mkdtemp()
for k in range(2):
    with webdataset.TarWriter(f"{shards}/s-{k:02d}.tar" + (".gz" if k else ""), mtime=0) as w:
        for i in range(3):
            png = io.BytesIO()
            PIL.Image.fromarray(rng.integers(0, 256, (3, 2, 3), dtype="u1")).save(png, "png")
            pth = io.BytesIO()
            torch.save({"a": torch.tensor([i, k]), "b": [1.5, "t"]}, pth)
            w.write({"__key__": f"d/{k}{i}", "png": png.getvalue(), "cls": f"{3 * k + i}\n".encode(), "txt": f"é {i}", "json": {"i": i, "f": [0.5, None]}, "npy": np.array([[i, k]], "f4"), "pth": pth.getvalue(), "txt.gz": b"packed"})
for path in sorted(pathlib.Path(shards).iterdir()):
    keep(path.name, path.read_bytes())


def plain(v):
    if isinstance(v, dict):
        return {k: plain(x) for k, x in v.items() if k != "__url__"}
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    return v.tolist() if hasattr(v, "tolist") else v


dataset = webdataset.WebDataset([f"{shards}/s-00.tar", f"{shards}/s-01.tar.gz"], shardshuffle=False, empty_check=False)
samples = [plain({k: v for k, v in s.items() if not k.startswith("__local")}) for s in dataset.decode("torchrgb8")]
grey = [plain(s) for s in dataset.decode("torchl").to_tuple("jpg;png", "cls")]

print(json.dumps({"files": files, "parquet": parquet, "learnt": learnt, "samples": samples, "grey": grey}, separators=(",", ":")))
