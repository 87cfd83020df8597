#!/usr/bin/env python3
"""A model's predictions in Python, by ctypes: nothing to install but Oxbow's libraries.

A line of standard input holds the numbers of one sample or of several; for each sample a line is written. Arguments: the
model, and liboxbow_c.so.0 where the loader does not find it by itself.
"""
import ctypes
import sys
from array import array

F32, MAX_RANK = 0, 8


class Result(ctypes.Structure):  # oxbow_result
    _fields_ = [("data", ctypes.c_void_p), ("count", ctypes.c_int64), ("dtype", ctypes.c_int32),
                ("rank", ctypes.c_int32), ("shape", ctypes.c_int64 * MAX_RANK)]


class Session:
    """A run state of a model, for one thread at a time."""

    def __init__(self, path, library="liboxbow_c.so.0"):
        self.c = ctypes.CDLL(library)
        self.c.oxbow_last_error.restype = ctypes.c_char_p
        self.c.oxbow_feed.argtypes = [ctypes.c_void_p, ctypes.c_int32, ctypes.c_int32, ctypes.c_void_p, ctypes.c_int64]
        model, self.session = ctypes.c_void_p(), ctypes.c_void_p()
        self.check(self.c.oxbow_load_model(path.encode(), None, ctypes.byref(model)))
        try:
            self.check(self.c.oxbow_new_session(model, ctypes.byref(self.session)))
        finally:
            self.c.oxbow_free_model(model)  # the session keeps what it needs of it

    def check(self, status):
        if status != 0:
            raise RuntimeError(self.c.oxbow_last_error().decode())

    def predict(self, numbers):
        x, y = array("f", numbers), Result()
        self.check(self.c.oxbow_feed(self.session, 0, F32, x.buffer_info()[0], len(x)))
        self.check(self.c.oxbow_run(self.session))
        self.check(self.c.oxbow_fetch(self.session, 0, ctypes.byref(y)))
        flat = (ctypes.c_float * y.count).from_address(y.data)
        width = y.count // max(1, y.shape[0])
        return [list(flat[row * width:(row + 1) * width]) for row in range(y.shape[0])]


if __name__ == "__main__":
    session = Session(*sys.argv[1:3])
    for line in sys.stdin:
        for row in session.predict(map(float, line.split())):
            print(*(f"{y:.9g}" for y in row), flush=True)
