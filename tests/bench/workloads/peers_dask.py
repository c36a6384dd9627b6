#!/usr/bin/python3
"""The same workloads in xarray and dask, as their users write them.

    peers_dask.py --program build/release/tests/workloads --dir DATA --only anomaly_mean [--scale F] [--mode threads|distributed]

One workload a process; prints one line of JSON: seconds, and the peak of the process that was largest. `threads` is dask's threaded scheduler
in this process, with as much memory as there is; `distributed` has worker processes of one thread each whose memory_limit is the workload's budget.

Results are written as Varve's are, by to_netcdf(). With --nowhere dask is spared that: large ones are computed chunk by chunk and dropped.
"""
import argparse
import json
import os
import sys
import time

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import inputs  # noqa: E402

import dask  # noqa: E402
import dask.array as da  # noqa: E402
import xarray as xr  # noqa: E402

SMALL = 200e6  # bytes; results over that are large


# --- inputs ---


def computed_block(given, block_info=None):
    low, high = zip(*block_info[None]["array-location"])
    return inputs.computed(given, low, high)


def open_input(given):
    if given["stored"]:
        chunks = dict(zip(given["dims"], given["chunk"]))
        return xr.open_dataset(given["path"], chunks=chunks, engine="netcdf4")[given["name"]]
    chunks = da.core.normalize_chunks(given["chunk"], shape=given["shape"])
    data = da.map_blocks(computed_block, given, chunks=chunks, dtype=inputs.TYPES[given["dtype"]], meta=np.empty(()))
    coords = {"time": np.datetime64("1990-01-01", "ns") + (np.arange(n) * given["hours"] * 3600e9).astype("m8[ns]")
              for d, n in zip(given["dims"], given["shape"]) if d == "time"}
    return xr.DataArray(data, dims=given["dims"], coords=coords, name=given["name"])


# --- workloads: {result: lazy array}, dimensions in the order of Varve's results ---


