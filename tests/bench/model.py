#!/usr/bin/python3
"""Expected against measured: how long explain says that a run takes, and how long it takes, on 1 to 6 ranks, with the rates that `varve bench machine` measures first.

    VARVE=build/release/bin/varve tests/bench/model.py [--size 1] [--ranks 1,2,3,4,5,6]

One process explains what that many ranks on the cores here would do (--ranks, --cores), and then they do it, three times into a new file; the least time counts. The ratio should be between
0.5 and 2; messages, and bytes that are moved, are the same numbers exactly, or the program ends with status 1. On a machine that does other things besides, measured times say little.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

TARGET = os.environ.get("VARVE", "varve")
RUNS = 3
CORES = len(os.sched_getaffinity(0))
ENVIRONMENT = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


def varve(*args, ranks=1):
    launch = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks)] if ranks > 1 else []
    return subprocess.run([*launch, TARGET, *map(str, args)], env=ENVIRONMENT, check=True, capture_output=True, text=True)


def cases(folder, size):
    """Commands on files of some 300 MB, uncompressed and compressed."""
    plain, squeezed = f"{folder}/plain.nc", f"{folder}/squeezed.nc"
    shape = f"time:{int(1460 * size)},lat:180,lon:288"
    varve("rechunk", "-c", "time=30,lat=90,lon=144", f"virtual:t?shape={shape}&chunk=30,90,144&dtype=f32&hours=6", "-o", plain, "-O")
    varve("rechunk", "-c", "time=30,lat=90,lon=144", "--deflate", "1", f"virtual:t?shape={shape}&chunk=30,90,144&dtype=i16&hours=6", "-o", squeezed, "-O")
    return {"mean over time": ["mean", "-d", "time", plain], "spread, compressed": ["std", "-d", "time", squeezed],
            "mean of maps": ["mean", "-d", "lat,lon", plain], "monthly means": ["clim", "-g", "month", plain],
            "anomalies": ["anom", "-g", "month", plain], "rechunk": ["rechunk", "-c", "time=730,lat=20,lon=36", plain],
            "product": ["eval", "r = dot(t, rename(t, time=other), lat, lon)", plain]}


def compare(command, ranks, out):
    args = [*command, "-o", out, "--threads", 1]
    plan = json.loads(varve(*args, "--explain=json", "--ranks", ranks, "--nodes", 1, "--cores", CORES).stdout)
    best, stats = 1e9, {}
    for _ in range(RUNS):
        Path(out).unlink(missing_ok=True)
        os.sync()  # what earlier runs have left
        stats = {k: float(v) for k, v in re.findall(r"(\w+)=([\d.e+-]+)", varve(*args, "--stats", ranks=ranks).stderr.split("varve: stats", 1)[1].splitlines()[0])}
        best = min(best, stats["seconds"] - stats["plan"])
    same = plan["messages"] == stats["messages"] and plan["moved"] == stats["moved"]
    return plan["model"]["slowest"]["all"], best, same


def main():
    p = argparse.ArgumentParser(description="Expected against measured times.")
    p.add_argument("--size", type=float, default=1)
    p.add_argument("--ranks", default="1,2,3,4,5,6")
    p.add_argument("--cases", help="some of them, with commas between")
    a = p.parse_args()
    wrong, far = [], []
    with tempfile.TemporaryDirectory() as folder:
        ENVIRONMENT["VARVE_MACHINE"] = f"{folder}/machine.json"
        varve("bench", "machine", ranks=2)
        varve("bench", "machine")
        print(f"{CORES} cores\n{'':20}{'ranks':>6}{'expected':>10}{'measured':>10}{'ratio':>7}")
        n = 0
        for name, command in cases(folder, a.size).items():
            if a.cases and name not in a.cases.split(","):
                continue
            for ranks in map(int, a.ranks.split(",")):
                expected, measured, same = compare(command, ranks, f"{folder}/o.nc")
                wrong += [] if same else [f"{name} on {ranks}"]
                far += [expected / measured] if not 0.5 <= expected / measured <= 2 else []
                n += 1
                print(f"{name:20}{ranks:>6}{expected:>9.3f}s{measured:>9.3f}s{expected / measured:>7.2f}", flush=True)
        print(f"{n - len(far)} of {n} within a factor of two")
    if wrong:
        sys.exit(f"other messages or bytes than foretold: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
