#!/usr/bin/python3
"""Copying compressed chunks: `varve concat` of many files beside `cat` of the same files, alternated in one run.

    passthrough.py [--files 50] [--megabytes 20] [--rounds 5] [--ranks 0] [--dir DIR] VARVE

Both write the same bytes to the same disk. varve also syncs its output before it gives it its name, so `cat` is followed by `sync OUTPUT` in a
second column. Input and output are in the page cache as far as they fit. Prints the median of each and the ratios.
"""
import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import netCDF4
import numpy as np

ENV = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")


def first_file(path, megabytes):
    """f32 with little noise: chunks of 24 steps of a map, shuffle + deflate 4, a ratio of about 2."""
    ny, nx, step = 181, 360, 24
    rng = np.random.default_rng(1)
    field = 280 + 20 * np.cos(np.linspace(-1.5, 1.5, ny))[:, None] + 5 * np.sin(np.linspace(0, 12, nx))
    with netCDF4.Dataset(path, "w") as f:
        f.createDimension("time", None)
        f.createDimension("lat", ny)
        f.createDimension("lon", nx)
        t = f.createVariable("time", "f8", ("time",))
        t.units = "hours since 1990-01-01"
        f.createVariable("lat", "f4", ("lat",))[:] = np.linspace(-90, 90, ny)
        f.createVariable("lon", "f4", ("lon",))[:] = np.arange(nx)
        v = f.createVariable("t2m", "f4", ("time", "lat", "lon"), zlib=True, complevel=4, chunksizes=(step, ny, nx), fill_value=np.float32(1e20))
        n = 0
        while os.path.getsize(path) < megabytes * 1e6:
            v[n : n + step] = (field + rng.normal(0, 1, (step, ny, nx))).astype("f4").round(2)
            t[n : n + step] = np.arange(n, n + step)
            f.sync()
            n += step
    return n


def make_files(folder, count, megabytes):
    paths = [os.path.join(folder, f"part{i:03}.nc") for i in range(count)]
    steps = first_file(paths[0], megabytes)
    for i, path in enumerate(paths[1:], 1):
        shutil.copyfile(paths[0], path)
        with netCDF4.Dataset(path, "a") as f:
            f["time"][:] = f["time"][:] + i * steps
    return paths


def seconds(command, out, **how):
    if os.path.exists(out):
        os.unlink(out)
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, **how)
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("varve")
    parser.add_argument("--files", type=int, default=50)
    parser.add_argument("--megabytes", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ranks", type=int, default=0, help="0: one process without mpirun")
    parser.add_argument("--dir")
    o = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="varve-passthrough-", dir=o.dir)
    try:
        paths = make_files(folder, o.files, o.megabytes)
        out = os.path.join(folder, "out.nc")
        launch = ["mpirun", "--oversubscribe", "-n", str(o.ranks)] if o.ranks else []
        concat = launch + [os.path.abspath(o.varve), "concat", "-q", "-d", "time", *paths, "-o", out]
        total = sum(os.path.getsize(p) for p in paths)
        said = subprocess.run(concat + ["--explain"], check=True, capture_output=True, text=True, env=ENV).stdout
        if "copied as stored, not decompressed" not in said:
            sys.exit(f"chunks are not copied:\n{said[-2000:]}")
        cat = "cat " + " ".join(paths) + f" > {out}"
        ways = {"cat": ["sh", "-c", cat], "cat + sync": ["sh", "-c", f"{cat} && sync {out}"], "varve": concat}
        took = {name: [] for name in ways}
        for _ in range(o.rounds):
            for name, command in ways.items():
                took[name].append(seconds(command, out, env=ENV))
        median = {name: statistics.median(wall for wall, _ in t) for name, t in took.items()}
        cpu = {name: statistics.median(cpu for _, cpu in t) for name, t in took.items()}
        print(f"{o.files} files, {total / 1e6:.0f} MB, medians of {o.rounds} rounds")
        for name in ways:
            print(f"{name:12} {median[name]:.3f} s, {total / 1e9 / median[name]:.2f} GB/s, {cpu[name]:.3f} s of processor time")
        for name in ("cat", "cat + sync"):
            print(f"varve / {name}: {median['varve'] / median[name]:.2f}, processor time {cpu['varve'] / cpu[name]:.2f}")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
