#!/usr/bin/python3
"""Opening a thousand files as one dataset, beside xarray.open_mfdataset(parallel=True) on the same files, in one run; and a mean over all of them
beside the same data in one file.

    VARVE=build/varve tests/bench/manyfiles/run.py [--files 1000] [--dir DATA] [--runs 3] [--ranks 1,2]

Runs alternate. "new" opens with an empty cache of headers, after the files' pages were dropped from the page cache; "cached" is the next opening of the
same files. Opening seconds are those of `varve info FILES` less those of `varve info ONE_FILE`, so that mpirun's own start does not count; both are shown.
xarray's are counted inside of its process, imports left out; when its threads fail it gets up to three turns.
"""
import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import netCDF4
import numpy as np

ENV = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
STEPS, LAT, LON = 4, 37, 72
XARRAY = """
import glob, sys, time
import dask, xarray
start = time.perf_counter()
d = xarray.open_mfdataset(sorted(glob.glob(sys.argv[1])), parallel=True, combine="by_coords")
opened = time.perf_counter() - start
d.t2m.mean("time").compute()
print(opened, time.perf_counter() - start, d.sizes["time"])
"""


def write(path, first, n, rng_of):
    with netCDF4.Dataset(path, "w") as f:
        for name, length in (("time", None), ("lat", LAT), ("lon", LON), ("nv", 2)):
            f.createDimension(name, length)
        t = f.createVariable("time", "f8", ("time",))
        t.setncatts({"units": "hours since 1990-01-01", "calendar": "standard", "bounds": "time_bnds", "axis": "T"})
        b = f.createVariable("time_bnds", "f8", ("time", "nv"))
        f.createVariable("lat", "f8", ("lat",))[:] = np.linspace(-90, 90, LAT)
        f.createVariable("lon", "f8", ("lon",))[:] = np.arange(LON) * (360 / LON)
        v = f.createVariable("t2m", "f4", ("time", "lat", "lon"), zlib=True, shuffle=True, complevel=1, chunksizes=(STEPS, LAT, LON))
        v.setncatts({"units": "K", "standard_name": "air_temperature", "cell_methods": "time: mean"})
        times = (first + np.arange(n)) * 6.0
        t[:], b[:] = times, np.stack([times - 3, times + 3], -1)
        v[:] = np.concatenate([np.round(np.random.default_rng(i).normal(280, 15, (STEPS, LAT, LON)) * 64) / 64 for i in rng_of]).astype("f4")


def generate(folder, n):
    """The same names hold the same data: made once."""
    done = folder / f"complete_{n}"
    if done.exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "files").mkdir(parents=True)
    for i in range(n):
        write(folder / "files" / f"t2m_{i:05}.nc", i * STEPS, STEPS, [i])
    write(folder / "one.nc", 0, n * STEPS, range(n))
    os.sync()
    done.touch()
    time.sleep(0.2)  # headers of files that changed just now are not kept


def drop_pages(folder):
    for path in folder.iterdir():
        fd = os.open(path, os.O_RDONLY)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)


def run(argv, limit=1800):
    start = time.perf_counter()
    done = subprocess.run(list(map(str, argv)), env=ENV, capture_output=True, text=True, timeout=limit)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, argv))}: exit {done.returncode}\n{done.stderr}")
    return time.perf_counter() - start, done


def peer(pattern, tries=3):
    """xarray's seconds. Its opening threads share a netCDF library that is not made for threads, and fail now and then ("Unknown file format"): then it
    gets another turn, and that is said."""
    for turn in range(1, tries + 1):
        done = subprocess.run([sys.executable, "-c", XARRAY, pattern], env=ENV, capture_output=True, text=True, timeout=1800)
        if done.returncode == 0:
            return [float(x) for x in done.stdout.split()[:2]]
        told = done.stderr.strip().splitlines() or ["nothing told"]
        print(f"xarray.open_mfdataset(parallel=True) failed, turn {turn} of {tries}: {told[-1]}", file=sys.stderr, flush=True)
    return None


def median(values):
    return statistics.median(values)


