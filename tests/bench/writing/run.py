#!/usr/bin/python3
"""How fast outputs are written, beside others that write the same, in turn within one run.

    tests/bench/writing/run.py --varve build/release/bin/varve --data A.nc [--steps 480] [--rounds 3] [--ranks 2] [--dir DIR]

Compressed: `varve select` of the first steps of a contiguous variable t2m(time, lat, lon) into chunks of one step, against collective.c, which writes the same
chunks in parallel HDF5's collective calls; levels 1 and 4. Uncompressed: the same in chunks that nobody has compressed, against two dd processes that write
as many bytes of zeros: to a file each, and each its half of one file, as ranks do. The system lets one process at a time write to a file through the page cache: the
second is what a single output can reach. Targets: 3 at level 1, 2 at level 4; at most 1.3 of dd. Everything is timed by the wall from within (varve's --stats, the program's
own clock), because starting mpirun is not writing; ratios are of the medians. Files are removed before each run, and outputs are compared once.
"""
import argparse
import os
import re
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import h5py

HERE = Path(__file__).resolve().parent
HDF5 = os.environ.get("HDF5_FLAGS", "-I/usr/include/hdf5/openmpi -L/usr/lib/x86_64-linux-gnu/hdf5/openmpi -lhdf5").split()
ENV = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")


def call(argv):
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True, env=ENV)
    if done.returncode:
        raise SystemExit(f"{argv}\n{done.stdout}{done.stderr}")
    return done


def with_varve(a, out, *options):
    argv = ["mpirun", "--oversubscribe", "-n", a.ranks, a.varve, "select", f"time=#0:{a.steps}", a.data, "-o", out, "-c", "time=1,lat=-1,lon=-1", "--unlimited",
            "none", "--stats", "--threads", "1", *options]
    return float(re.search(r"stats seconds=(\S+)", call(argv).stderr).group(1))


def with_hdf5(a, program, out, level):
    return float(call(["mpirun", "--oversubscribe", "-n", a.ranks, program, a.data, "t2m", out, a.steps, level]).stdout)


def with_dd(a, out, size, one_file):
    begin = time.monotonic()
    each = size // a.ranks >> 20
    names = [out if one_file else f"{out}.{i}" for i in range(a.ranks)]
    writers = [subprocess.Popen(["dd", "if=/dev/zero", f"of={name}", "bs=1M", f"count={each}", f"seek={each * i if one_file else 0}", "conv=notrunc"],
                                stderr=subprocess.DEVNULL) for i, name in enumerate(names)]
    for w in writers:
        if w.wait():
            raise SystemExit("dd failed")
    seconds = time.monotonic() - begin
    for name in set(names):
        os.unlink(name)
    return seconds


def same(one, other):
    with h5py.File(one) as a, h5py.File(other) as b:
        for i in range(a["t2m"].shape[0]):
            if not (a["t2m"][i] == b["t2m"][i]).all():
                raise SystemExit(f"step {i} differs")


def rounds(a, **what):
    """Every function in turn, a few times: medians."""
    seconds = {name: [] for name in what}
    for _ in range(a.rounds):
        for name, run in what.items():
            for leftover in Path(a.dir).glob("out*"):
                leftover.unlink()
            seconds[name].append(run())
    return {name: statistics.median(s) for name, s in seconds.items()}


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--varve", default="build/release/bin/varve")
    p.add_argument("--data", required=True)
    p.add_argument("--steps", type=int, default=480)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--ranks", type=int, default=2)
    p.add_argument("--levels", default="1,4", help="of deflate; empty: uncompressed only")
    p.add_argument("--dir", default=None, help="where outputs go; default: a temporary directory")
    a = p.parse_args()
    with tempfile.TemporaryDirectory(dir=a.dir) as scratch:
        a.dir = scratch
        program, out, other = f"{scratch}/collective", f"{scratch}/out.nc", f"{scratch}/out.h5"
        call(["mpicc", "-O2", HERE / "collective.c", "-o", program, *HDF5])
        for level in a.levels.split(",") if a.levels else []:
            s = rounds(a, varve=lambda: with_varve(a, out, "--deflate", level), hdf5=lambda: with_hdf5(a, program, other, level))
            print(f"deflate {level}: varve {s['varve']:.2f} s, collective HDF5 {s['hdf5']:.2f} s: {s['hdf5'] / s['varve']:.2f} x", flush=True)
            with_varve(a, out, "--deflate", level, "-O")
            print(f"           bytes {os.path.getsize(out)} and {os.path.getsize(other)}", flush=True)
            same(out, other)
        with_varve(a, out, "-O")
        size = os.path.getsize(out)
        s = rounds(a, varve=lambda: with_varve(a, out), dd=lambda: with_dd(a, out, size, False), one=lambda: with_dd(a, out, size, True),
                   hdf5=lambda: with_hdf5(a, program, other, 0))
        print(f"uncompressed: varve {s['varve']:.2f} s, dd to two files {s['dd']:.2f} s, dd to one file {s['one']:.2f} s, collective HDF5 {s['hdf5']:.2f} s: "
              f"{s['varve'] / s['dd']:.2f} of dd to two files, {s['varve'] / s['one']:.2f} of dd to one")


if __name__ == "__main__":
    main()
