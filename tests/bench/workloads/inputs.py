#!/usr/bin/python3
"""Makes the stored inputs of the workloads: NetCDF-4 files of deflated chunks, once; files that are there are left alone.

    inputs.py --program build/release/tests/workloads --dir DATA [--only NAME,...] [--scale F]

What they hold, element by element, is told in field.c: a few different chunks, dealt out by a hash, so that size costs little more than writing.
The functions here that evaluate elements are those that the peers and the tests use.
"""
import argparse
import itertools
import json
import os
import subprocess
import zlib
from pathlib import Path

import h5py
import netCDF4
import numpy as np

GOLDEN = 0x9E3779B97F4A7C15
MASK = (1 << 64) - 1
TYPES = {"f32": np.float32, "f64": np.float64}


def splitmix64(x):
    x = np.asarray(x, np.uint64) + np.uint64(GOLDEN)
    x = (x ^ x >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ x >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return x ^ x >> np.uint64(31)


def start(given):
    return np.uint64(given["seed"] * GOLDEN & MASK)


def pattern(given, number):
    """Pattern `number` of a stored input: the values of a whole chunk."""
    n = int(np.prod(given["chunk"]))
    h = splitmix64(start(given) + np.arange(number * n, number * n + n, dtype=np.uint64))
    return ((h >> np.uint64(52)).astype("f4") / np.float32(4096)).reshape(given["chunk"])


def grid(given):
    return [-(-n // c) for n, c in zip(given["shape"], given["chunk"])]


def dealt(given):
    """By chunk, row-major: which pattern it holds."""
    numbers = np.arange(np.prod(grid(given)), dtype=np.uint64)
    return (splitmix64(start(given) + numbers) % np.uint64(given["patterns"])).astype(int)


def computed(given, low, high):
    """Elements [low, high) by dimension of a computed input."""
    linear = np.uint64(0)
    for d, n in enumerate(given["shape"]):
        place = np.arange(low[d], high[d], dtype=np.uint64).reshape([-1] + [1] * (len(low) - 1 - d))
        linear = linear * np.uint64(n) + place
    h = splitmix64(start(given) + linear)
    return (h >> np.uint64(40)).astype(TYPES[given["dtype"]]) / TYPES[given["dtype"]](2**24)


def squeeze(block):
    """A chunk as the filters shuffle and deflate make it."""
    return zlib.compress(block.view("u1").reshape(-1, block.itemsize).T.tobytes(), 1)


def describe(f, given):
    """Dimensions, coordinates and the variable, without its chunks."""
    for name, n in zip(given["dims"], given["shape"]):
        f.createDimension(name, n)
        c = f.createVariable(name, "f8", (name,))
        c[:] = np.arange(n) * (given["hours"] if name == "time" else 1.0)
        if name == "time":
            c.setncatts({"units": "hours since 1990-01-01 00:00:00", "calendar": "standard"})
    f.createVariable(given["name"], "f4", given["dims"], zlib=True, complevel=1, shuffle=True, chunksizes=given["chunk"])


def make(given):
    path, part = given["path"], given["path"] + ".part"
    with netCDF4.Dataset(part, "w") as f:
        describe(f, given)
    chunks = [squeeze(pattern(given, p)) for p in range(given["patterns"])]
    with h5py.File(part, "r+") as f:
        variable = f[given["name"]].id
        corners = itertools.product(*(range(0, n, c) for n, c in zip(given["shape"], given["chunk"])))
        for corner, p in zip(corners, dealt(given)):
            variable.write_direct_chunk(corner, chunks[p])
    os.replace(part, path)


def workloads(program, *options):
    """The workloads as the program describes them."""
    text = subprocess.run([str(program), "--list", "-o", "json", *map(str, options)], check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in text.splitlines()]


def make_all(listed, say=print):
    for given in (i for w in listed for i in w["inputs"] if i["stored"]):
        if not os.path.exists(given["path"]):
            make(given)
            say(f"{given['path']}: {os.path.getsize(given['path']) / 1e6:.0f} MB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=os.environ.get("WORKLOADS"), help="the program `workloads`; WORKLOADS without it")
    parser.add_argument("--dir", default=os.environ.get("BENCH_DIR", "."), help="BENCH_DIR without it")
    parser.add_argument("--only")
    parser.add_argument("--scale", type=float, default=1)
    options = parser.parse_args()
    if not options.program:
        parser.error("set WORKLOADS or give --program")
    Path(options.dir).mkdir(parents=True, exist_ok=True)
    only = ["--only", options.only] if options.only else []
    make_all(workloads(options.program, "--dir", options.dir, "--scale", options.scale, *only))


if __name__ == "__main__":
    main()
