#!/usr/bin/python3
"""Time mean with h5py, NumPy and mpi4py, steps divided among the ranks: mpirun -n 2 peer_h5py.py FILE VARIABLE OUT

What a careful user writes in an hour: slabs of one chunk's length, sums in float64, one Reduce. Missing values are not looked at."""
import sys
import time

import h5py
import numpy as np
from mpi4py import MPI

world = MPI.COMM_WORLD
path, name, out = sys.argv[1:4]
world.Barrier()
start = time.perf_counter()
with h5py.File(path, "r") as f:
    v = f[name]
    steps, slab = v.shape[0], max(24, v.chunks[0] if v.chunks else 1)
    slabs = -(-steps // slab)
    mine = range(slabs * world.rank // world.size, slabs * (world.rank + 1) // world.size)
    total = np.zeros(v.shape[1:])
    for i in mine:
        total += v[i * slab:(i + 1) * slab].sum(axis=0, dtype="f8")
    scale, offset = (float(np.ravel(v.attrs.get(k, d))[0]) for k, d in (("scale_factor", 1), ("add_offset", 0)))
summed = np.empty_like(total)
world.Reduce(total, summed, root=0)
if world.rank == 0:
    with h5py.File(out, "w") as f:
        f[name] = (summed / steps * scale + offset).astype("f4")
    print(f"INNER {time.perf_counter() - start:.4f}")