def anomaly_mean(w, x):
    n = x.sizes["time"]
    x = x.assign_coords(day=("time", np.arange(n) % (n // 20)))
    anomaly = x.groupby("day") - x.groupby("day").mean("time")
    return {"mean": anomaly.mean("time"), "size": abs(anomaly).mean("time")}


def ensemble_mean(w, x):
    return {"climate": x.groupby("time.month").mean("time").transpose("ensemble", "month", ...)}


def weekly_variance(w, *variables):
    results = {}
    for x in variables:
        x = x.assign_coords(week=("time", np.arange(x.sizes["time"]) // 7))
        anomaly = x.groupby("week") - x.groupby("week").mean("time")
        results[x.name] = (anomaly**2).mean("time")
    return results


def oisst_dayofyear(w, x):
    return {"sst": x.groupby("time.dayofyear").mean("time").transpose("dayofyear", ...)}


def rechunk(w, x):
    return {x.name: x.data.rechunk(tuple(w["target"]))}


def many_chunks(w, *variables):
    results = {}
    for x in variables:
        results[x.name] = x.groupby("time.month").mean("time").transpose("month", ...)
        results[x.name + "_squared"] = (x**2).groupby("time.month").mean("time").transpose("month", ...)
    return results


def vorticity(w, u, v, dx, dy):
    def padded(a):
        a = da.pad(a.data, ((0, 1), (0, 0), (0, 0)), mode="wrap")
        return a.rechunk((a.shape[0], a.chunks[1], a.chunks[2]))

    return {"vorticity": dx.data[..., None] * padded(u) - dy.data[..., None] * padded(v)}


def quadratic_means(w, u, v):
    return {name: x.mean("time") for name, x in [("u", u), ("v", v), ("u2", u**2), ("v2", v**2), ("uv", u * v)]}


def eulerian_mean(w, *variables):
    zonal = {x.name: x.mean("lon") for x in variables}
    anomaly = {x.name: x - zonal[x.name] for x in variables}
    fluxes = {a + b: (anomaly[a] * anomaly[b]).mean("lon") for a, b in ("uv", "vt", "uw")}
    return {name: x.resample(time="1D").mean().transpose("time", ...) for name, x in {**zonal, **fluxes}.items()}


def hourly_anomalies(w, x):
    return {"anomaly": x.groupby("time.dayofyear") - x.groupby("time.dayofyear").mean("time")}


def double_diff(w, a, b):
    return {"difference": a.data[1:, 1:] - b.data[:-1, :-1]}


def dot_product(w, a):
    return {"total": (a.data @ a.data.T).sum()}


def box_mean(block, depth, before, after):
    """Means over a window in all dimensions of a block that has `depth` more elements (NaN outside of the array) on each side."""
    valid = ~np.isnan(block)
    total, count = np.where(valid, block, 0), valid.astype(block.dtype)
    for axis, n in enumerate(block.shape):
        def window(x):
            parts = [x.take(range(depth + k, n - depth + k), axis) for k in range(-before, after + 1)]
            return sum(parts[1:], parts[0])
        total, count = window(total), window(count)
    return total / count


def windowed(x, depth, before, after):
    x = x.rechunk([da.overlap.ensure_minimum_chunksize(depth, c) for c in x.chunks])  # dask wants none shorter than the overlap
    return da.map_overlap(lambda block: box_mean(block, depth, before, after), x, depth=depth, boundary=np.nan, trim=False, dtype=x.dtype,
                          chunks=x.chunks, meta=np.empty((0,) * x.ndim, x.dtype))


def overlap_4d(w, x):
    return {"mean": windowed(x.data, 1, 1, 1).mean((0, 1))}


def window_10x10(w, x):
    return {"mean": windowed(x.data, 5, 5, 4)}


def persist_sum(w, x):
    b = np.sqrt(np.exp(np.sin(x))).persist()
    mean = b.mean()
    return {"column": b.mean("y"), "mean": mean, "spread": abs(b - mean).mean("y")}


def rolling_100(w, x):
    return {"mean": x.rolling(time=100, center=True).mean()}


def weighted_climatology(w, x):
    half = 30
    weights = xr.DataArray(half + 1.0 - abs(np.arange(-half, half + 1)), dims="window")
    mean = x.groupby("time.dayofyear").mean("time").pad(dayofyear=half, mode="wrap")
    smooth = mean.rolling(dayofyear=2 * half + 1, center=True).construct("window").dot(weights / weights.sum())
    return {"climatology": smooth.isel(dayofyear=slice(half, -half)).transpose("dayofyear", ...)}


def function(name):
    rechunks = ("space_to_time", "short_fat", "tiles_to_rows", "swap_axes_memory", "swap_axes", "adjacent_groups", "heal_small")
    return rechunk if name in rechunks else globals()[name]


# --- running ---


class Nowhere:
    def __setitem__(self, where, block):
        pass


def data_of(x):
    return getattr(x, "data", x)


def write(w, results, path):
    """Everything into one file, stored as Varve's output is: deflated in the chunks of the result, or contiguous."""
    arrays = {name: data_of(x) for name, x in results.items()}
    variables = {name: xr.DataArray(x, dims=[f"{name}_{d}" for d in range(x.ndim)]) for name, x in arrays.items()}
    deflated = {"zlib": True, "complevel": 1, "shuffle": True}
    encoding = {name: {"_FillValue": None, **(dict(deflated, chunksizes=x.chunksize) if w["deflate"] and x.ndim else {})} for name, x in arrays.items()}
    xr.Dataset(variables).to_netcdf(path, engine="netcdf4", encoding=encoding)


def compute(results):
    """Small results into memory, large ones chunk by chunk to nowhere."""
    arrays = [data_of(x) for x in results.values()]
    large = [da.store(x, Nowhere(), lock=False, compute=False) for x in arrays if x.nbytes > SMALL]
    dask.compute([x for x in arrays if x.nbytes <= SMALL], large)


def run(w, path):
    """Seconds to build the graph, and in all. path: where the results go; None: nowhere."""
    begin = time.perf_counter()
    results = function(w["name"])(w, *map(open_input, w["inputs"]))
    built = time.perf_counter() - begin
    if path:
        write(w, results, path)
    else:
        compute(results)
    return built, time.perf_counter() - begin


def largest():
    """The peak of this process, in bytes."""
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmHWM"))


def threads(w, workers, path):
    with dask.config.set(scheduler="threads", num_workers=workers):
        return *run(w, path), largest()


def distributed(w, workers, path):
    from dask.distributed import Client, LocalCluster
    dask.config.set({"distributed.scheduler.allowed-failures": 1})
    with LocalCluster(n_workers=workers, threads_per_worker=1, memory_limit=w["budget"], dashboard_address=None) as cluster, Client(cluster) as client:
        return *run(w, path), max(client.run(largest).values())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=os.environ.get("WORKLOADS"))
    parser.add_argument("--dir", default=os.environ.get("BENCH_DIR", "."))
    parser.add_argument("--only", required=True)
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--mode", choices=["threads", "distributed"], default="threads")
    parser.add_argument("--workers", type=int, default=2, help="threads, or worker processes")
    parser.add_argument("--nowhere", action="store_true", help="large results are computed and dropped")
    options = parser.parse_args()
    (w,) = inputs.workloads(options.program, "--dir", options.dir, "--scale", options.scale, "--only", options.only)
    path = None if options.nowhere else os.path.join(options.dir, w["name"] + ".dask.nc")
    try:
        built, seconds, peak = (threads if options.mode == "threads" else distributed)(w, options.workers, path)
    finally:
        if path and os.path.exists(path):
            os.remove(path)
    print(json.dumps({"name": w["name"], "build_seconds": built, "seconds": seconds, "peak": peak}))


if __name__ == "__main__":
    main()
