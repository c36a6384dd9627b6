#!/usr/bin/python3
"""Trends beside CDO's and patterns (EOFs) beside NumPy's singular values, alternated in one run, and how far the results are from each other.

    VARVE=build/varve analysis.py A.nc [B.nc ...] [--variable t2m] [--ranks 2] [--runs 1] [--limit 100] [--slice 240] [--modes 10]

Trends are of the whole file, per step; a peer that takes longer than --limit seconds is stopped. Patterns are of every so many-th time and every fourth row and column of the
first file, as many times as --slice says. Prints wall and processor seconds (medians), their ratios and the peak of a rank.
"""
import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import netCDF4
import numpy as np

ENV = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OPENBLAS_NUM_THREADS="2")
PEER = """
import sys, numpy as np, xarray as xr
path, name, modes, out = sys.argv[1:5]
with xr.open_dataset(path) as ds:
    x = ds[name].astype("f8")
    a = (x - x.mean("time")) * np.sqrt(np.cos(np.radians(ds.lat)))
    u, s, v = np.linalg.svd(a.values.reshape(len(x), -1), full_matrices=False)
    xr.Dataset({"fraction": ("mode", (s**2 / (s**2).sum())[:int(modes)]), "eof": (("mode", "point"), v[:int(modes)])}).to_netcdf(out)
"""


def run(argv, limit=None):
    """Wall and processor seconds, and what it said; None when it took too long."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    try:
        done = subprocess.run(list(map(str, argv)), capture_output=True, text=True, timeout=limit, env=ENV)
    except subprocess.TimeoutExpired:
        return None
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, argv))}: exit {done.returncode}\n{done.stderr}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stderr


def beside(title, ours, theirs, peer, options):
    """Runs both in turn; whether the peer came to an end."""
    times, told = {"varve": [], peer: []}, ""
    for _ in range(options.runs):
        *spent, told = run(ours)
        times["varve"].append(spent)
        other = run(theirs, options.limit)
        if other is None:
            print(f"{title}: varve {spent[0]:.2f} s ({spent[1]:.2f} s of processors), {peer} > {options.limit} s: more than {options.limit / spent[0]:.1f} x", flush=True)
            return False
        times[peer].append(other[:2])
    wall, cpu = ({who: statistics.median(t[k] for t in times[who]) for who in times} for k in (0, 1))
    peak = int(re.search(r"peak=(\d+)", told).group(1))
    print(f"{title}: varve {wall['varve']:.2f} s ({cpu['varve']:.2f} s of processors), {peer} {wall[peer]:.2f} s ({cpu[peer]:.2f} s): "
          f"{wall[peer] / wall['varve']:.1f} x ({cpu[peer] / cpu['varve']:.1f} x), peak {peak / 1e6:.0f} MB a rank", flush=True)
    return True


def read(path, name):
    with netCDF4.Dataset(path) as f:
        return np.ma.filled(f[name][...].astype("f8"), np.nan).squeeze()


def trends(options, file, launch, scratch):
    out, a, b = (os.path.join(scratch, f) for f in ("trend.nc", "a.nc", "b.nc"))
    ours = [*launch, os.environ["VARVE"], "trend", "-d", "time", "--per", "step", "-m", "slope,intercept", "-v", options.variable, file, "-o", out, "-O", "--threads", 1, "--stats"]
    if beside(f"{file}: trend", ours, ["cdo", "-s", "-O", "trend", file, a, b], "CDO", options):
        far = np.nanmax(np.abs(read(out, f"{options.variable}_slope") - read(b, options.variable)))
        print(f"    largest difference of slopes {far:g}, of {np.nanmax(np.abs(read(b, options.variable))):g}")


def patterns(options, file, launch, scratch):
    part, out, theirs = (os.path.join(scratch, f) for f in ("part.nc", "eof.nc", "svd.nc"))
    with netCDF4.Dataset(file) as f:
        n = f[options.variable].shape[0]
        rows, columns = f[options.variable].dimensions[1:]
    step = max(1, n // options.slice)
    run([os.environ["VARVE"], "select", f"time=#0:{step * options.slice}:{step},{rows}=#::4,{columns}=#::4", "-v", options.variable, file, "-o", part, "-O"])
    ours = [*launch, os.environ["VARVE"], "eof", "-d", "time", "-n", options.modes, "--weights", f"cos({rows})", "--gaps", "skip", part, "-o", out, "-O", "--threads", 1, "--stats"]
    if beside(f"{options.slice} times of {file}: eof", ours, [sys.executable, "-c", PEER, part, options.variable, options.modes, theirs], "NumPy", options):
        far = np.abs(read(out, f"{options.variable}_fraction") - read(theirs, "fraction")).max()
        print(f"    largest difference of fractions {far:g}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--variable", default="t2m")
    for name, value in (("ranks", 2), ("runs", 1), ("limit", 100), ("slice", 240), ("modes", 10)):
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    launch = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", options.ranks] if options.ranks > 1 else []
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as scratch:
        for file in options.files:
            trends(options, file, launch, scratch)
        patterns(options, options.files[0], launch, scratch)


if __name__ == "__main__":
    main()
