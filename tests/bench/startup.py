#!/usr/bin/python3
"""What starting costs: medians of alternated runs of small things, beside an MPI program that does nothing.

    VARVE=build/varve startup.py [--runs 11]
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import netCDF4
import numpy as np

EMPTY = """#include <mpi.h>
int main(int argc, char **argv) { MPI_Init(&argc, &argv); MPI_Finalize(); return 0; }
"""
ENV = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")


def small_file(path):
    with netCDF4.Dataset(path, "w") as f:
        for name, n in (("time", 120), ("lat", 91), ("lon", 180)):
            f.createDimension(name, n)
            f.createVariable(name, "f8", (name,))[:] = np.arange(n)
        v = f.createVariable("t2m", "f4", ("time", "lat", "lon"), zlib=True, shuffle=True, chunksizes=(30, 91, 90))
        v[:] = np.random.default_rng(1).normal(280, 10, (120, 91, 180))
    return path


def seconds(argv):
    start = time.perf_counter()
    done = subprocess.run(list(map(str, argv)), env=ENV, capture_output=True, text=True, timeout=60)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, argv))}: exit {done.returncode}\n{done.stderr}")
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=11)
    parser.add_argument("--varve", default=os.environ.get("VARVE"))
    options = parser.parse_args()
    if not options.varve:
        parser.error("set VARVE or give --varve")
    with tempfile.TemporaryDirectory(prefix="varve-startup-") as folder:
        work = Path(folder)
        (work / "empty.c").write_text(EMPTY)
        subprocess.run(["mpicc", "-O2", work / "empty.c", "-o", work / "empty"], check=True)
        data, two = small_file(work / "small.nc"), ["mpirun", "-n", 2]
        mean = [options.varve, "mean", "-d", "time", data, "-O", "-o", work / "out.nc"]
        table = {
            "varve --help": ([options.varve, "--help"], "target 10 ms"),
            "varve info": ([options.varve, "info", data], "target 50 ms"),
            "small mean, one process": (mean, "target 80 ms"),
            "empty MPI program, one process": ([work / "empty"], ""),
            "empty MPI program, mpirun -n 2": ([*two, work / "empty"], ""),
            "small mean, mpirun -n 2": ([*two, *mean], "target: 60 ms beyond the empty program"),
        }
        taken = {name: [] for name in table}
        for _ in range(options.runs):
            for name, (argv, _note) in table.items():
                taken[name].append(seconds(argv))
        for name, times in taken.items():
            print(f"{name:32} median {1e3 * statistics.median(times):7.1f} ms   min {1e3 * min(times):7.1f} ms   {table[name][1]}")
        median = {name: statistics.median(t) for name, t in taken.items()}
        beyond = median["small mean, mpirun -n 2"] - median["empty MPI program, mpirun -n 2"]
        print(f"{'beyond the empty program':32} median {1e3 * beyond:7.1f} ms")


if __name__ == "__main__":
    main()
