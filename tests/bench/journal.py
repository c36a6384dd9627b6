#!/usr/bin/python3
"""What a journal costs when nothing fails: the same commands with --checkpoint and without, in turn within one run.

    VARVE=build/release/bin/varve tests/bench/journal.py [--megabytes 500] [--runs 7] [--ranks 2] [--every 5m] [--only map,mean] [--dir DIR]

Medians of wall time and of processor time (user and system, all ranks and mpirun), and the ratios of both. A run's turn changes with every round. --every: how often a journal is
written; at 5m, the usual one, runs as short as these write what they have finished and nothing else.
"""
import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ENVIRONMENT = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
VARVE = os.environ.get("VARVE", "varve")


def commands(plain):
    """Every kind of thing that a journal keeps: states of reductions and groups, chunks with a place, compressed ones without."""
    doubled = "r = 2 * x"
    return {"map": ["eval", doubled, plain], "map-chunks": ["eval", doubled, "-c", "time=24,lat=90,lon=90", plain], "map-deflate": ["eval", doubled, "--deflate", "1", plain],
            "map-zstd": ["eval", doubled, "--filter", "zstd:1", plain], "rechunk": ["rechunk", "-c", "time=-1,lat=18,lon=18", plain], "anom": ["anom", "-g", "month", plain],
            "mean": ["mean", "-d", "time", plain], "clim": ["clim", "-g", "month", plain]}


def run(argv):
    """(wall seconds, processor seconds)"""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(list(map(str, argv)), env=ENVIRONMENT, capture_output=True, text=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, argv))}: exit {done.returncode}\n{done.stderr}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--megabytes", type=float, default=500)
    p.add_argument("--runs", type=int, default=7)
    p.add_argument("--ranks", type=int, default=2)
    p.add_argument("--every", default="5m")
    p.add_argument("--only", default="")
    p.add_argument("--dir")
    a = p.parse_args()
    launch = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", a.ranks] if a.ranks > 1 else []
    with tempfile.TemporaryDirectory(dir=a.dir) as folder:
        plain, out = f"{folder}/plain.nc", f"{folder}/out.nc"
        steps = max(24, int(a.megabytes * 1e6 / (4 * 180 * 360)))
        run([VARVE, "rechunk", "-c", "time=24,lat=90,lon=90", f"virtual:x?shape=time:{steps},lat:180,lon:360&chunk=24,90,90&dtype=f32&hours=6", "-o", plain])
        print(f"{os.path.getsize(plain) / 1e6:.0f} MB, {a.ranks} ranks, a journal every {a.every}, medians of {a.runs}\n"
              f"{'':14}{'without':>9}{'with':>9}{'ratio':>7}{'processors':>12}{'with':>9}{'ratio':>7}")
        for name, command in commands(plain).items():
            if a.only and name not in a.only.split(","):
                continue
            ways = {"without": [], "with": [f"--checkpoint={a.every}"]}
            took = {way: [] for way in ways}
            for turn in range(a.runs):
                for way in sorted(ways, reverse=turn % 2 == 1):
                    took[way].append(run([*launch, VARVE, *command, "-o", out, "-O", "--threads", 1, "-q", *ways[way]]))
            middle = {way: [statistics.median(t[k] for t in took[way]) for k in (0, 1)] for way in ways}
            (wall, cpu), (wall_j, cpu_j) = middle["without"], middle["with"]
            print(f"{name:14}{wall:>8.3f}s{wall_j:>8.3f}s{wall_j / wall:>7.3f}{cpu:>11.3f}s{cpu_j:>8.3f}s{cpu_j / cpu:>7.3f}", flush=True)


if __name__ == "__main__":
    main()
