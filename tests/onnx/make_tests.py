#!/usr/bin/env python3
"""Writes ONNX's own tests of operators as PyPI's onnx package makes them, for the newest opsets, to a folder that
test_onnx reads:

    pip install onnx && tests/onnx/make_tests.py /tmp/onnx
    OXBOW_ONNX_DATA=/tmp/onnx build/bin/test_onnx --run_test=test_conformance
"""
import pathlib
import sys

import numpy as np
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases


def write(folder, kind, number, value):
    if isinstance(value, np.ndarray) or np.isscalar(value):
        tensor = numpy_helper.from_array(np.asarray(value))
    elif hasattr(value, "SerializeToString"):
        tensor = value
    else:
        return  # a sequence or nothing: the test says that it is not read
    (folder / f"{kind}_{number}.pb").write_bytes(tensor.SerializeToString())


def main():
    root = pathlib.Path(sys.argv[1])
    for case in collect_testcases(None):
        folder = root / "node" / case.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.onnx").write_bytes(case.model.SerializeToString())
        (folder / "tolerance").write_text(f"{case.rtol} {case.atol}\n")
        for i, (inputs, outputs) in enumerate(case.data_sets):
            data = folder / f"test_data_set_{i}"
            data.mkdir(exist_ok=True)
            for kind, values in (("input", inputs), ("output", outputs)):
                for number, value in enumerate(values):
                    write(data, kind, number, value)


main()