class Bench:
    def __init__(self, options, folder):
        self.o, self.folder, self.files = options, folder, folder / "files"
        self.pattern = str(self.files / "t2m_*.nc")

    def varve(self, ranks, *args):
        # alone: one process without mpirun
        return run(([] if ranks == 1 else ["mpirun", "--oversubscribe", "-n", ranks]) + [self.o.varve, *args])

    def opening(self, ranks, table):
        cache = self.folder / "cache"
        shutil.rmtree(cache, ignore_errors=True)
        drop_pages(self.files)
        one = self.varve(ranks, "info", sorted(self.files.iterdir())[0])[0]
        for how in ("new", "cached"):
            wall, done = self.varve(ranks, "--cache", cache, "--log", "debug", "info", self.pattern)
            found = int(re.search(r"headers of \d+ files, (\d+) of them", done.stderr)[1])
            if found != (0 if how == "new" else self.o.files):
                sys.exit(f"{found} headers came from the cache\n{done.stderr}")
            table.setdefault((how, ranks), []).append((wall - one, wall))

    def mean(self, ranks, source, out, table):
        done = self.varve(ranks, "--stats", "--cache", self.folder / "cache", "mean", "-d", "time", source, "-O", "-o", out)[1]
        stats = re.search(r"seconds=(\S+) plan=(\S+) .*plan_bytes=(\d+)", done.stderr)
        table.setdefault(ranks, []).append([float(stats[1]), float(stats[2]), int(stats[3])])


def values(path):
    with netCDF4.Dataset(path) as f:
        f.set_auto_maskandscale(False)
        return f["t2m"][...].tobytes()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--ranks", default="1,2")
    parser.add_argument("--dir", help="where the files are made and stay; default: a directory that is removed")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--varve", default=os.environ.get("VARVE"))
    options = parser.parse_args()
    if not options.varve:
        parser.error("set VARVE or give --varve")
    ranks = [int(r) for r in options.ranks.split(",")]
    with tempfile.TemporaryDirectory(prefix="varve-manyfiles-") as scratch:
        folder = Path(options.dir or scratch).resolve() / "manyfiles"
        generate(folder, options.files)
        bench, opening, joined, single, peers = Bench(options, folder), {}, {}, {}, []
        for _ in range(options.runs):
            for r in ranks:
                bench.opening(r, opening)
            if not options.no_peers:
                drop_pages(bench.files)
                peers += [found for found in [peer(bench.pattern)] if found]
            for r in ranks:
                bench.mean(r, bench.pattern, folder / "mean.nc", joined)
                bench.mean(r, folder / "one.nc", folder / "mean1.nc", single)
                if values(folder / "mean.nc") != values(folder / "mean1.nc"):
                    sys.exit("the mean over all files differs from that of one file")
        print(f"{options.files} files, {options.runs} runs, medians of seconds")
        print(f"{'opening':28}{'seconds':>10}{'wall':>10}" + (f"{'xarray/varve':>14}" if peers else ""))
        slow = median([p[0] for p in peers]) if peers else 0
        for (how, r), rows in opening.items():
            seconds = median([x[0] for x in rows])
            print(f"varve {how}, ranks {r:<14}"[:28].ljust(28) + f"{seconds:10.3f}{median([x[1] for x in rows]):10.3f}"
                  + (f"{slow / max(seconds, 1e-3):14.1f}" if peers else ""))
        if peers:
            print(f"{'xarray.open_mfdataset':28}{slow:10.3f}")
        print(f"\n{'mean over time, same bits':28}{'seconds':>10}{'plan':>10}{'plan bytes':>12}")
        for name, table in (("files", joined), ("one file", single)):
            for r, rows in table.items():
                print(f"{name}, ranks {r}".ljust(28) + "".join(f"{median([x[i] for x in rows]):{w}}" for i, w in ((0, "10.3f"), (1, "10.3f"), (2, "12.0f"))))
        if peers:
            print(f"{'xarray, opening and mean':28}{median([p[1] for p in peers]):10.3f}")
        elif not options.no_peers:
            print("xarray never came to an end: nothing to compare with")


if __name__ == "__main__":
    main()
