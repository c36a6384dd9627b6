#!/usr/bin/python3
"""Reading beside what it cannot be faster than: a time mean by varve, and the bare inflating of the same chunks (floor.c, `inflate`), alternated.

    VARVE=build/varve reading.py --dir DIR [--files B,C,D] [--runs 5] [--steps 480] [--zstd FILE]

For each compressed file one process and one thread, page cache warm; the figure that counts is CPU time (user and system), because it drifts less than the clock. Of varve it is
the whole process with its start and planning; of the floor the start of MPI is taken off. Ratios are of medians. With --zstd a twin of B compressed with zstd is read, and made first if it is not
there (its first --steps steps only). Last, the way through the HDF5 library (the same chunks behind lz4, if its plug-in is installed), beside h5py with that plug-in: what leaving
the fast path costs.
"""
import argparse
import itertools
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np

from compare import ENV, HERE, write_index

sys.path.insert(0, str(HERE.parent / "data"))
from format_corpus import LZ4, ZSTD, shuffle, zstd  # noqa: E402

PLUGINS = os.environ.get("HDF5_PLUGIN_PATH") or ":".join(str(p) for p in Path("/usr/lib").glob("*-linux-gnu/hdf5/serial/plugins"))


def cpu(argv):
    """(CPU seconds, wall seconds) of a run."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([str(a) for a in argv], env=dict(ENV, HDF5_PLUGIN_PATH=PLUGINS), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(f"{argv}: {done.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def twin(path, source, steps, number, options, compress):
    """The first steps of a file's t2m, chunk by chunk through another filter."""
    with h5py.File(source) as f, h5py.File(path, "w") as out:
        d = f["t2m"]
        steps, chunk = min(steps, d.shape[0]) // d.chunks[0] * d.chunks[0], d.chunks
        p = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        p.set_chunk(chunk)
        p.set_shuffle()
        p.set_filter(number, h5py.h5z.FLAG_OPTIONAL, options)
        t = h5py.h5d.create(out.id, b"t2m", h5py.h5t.NATIVE_FLOAT, h5py.h5s.create_simple((steps, *d.shape[1:])), p)
        for at in range(0, steps, chunk[0]):
            if compress is None:
                h5py.Dataset(t)[at:at + chunk[0]] = d[at:at + chunk[0]]
                continue
            block = d[at:at + chunk[0]]
            for y in range(0, d.shape[1], chunk[1]):
                for x in range(0, d.shape[2], chunk[2]):
                    full = np.zeros(chunk, "f4")
                    part = block[:, y:y + chunk[1], x:x + chunk[2]]
                    full[:, :part.shape[1], :part.shape[2]] = part
                    t.write_direct_chunk((at, y, x), compress(shuffle(full.tobytes(), 4)))


def alternate(programs, runs):
    """Median CPU and wall seconds of each program, {name: argv}, run in turns after one run to warm up."""
    taken = {name: [] for name in programs}
    for run in range(runs + 1):
        for name, argv in programs.items():
            figure = cpu(argv)
            if run:
                taken[name].append(figure)
    return {name: [statistics.median(f[k] for f in figures) for k in (0, 1)] for name, figures in taken.items()}


def mean(varve, path, work):
    with h5py.File(path) as f:
        dim = "time" if "time" in f else "phony_dim_0"
    return [varve, "--threads", "1", "-q", "mean", "-d", dim, f"{path}:t2m", "-O", "-o", work / "out.nc"]


def report(name, ours, floor):
    (a, b), (c, d) = ours, floor
    print(f"{name:6} {a:10.2f} {c:8.2f} {a / c:6.2f} {b:14.2f} {d:8.2f} {b / d:6.2f}", flush=True)


def read_with_h5py(paths):
    """What the peer of the slow way does: all chunks, one after the other, by HDF5."""
    for path in paths:
        with h5py.File(path) as f:
            d = f["t2m"]
            for at in itertools.product(*[range(0, n, c) for n, c in zip(d.shape, d.chunks)]):
                d[tuple(slice(a, a + c) for a, c in zip(at, d.chunks))]


def main():
    if sys.argv[1:2] == ["--read"]:
        return read_with_h5py(sys.argv[2:])
    o = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    o.add_argument("--dir", type=Path, required=True)
    o.add_argument("--files", default="B,C,D")
    o.add_argument("--runs", type=int, default=5)
    o.add_argument("--steps", type=int, default=480)
    o.add_argument("--zstd", type=Path)
    o.add_argument("--scratch", type=Path, help="for the twin behind lz4; default: the system's folder for such files")
    o = o.parse_args()
    varve = os.environ.get("VARVE") or sys.exit("set VARVE to the binary")
    with tempfile.TemporaryDirectory(prefix="varve-bench-", dir=o.scratch) as work:
        work = Path(work)
        floor = work / "floor"
        subprocess.run(["mpicc", "-O3", "-march=native", HERE / "floor.c", "-o", floor, "-ldeflate", "-lzstd"], check=True)
        files = [o.dir / f"{name}.nc" for name in o.files.split(",")]
        if o.zstd:
            if not o.zstd.exists():
                twin(o.zstd, o.dir / "B.nc", o.steps, ZSTD, (3,), lambda data: zstd(data, 3))
            files.append(o.zstd)
        nothing = work / "nothing.index"
        nothing.write_text(write_index(files[0], "t2m", work / "first.index").read_text().split("\n")[0].rsplit(" ", 2)[0] + " 0 1\n")
        print("file   cpu: varve  inflate  ratio    wall: varve  inflate  ratio")
        for path in files:
            index = write_index(path, "t2m", work / f"{path.stem}.index")
            t = alternate({"varve": mean(varve, path, work), "inflate": [floor, index, "1", "inflate"], "start": [floor, nothing]}, o.runs)
            report(path.stem, t["varve"], [a - b for a, b in zip(t["inflate"], t["start"])])
        if not h5py.h5z.filter_avail(LZ4):
            print("no lz4 plug-in: the way through HDF5 is not measured")
            return
        slow = work / "lz4.h5"
        twin(slow, o.dir / "B.nc", o.steps, LZ4, (), None)
        print("file   cpu: varve     h5py  ratio    wall: varve     h5py  ratio")
        t = alternate({"varve": mean(varve, slow, work), "h5py": [sys.executable, __file__, "--read", slow], "start": [sys.executable, __file__, "--read"]}, o.runs)
        report("lz4", t["varve"], [a - b for a, b in zip(t["h5py"], t["start"])])


if __name__ == "__main__":
    main()
