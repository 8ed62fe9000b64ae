"""Writes npy.json: files of numpy.save in every dtype, byte order, memory order and version, and what PyTorch makes of them.

Run with NumPy 1.26 and PyTorch 2.11: python npy.py > npy.json
"""

import base64
import io
import json

import numpy as np
import torch

cases = []


def case(name, array, version=None, **kwargs):
    f = io.BytesIO()
    np.lib.format.write_array(f, array, version=version, allow_pickle=kwargs.pop("pickle", False))
    cases.append({"name": name, "file": base64.b64encode(f.getvalue()).decode(), **kwargs})


def numbers(name, array, version=None):
    native = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("=")))
    if native.dtype.kind == "u" and native.dtype.itemsize > 1:
        native = native.astype(np.int64)
    t = torch.from_numpy(native)
    case(name, array, version, shape=list(array.shape), values=[float(v) for v in (t.real if t.is_complex() else t).double().flatten()])


base = np.array([[0, 1, 2, 3], [4, 5, 6, 120], [7, 8, 9, 100]])
for code in ["?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", "c8", "c16"]:
    for order in "<>":
        array = base.astype(np.dtype(code).newbyteorder(order))
        if array.dtype.kind == "c":
            array.imag = 5
        numbers(f"{order}{code} C", array)
        numbers(f"{order}{code} Fortran", np.asfortranarray(array))
numbers("three dimensions, Fortran", np.asfortranarray(np.arange(24, dtype=">f4").reshape(4, 3, 2)))
numbers("one dimension", np.array([0.5, -2, 3e38], dtype="f4"))
for version in [(1, 0), (2, 0), (3, 0)]:
    numbers(f"version {version}", base.astype("f4"), version)

case("objects", np.array([{"a": 1}, None], dtype=object), pickle=True, error="it holds Python objects, which are pickled")
case("text", np.array(["a", "bc"]), error='the dtype "<U2" is no number')
case("records", np.zeros(2, dtype=[("x", "f4"), ("y", "i4")]), error="it holds an array of records")
case("dates", np.array(["2020-01-01"], dtype="M8[D]"), error='the dtype "<M8[D]" is no number')
case("long double", np.zeros(2, dtype="f16"), error='the dtype "<f16" is no number')
case("beyond int64", np.array([[2**63]], dtype="u8"), error="holds 9223372036854775808, which is beyond int64")
case("no dimension", np.array(3.0), error="there are no samples in it")
case("no rows", np.zeros((0, 3)), error="there are no samples in it")
print("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]")
