#!/usr/bin/python3
"""Exact percentiles over time beside xarray with dask threads, alternated in one run, and whether both are equal.

    VARVE=build/varve percentile.py A.nc [B.nc ...] [--variable t2m] [--q 0.95] [--ranks 2] [--memory 1G] [--runs 1]

Prints wall and processor seconds (medians), their ratios, the peak of a rank, and the largest difference.
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

PEER = """
import sys, dask, xarray
path, name, q, out, threads = sys.argv[1:6]
dask.config.set(scheduler="threads", num_workers=int(threads))
with xarray.open_dataset(path, chunks={"time": 72}) as ds:
    x = ds[name].chunk({"time": -1, ds[name].dims[1]: "auto"}).quantile(float(q), "time").astype("f4")
    x.to_dataset(name=name).to_netcdf(out)
"""


def run(argv):
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, argv))}: exit {done.returncode}\n{done.stderr}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stderr


def difference(a, b, name):
    with netCDF4.Dataset(a) as x, netCDF4.Dataset(b) as y:
        return float(np.max(np.abs(x[name][...].astype("f8") - y[name][...])))


def one(options, file, scratch):
    ours, theirs = os.path.join(scratch, "ours.nc"), os.path.join(scratch, "theirs.nc")
    launch = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", options.ranks] if options.ranks > 1 else []
    times, told = {"varve": [], "dask": []}, ""
    for _ in range(options.runs):
        *spent, told = run([*launch, os.environ["VARVE"], "quantile", "-q", options.q, "-d", "time", "-v", options.variable, file, "-o", ours, "-O",
                            "--threads", 1, "--memory", options.memory, "--scratch", scratch, "--stats"])
        times["varve"].append(spent)
        times["dask"].append(run([sys.executable, "-c", PEER, file, options.variable, options.q, theirs, options.ranks])[:2])
    wall, cpu = ({who: statistics.median(t[k] for t in times[who]) for who in times} for k in (0, 1))
    peak = int(re.search(r"peak=(\d+)", told).group(1))
    print(f"{file}: varve {wall['varve']:.2f} s ({cpu['varve']:.2f} s of processors), dask {wall['dask']:.2f} s ({cpu['dask']:.2f} s): "
          f"{wall['dask'] / wall['varve']:.1f} x ({cpu['dask'] / cpu['varve']:.1f} x), peak {peak / 1e6:.0f} MB a rank, "
          f"largest difference {difference(ours, theirs, options.variable):g}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--variable", default="t2m")
    parser.add_argument("--q", default="0.95")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--memory", default="1G")
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for file in options.files:
            one(options, file, scratch)


if __name__ == "__main__":
    main()
