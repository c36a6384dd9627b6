#!/usr/bin/python3
"""Time mean with xarray and dask threads: peer_xarray.py FILE VARIABLE OUT [threads]"""
import sys
import time

import dask
import xarray

path, name, out = sys.argv[1:4]
dask.config.set(scheduler="threads", num_workers=int(sys.argv[4]) if len(sys.argv) > 4 else 2)
start = time.perf_counter()
with xarray.open_dataset(path, chunks={"time": 72}) as ds:
    mean = ds[name].mean("time")
    mean.encoding = {}
    mean.to_dataset(name=name).to_netcdf(out, engine="netcdf4")
print(f"INNER {time.perf_counter() - start:.4f}")
