#!/usr/bin/python3
"""One pass for what users ask in one go: several statistics beside the dearest single one, climatologies and weighted means beside the plain time mean, and anomalies and daily means beside CDO.

    VARVE=build/varve climate.py --dir DATA [--files A,B] [--only passes,groups,area,cdo] [--ranks 1,2] [--runs 3]

DATA has A.nc and B.nc as README.md tells them. Runs alternate; medians of wall and processor seconds, their ratios, and the peak of a rank.
Everything is done with each number of ranks that is given; targets are for two ranks, with CDO's runs, which have one thread, between them in the same run.
Varve ends when its output is on the disk. CDO ends before: its files are timed both ways, as CDO leaves them and with an fsync. --scratch /dev/shm leaves the disk out of it. The
encodings of both outputs are printed; nothing is compressed.
"""
import argparse
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import netCDF4
import numpy as np

CDO = shutil.which("cdo")


def run(argv):
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, argv))}: exit {done.returncode}\n{done.stderr}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stderr


class Bench:
    def __init__(self, options, scratch):
        self.options, self.scratch, self.ranks = options, scratch, max(options.ranks)

    def varve(self, *args, out="out.nc", ranks=None):
        ranks = ranks or self.ranks
        launch = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", ranks] if ranks > 1 else []
        wall, cpu, told = run([*launch, os.environ["VARVE"], *args, "-o", os.path.join(self.scratch, out), "-O", "--threads", 1, "--stats"])
        return wall, cpu, int(re.search(r"peak=(\d+)", told).group(1))

    def compare(self, title, jobs, base):
        """jobs: {name: function}; every ratio is to the job `base`, or to the dearest of them where base is a list."""
        times = {name: [] for name in jobs}
        for _ in range(self.options.runs):
            for name, job in jobs.items():
                times[name].append(job())
        wall, cpu = ({name: statistics.median(t[k] for t in times[name]) for name in jobs} for k in (0, 1))
        bases = base if isinstance(base, list) else [base]
        to, cost = max(wall[b] for b in bases), max(cpu[b] for b in bases)
        print(title)
        for name in jobs:
            peak = max((t[2] for t in times[name] if len(t) > 2 and isinstance(t[2], int)), default=0)
            print(f"    {name:32} {wall[name]:7.2f} s x {wall[name] / to:4.2f}   {cpu[name]:7.2f} s of processors x {cpu[name] / cost:4.2f}" + (f"   peak {peak / 1e6:.0f} MB a rank" if peak else ""), flush=True)

    def passes(self, path):
        single = {how: lambda how=how: self.varve(how, "-d", "time", path) for how in ("mean", "std", "min", "max")}
        self.compare(f"{path}: several statistics over time, x the dearest single one",
                     {**single, "reduce -m mean,std,min,max": lambda: self.varve("reduce", "-m", "mean,std,min,max", "-d", "time", path)}, list(single))

    def groups(self, path):
        self.compare(f"{path}: climatology, x the time mean",
                     {"mean -d time": lambda: self.varve("mean", "-d", "time", path), "clim -g month": lambda: self.varve("clim", "-g", "month", path),
                      "clim -g season": lambda: self.varve("clim", "-g", "season", path)}, "mean -d time")

    def area(self, path):
        basins = os.path.join(self.scratch, "basins.nc")
        with netCDF4.Dataset(path) as f, netCDF4.Dataset(basins, "w") as g:
            lat, lon = f["t2m"].dimensions[1:]
            for dim in (lat, lon):
                g.createDimension(dim, len(f.dimensions[dim]))
            g.createVariable("basin", "i2", (lat, lon))[:] = np.add.outer(np.arange(len(f.dimensions[lat])) // 60, 7 * (np.arange(len(f.dimensions[lon])) // 120))
        self.compare(f"{path}: series of the globe, x the time mean",
                     {"mean -d time": lambda: self.varve("mean", "-d", "time", path), "mean -d lat,lon": lambda: self.varve("mean", "-d", "lat,lon", path),
                      "mean -d lat,lon --weights cos(lat)": lambda: self.varve("mean", "-d", "lat,lon", "--weights", "cos(lat)", path),
                      "mean -d lat,lon --mask 't2m > 280'": lambda: self.varve("mean", "-d", "lat,lon", "--mask", "t2m > 280", "-v", "t2m", path),
                      "mean --by basin": lambda: self.varve("mean", "--by", f"{basins}:basin", path)}, "mean -d time")

    def written(self, name):
        with netCDF4.Dataset(os.path.join(self.scratch, name)) as f:
            v = f["t2m"]
            print(f"    {name}: t2m {v.dtype}, chunks {v.chunking()}, filters {[k for k, on in (v.filters() or {}).items() if on is True]}, {os.path.getsize(f.filepath()) / 1e6:.0f} MB")

    def operators(self, *operators):
        """CDO's run, and the same until its output is on the disk."""
        def left():
            return run(["cdo", "-s", "-O", *operators, os.path.join(self.scratch, "cdo.nc")])

        def synced():
            wall, cpu, told = left()
            start = time.perf_counter()
            with open(os.path.join(self.scratch, "cdo.nc"), "rb") as f:
                os.fsync(f.fileno())
            return wall + time.perf_counter() - start, cpu, told
        return {"cdo": left, "cdo, fsync": synced}

    def cdo(self, path):
        for title, args, operators in [("anomalies by month", ["anom", "-g", "month"], ["-ymonsub", path, "-ymonmean", path]), ("daily means", ["resample", "-f", "1D"], ["-daymean", path])]:
            if not CDO:
                print("no cdo here")
                return
            ours = {f"varve {' '.join(args)}, {n} rank{'s'[:n > 1]}": lambda n=n: self.varve(*args, path, ranks=n) for n in self.options.ranks}
            self.compare(f"{path}: {title}, x varve on the most ranks", {**ours, **self.operators(*operators)}, list(ours)[-1])
            for name in ("out.nc", "cdo.nc"):
                self.written(name)
                os.remove(os.path.join(self.scratch, name))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", required=True)
    parser.add_argument("--files", default="A,B")
    parser.add_argument("--only", default="passes,groups,area,cdo")
    parser.add_argument("--ranks", type=lambda text: [int(n) for n in text.split(",")], default=[1, 2])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--scratch", help="a directory on the disk that is written to")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        bench = Bench(options, scratch)
        for name in options.files.split(","):
            path = os.path.join(options.dir, name + ".nc")
            for part in options.only.split(","):
                if part == "cdo" and name != "A":
                    continue  # of compressed chunks CDO would take minutes
                for bench.ranks in options.ranks if part != "cdo" else options.ranks[-1:]:
                    print(f"{bench.ranks} rank{'s'[:bench.ranks > 1]}:" if part != "cdo" else "beside CDO:")
                    getattr(bench, part)(path)


if __name__ == "__main__":
    main()
