#!/usr/bin/python3
"""What the plan's model foretells of archives and machines that are not here: a reduction and a rechunk of hourly ERA5 on model levels, on 1 to 4,096 ranks.

    VARVE=build/release/bin/varve tests/bench/petabyte.py >jobscripts/petabyte.csv
    tests/bench/petabyte.py --picture jobscripts/petabyte.csv jobscripts/petabyte.svg

Nothing is computed but plans: the array is virtual, the ranks, nodes, network and file system are those that the options of explain tell. The assumptions stand in
jobscripts/README.md. Prints a line for each number of ranks; `planning` is the time that explain itself took here.
"""
import csv
import json
import os
import subprocess
import sys
import time

TARGET = os.environ.get("VARVE", "varve")
ERA5 = "virtual:t?shape=time:745128,level:137,lat:721,lon:1440&chunk=24,1,721,1440&dtype=f32&hours=1"  # 85 years, 424 TB
COMMANDS = {"mean over time": ["mean", "-d", "time", ERA5], "rechunk to series": ["rechunk", "-c", "time=8760,level=1,lat=53,lon=54", ERA5]}
RANKS = [1, 4, 16, 64, 256, 1024, 4096]
PER_NODE, LINK, RANK_DISK, FILESYSTEM = 64, 25e9, 1e9, 500e9  # bytes per second: of a node, of a rank, of all together
COLUMNS = ["command", "ranks", "nodes", "hours", "read", "compute", "send", "write", "moved_TB", "across_TB", "messages_per_rank", "planning"]


def explain(command, ranks):
    nodes = -(-ranks // PER_NODE)
    rates = [f"--net={LINK / min(ranks, PER_NODE) / 1e6:.0f}MB/s,2us", f"--disk={min(RANK_DISK, FILESYSTEM / ranks) / 1e6:.0f}MB/s"]
    begin = time.monotonic()
    done = subprocess.run([TARGET, *command, "-o", "nowhere.nc", "--explain=json", f"--ranks={ranks}", f"--nodes={nodes}", "--threads=1", "--memory=8GB", *rates],
                          env={**os.environ, "VARVE_MACHINE": "/nowhere"}, check=True, capture_output=True, text=True)
    plan = json.loads(done.stdout)
    slowest = plan["model"]["slowest"]
    return [ranks, nodes, f"{slowest['all'] / 3600:.4g}", *(f"{slowest[k] / 3600:.4g}" for k in ("read", "compute", "send", "write")),
            f"{plan['moved'] / 1e12:.4g}", f"{plan['across'] / 1e12:.4g}", f"{plan['model']['messages']:.0f}", f"{time.monotonic() - begin:.1f}"]


def picture(table, path):
    """Lines over the numbers of ranks, both in powers of ten and of four, drawn by varve plot."""
    import netCDF4
    import numpy as np

    with open(table, newline="") as f:
        rows = list(csv.DictReader(f))
    with netCDF4.Dataset("petabyte.nc", "w") as f:
        f.createDimension("ranks", len(RANKS))
        x = f.createVariable("ranks", "f8", ("ranks",))
        x[:] = np.log10(RANKS)
        x.long_name = "ranks, powers of ten"
        for name, command in (("mean", "mean over time"), ("rechunk", "rechunk to series")):
            hours = np.array([float(r["hours"]) for r in rows if r["command"] == command])
            for kind, values in (("", hours), ("_ideal", hours[0] / np.array(RANKS))):
                v = f.createVariable(name + kind, "f8", ("ranks",))
                v[:] = np.log10(values)
                v.units, v.long_name = "decimal logarithm of hours", f"{command}{', ideal' if kind else ', modelled'}"
    subprocess.run([TARGET, "plot", "-v", "mean,mean_ideal,rechunk,rechunk_ideal", "--title", "ERA5 on model levels, 424 TB: modelled", "petabyte.nc", "-o", path, "-O"], check=True)
    os.remove("petabyte.nc")


def main():
    if len(sys.argv) == 4 and sys.argv[1] == "--picture":
        picture(*sys.argv[2:])
        return
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(COLUMNS)
    for name, command in COMMANDS.items():
        for ranks in RANKS:
            out.writerow([name, *explain(command, ranks)])
            sys.stdout.flush()


if __name__ == "__main__":
    main()
