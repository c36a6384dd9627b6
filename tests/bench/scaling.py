#!/usr/bin/python3
"""How a reduction scales: twice the data on twice the cores, as ranks and as threads, alternated, medians.

    VARVE=build/release/bin/varve scaling.py --dir DIR [--files A,B,C] [--how mean] [--runs 5]

Weak scaling is the seconds of one rank with half of a file over the seconds of two ranks with all of it: 1 is ideal. The same for one rank of two
threads. Seconds are those that varve counts itself, without the start of mpirun. Halves are made beside the files the first time (stored chunks are
copied as they are).
"""
import argparse
import os
from pathlib import Path

import h5py

from compare import measure, median

SETTINGS = {"1 x 1, half": ("half", 1, 1), "2 x 1, all": ("all", 2, 1), "1 x 2, all": ("all", 1, 2)}


def half_of(path, variable):
    """The first half of the variable along its first dimension, in whole chunks, everything else as it is."""
    half = path.with_suffix(".half.nc")
    if half.exists():
        return half
    part = half.with_suffix(".part")
    with h5py.File(path, "r") as whole, h5py.File(part, "w") as out:
        data = whole[variable]
        chunk = data.chunks[0] if data.chunks else 1
        n = data.shape[0] // 2 // chunk * chunk
        made = out.create_dataset(variable, (n, *data.shape[1:]), data.dtype, chunks=data.chunks, compression=data.compression,
                                  compression_opts=data.compression_opts, shuffle=data.shuffle, fillvalue=data.fillvalue)
        if data.chunks:
            for i in range(data.id.get_num_chunks()):
                at = data.id.get_chunk_info(i).chunk_offset
                if at[0] < n:
                    mask, stored = data.id.read_direct_chunk(at)
                    made.id.write_direct_chunk(at, stored, mask)
        else:
            step = max(1, (64 << 20) // data[0].nbytes)
            for i in range(0, n, step):
                made[i:min(i + step, n)] = data[i:min(i + step, n)]
        for d, name in enumerate(scale[0].name.strip("/") for scale in data.dims if len(scale)):
            axis = out.create_dataset(name, data=whole[name][:made.shape[d]])
            axis.make_scale(name)
            made.dims[d].attach_scale(axis)
        for key in ("scale_factor", "add_offset", "_FillValue", "units"):
            if key in data.attrs:
                made.attrs[key] = data.attrs[key]
    part.rename(half)
    return half


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", required=True, type=Path, help="where A.nc, B.nc ... are")
    parser.add_argument("--files", default="A,B,C")
    parser.add_argument("--how", default="mean", help="the reduction over time")
    parser.add_argument("--variable", default="t2m")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--varve", default=os.environ.get("VARVE"))
    options = parser.parse_args()
    if not options.varve:
        parser.error("set VARVE or give --varve")
    for name in options.files.split(","):
        path = options.dir / (name + ".nc")
        data = {"all": path, "half": half_of(path, options.variable)}
        for file in data.values():  # into the page cache
            with open(file, "rb") as f:
                while f.read(1 << 24):
                    pass
        rows = {setting: [] for setting in SETTINGS}
        for _ in range(options.runs):
            for setting, (which, ranks, threads) in SETTINGS.items():
                out = options.dir / "scaling-out.nc"
                rows[setting].append(measure(["mpirun", "-n", ranks, "--bind-to", "none", options.varve, options.how, "-d", "time", "-v",
                                              options.variable, data[which], "-o", out, "-O", "--threads", threads, "--stats"], 600))
                out.unlink()
        one, two, threaded = (median(r, 1) for r in rows.values())
        print(f"{name}: {options.how} over time, medians of {options.runs}: " + ", ".join(f"{s} {median(r, 1):.3f} s" for s, r in rows.items()) +
              f"; weak scaling {one / two:.3f} as ranks, {one / threaded:.3f} as threads; ranks / threads {two / threaded:.3f}", flush=True)


if __name__ == "__main__":
    main()
