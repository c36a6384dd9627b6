#!/usr/bin/python3
"""The 90th percentile of the five days around each day of the year, of 30 years of daily values, beside xarray's rolling(time=5, center=True).construct(), grouped, and quantile.

    VARVE=build/release/bin/varve tests/bench/dayofyear.py [--dir DIR] [--lat 180] [--lon 360] [--rows 4] [--skipna]

Makes the file (10950, LAT, LON) f32 in DIR, 2.8 GB as it is, and removes it. xarray holds the window five times over and takes minutes, so it is given the first ROWS latitudes of the file; its time for
all of them is that times LAT / ROWS, its memory is what it had for the part. Without --skipna it may take the file to have no missing values, which lets NumPy sort all series at once; varve looks for
them always. Both results of the part are compared: they are the same to the last bit of f32 or the next one.
"""
import argparse
import os
import resource
import subprocess
import sys
import time

import netCDF4
import numpy as np

PEER = """
import sys, xarray as xr
path, out, rows, skipna = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "1"
x = xr.open_dataset(path, use_cftime=True).t.isel(lat=slice(0, rows))
w = x.rolling(time=5, center=True).construct("w")
if not skipna:
    w = w.isel(time=slice(2, -2))
w.groupby("time.dayofyear").quantile(0.9, dim=["time", "w"], skipna=skipna).transpose("dayofyear", "lat", "lon").to_netcdf(out)
"""


def make(path, days, lat, lon):
    rng = np.random.default_rng(1)
    with netCDF4.Dataset(path, "w") as f:
        for name, n in (("time", days), ("lat", lat), ("lon", lon)):
            f.createDimension(name, n)
        t = f.createVariable("time", "f8", ("time",))
        t.units, t.calendar = "days since 1991-01-01", "noleap"
        t[:] = np.arange(days)
        v = f.createVariable("t", "f4", ("time", "lat", "lon"), chunksizes=(min(365, days), min(30, lat), min(60, lon)))
        for at in range(0, days, 365):
            n = min(365, days - at)
            year = 285 + 10 * np.sin(np.arange(n) * (2 * np.pi / 365))[:, None, None]
            v[at:at + n] = rng.standard_normal((n, lat, lon), dtype="f4") * 5 + year.astype("f4")


def run(argv):
    """Seconds, processor seconds and the peak in MB of a program."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    process = subprocess.Popen([str(a) for a in argv])
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    if status:
        sys.exit(f"{argv[0]} failed")
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--dir", default="/tmp")
    for name, n in (("days", 10950), ("lat", 180), ("lon", 360), ("rows", 4)):
        a.add_argument(f"--{name}", type=int, default=n)
    a.add_argument("--skipna", action="store_true")
    o = a.parse_args()
    path, ours, theirs = (os.path.join(o.dir, f"dayofyear_{name}.nc") for name in ("in", "varve", "xarray"))
    try:
        make(path, o.days, o.lat, o.lon)
        binary = os.environ.get("VARVE", "build/release/bin/varve")
        mine = run([binary, "quantile", "-g", "dayofyear", "-w", 5, "-q", 0.9, path, "-O", "-o", ours])
        peer = run([sys.executable, "-W", "ignore", "-c", PEER, path, theirs, o.rows, int(o.skipna)])
        factor = o.lat / o.rows
        print(f"varve, all {o.lat} latitudes:    {mine[0]:7.1f} s, {mine[1]:7.1f} s of processor time, {mine[2]:6.0f} MB")
        print(f"xarray, {o.rows} of them:          {peer[0]:7.1f} s, {peer[1]:7.1f} s of processor time, {peer[2]:6.0f} MB")
        print(f"xarray's processor time for as many, over varve's: {peer[1] * factor / mine[1]:.1f}")
        with netCDF4.Dataset(ours) as x, netCDF4.Dataset(theirs) as y:
            inner = slice(None) if o.skipna else slice(2, -2)  # days beside the ends have fewer values, which only skipna counts
            np.testing.assert_allclose(x["t"][:, :o.rows][inner], y["t"][:][inner].astype("f4"), rtol=1.3e-7)
        print("the results are the same")
    finally:
        for name in (path, ours, theirs):
            if os.path.exists(name):
                os.remove(name)


if __name__ == "__main__":
    main()
