#!/usr/bin/python3
"""How fast maps become series: `varve rechunk` at several budgets beside `nccopy -c`, in turn within one run.

    tests/bench/writing/rechunk.py --varve build/release/bin/varve --data A.nc [--budgets 256MB,1GB,4GB] [--rounds 1] [--ranks 2] [--dir DIR]

A contiguous variable t2m(time, lat, lon) gets chunks (all, 16, 16), uncompressed in both outputs. Target: 4 times as fast as nccopy at every budget, which is
memory of each rank. Both are timed as whole commands, by the wall. Varve ends when its output is on the disk; nccopy leaves that to the system, so its output is
synced behind it, and that counts as well; both figures of nccopy are told.
Outputs are compared in the first round.
"""
import argparse
import os
import re
import statistics
import subprocess
import tempfile
import time

import h5py
import numpy as np

ENV = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")


def timed(argv):
    begin = time.monotonic()
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True, env=ENV)
    if done.returncode:
        raise SystemExit(f"{argv}\n{done.stdout}{done.stderr}")
    return time.monotonic() - begin, done.stderr


def synced(path):
    begin = time.monotonic()
    fd = os.open(path, os.O_RDWR)
    os.fsync(fd)
    os.close(fd)
    return time.monotonic() - begin


def with_nccopy(a, chunks, out):
    seconds, _ = timed(["nccopy", "-c", ",".join(f"{d}/{n}" for d, n in chunks.items()), a.data, out])
    return seconds, seconds + synced(out)


def with_varve(a, chunks, out, budget):
    words = ",".join(f"{d}={n}" for d, n in chunks.items())
    seconds, told = timed(["mpirun", "--oversubscribe", "-n", a.ranks, a.varve, "rechunk", "-c", words, a.data, "-o", out, "-O", "-q", "--stats", "--threads", "1",
                           "--memory", budget])
    peak = int(re.search(r"peak=(\d+)", told).group(1))
    return seconds, peak


def same(one, other):
    with h5py.File(one) as a, h5py.File(other) as b:
        for i in range(0, a["t2m"].shape[1], 16):
            if not np.array_equal(a["t2m"][:, i:i + 16], b["t2m"][:, i:i + 16]):
                raise SystemExit(f"latitudes from {i} on differ")


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--varve", default="build/release/bin/varve")
    p.add_argument("--data", required=True)
    p.add_argument("--budgets", default="256MB,1GB,4GB")
    p.add_argument("--rounds", type=int, default=1)
    p.add_argument("--ranks", type=int, default=2)
    p.add_argument("--dir", default=None, help="where outputs go; default: a temporary directory")
    p.add_argument("--no-compare", action="store_true")
    a = p.parse_args()
    budgets = a.budgets.split(",")
    with h5py.File(a.data) as f:
        chunks = {"time": f["t2m"].shape[0], "lat": 16, "lon": 16}
    plain, full, ours, peaks = [], [], {b: [] for b in budgets}, {b: 0 for b in budgets}
    with tempfile.TemporaryDirectory(dir=a.dir) as scratch:
        theirs, out = f"{scratch}/nccopy.nc", f"{scratch}/varve.nc"
        for i in range(a.rounds):
            one, both = with_nccopy(a, chunks, theirs)
            plain.append(one), full.append(both)
            for b in budgets:
                seconds, peak = with_varve(a, chunks, out, b)
                ours[b].append(seconds)
                peaks[b] = max(peaks[b], peak)
                if i == 0 and not a.no_compare:
                    same(theirs, out)
                os.unlink(out)
            os.unlink(theirs)
    one, both = statistics.median(plain), statistics.median(full)
    print(f"nccopy {one:.2f} s, {both:.2f} s with its output on the disk")
    for b in budgets:
        s = statistics.median(ours[b])
        print(f"varve, {b} a rank: {s:.2f} s, peak {peaks[b] / 1e6:.0f} MB: {one / s:.2f} x nccopy, {both / s:.2f} x with sync", flush=True)


if __name__ == "__main__":
    main()
