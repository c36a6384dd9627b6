#!/usr/bin/python3
"""Classic NetCDF beside NetCDF-4: the first steps of a file's variable as contiguous NetCDF-4, as CDF-5 without and with an unlimited dimension, and
as CDF-5 with one and small variables between its records; the same reductions over each, alternated in one run.

    VARVE=build/varve classic.py A.nc [--variable t2m] [--steps 1000] [--runs 7] [--dir SCRATCH]

Prints wall and processor seconds (medians) and their ratios to NetCDF-4's: the formats hold the same bytes, but for their order.
"""
import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import netCDF4
import numpy as np

LAYOUTS = {"netcdf4": ("NETCDF4", False), "cdf5": ("NETCDF3_64BIT_DATA", False), "cdf5 records": ("NETCDF3_64BIT_DATA", True)}
REDUCTIONS = {"time": ["mean", "-d", "time"], "lat,lon": ["mean", "-d", "lat,lon"], "std": ["std", "-d", "time"]}
PIECE = 100  # steps copied at a time


def copy(source, name, steps, path, layout):
    kind, records = LAYOUTS[layout]
    v = source[name]
    with netCDF4.Dataset(path, "w", format=kind) as f:
        for k, dim in enumerate(v.dimensions):
            f.createDimension(dim, None if k == 0 and records else steps if k == 0 else v.shape[k])
            x = f.createVariable(dim, "f8", (dim,))
            x[:] = source[dim][:steps] if k == 0 else source[dim][:]
        x = f.createVariable(name, v.dtype, v.dimensions, **({"contiguous": True} if kind == "NETCDF4" else {}))
        for at in range(0, steps, PIECE):
            x[at:min(at + PIECE, steps)] = v[at:min(at + PIECE, steps)]
    return path


def run(argv):
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, argv))}: exit {done.returncode}\n{done.stderr}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def same(a, b, name):
    with netCDF4.Dataset(a) as x, netCDF4.Dataset(b) as y:
        difference = np.abs(x[name][...].astype("f8") - y[name][...])
        return float(np.max(difference)) if difference.size else 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--variable", default="t2m")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--dir")
    parser.add_argument("--varve", default=os.environ.get("VARVE"))
    options = parser.parse_args()
    if not options.varve:
        parser.error("set VARVE or give --varve")
    with tempfile.TemporaryDirectory(prefix="varve-classic-", dir=options.dir) as folder, netCDF4.Dataset(options.file) as source:
        source.set_auto_maskandscale(False)
        steps = min(options.steps, source[options.variable].shape[0])
        files = {layout: copy(source, options.variable, steps, Path(folder, layout.replace(" ", "-") + ".nc"), layout) for layout in LAYOUTS}
        size = os.path.getsize(files["netcdf4"])
        print(f"{size / 1e9:.2f} GB each, {options.runs} alternated runs, one process")
        print(f"{'reduction':10} {'layout':14} {'wall':>7} {'cpu':>7} {'wall/nc4':>9} {'cpu/nc4':>8} {'difference':>11}")
        for label, reduction in REDUCTIONS.items():
            taken = {layout: [] for layout in files}
            for _ in range(options.runs):
                for layout, path in files.items():
                    out = Path(folder, f"out-{layout.replace(' ', '-')}.nc")
                    taken[layout].append(run([options.varve, *reduction, "-v", options.variable, path, "-O", "-o", out]))
            median = {layout: [statistics.median(x) for x in zip(*times)] for layout, times in taken.items()}
            for layout, (wall, cpu) in median.items():
                base = median["netcdf4"]
                gap = same(Path(folder, "out-netcdf4.nc"), Path(folder, f"out-{layout.replace(' ', '-')}.nc"), options.variable)
                print(f"{label:10} {layout:14} {wall:7.3f} {cpu:7.3f} {wall / base[0]:9.2f} {cpu / base[1]:8.2f} {gap:11.2g}")


if __name__ == "__main__":
    main()
