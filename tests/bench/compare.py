#!/usr/bin/python3
"""Varve beside its peers and the floor: time means of the benchmark files on two ranks, alternated, medians.

    VARVE=build/varve compare.py --dir DIR [--files A,B,C,D] [--peers varve,floor,h5py,xarray,cdo] [--runs 5] [--limit 60]

Wall is the whole process from outside, mpirun included; inner is what the program itself counts once it runs; peak is the largest resident
set of one process of the run. A peer that exceeds --limit seconds is stopped, printed as "> N s" and not run again. See README.md for the files.
"""
import argparse
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import h5py
import numpy as np

HERE = Path(__file__).resolve().parent
ENV = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OPENBLAS_NUM_THREADS="1")
TITLE = {"A": "contiguous f32", "B": "chunks (24,181,360), deflate 4", "C": "chunks (1,361,720), deflate 1", "D": "packed i16, chunks as B"}


def measure(argv, limit):
    """(wall seconds, inner seconds or None, peak bytes) of a run; None when it took longer than `limit`."""
    # GNU time, because a process inherits the peak of the one that starts it, and this one has NumPy loaded
    with tempfile.TemporaryFile("w+") as out, tempfile.NamedTemporaryFile("r") as peak:
        start = time.perf_counter()
        child = subprocess.Popen(["/usr/bin/time", "-f", "%M", "-o", peak.name, *map(str, argv)], env=ENV, stdin=subprocess.DEVNULL,
                                 stdout=out, stderr=out, start_new_session=True)
        late = threading.Event()

        def stop():
            late.set()
            os.killpg(child.pid, signal.SIGTERM)

        timer = threading.Timer(limit, stop)
        timer.start()
        child.wait()
        wall = time.perf_counter() - start
        timer.cancel()
        out.seek(0)
        text, largest = out.read(), peak.read().split()
    if late.is_set():
        return None
    if child.returncode:
        raise RuntimeError(f"{' '.join(map(str, argv))}: exit {child.returncode}\n{text}")
    inner = re.search(r"INNER (\S+)|varve: stats seconds=(\S+)", text)
    return wall, float(inner[1] or inner[2]) if inner else None, int(largest[-1]) * 1024 if largest else 0


def write_index(path, variable, out):
    """The chunk list that floor.c reads."""
    with h5py.File(path, "r") as f:
        d = f[variable]
        nt, ny, nx = d.shape
        if d.chunks:
            infos = [d.id.get_chunk_info(i) for i in range(d.id.get_num_chunks())]
            chunk, rows = d.chunks, sorted(((c.byte_offset, c.size, *c.chunk_offset) for c in infos), key=lambda r: r[2:])
        else:
            step = ny * nx * d.dtype.itemsize
            chunk, rows = (1, ny, nx), [(d.id.get_offset() + t * step, step, t, 0, 0) for t in range(nt)]
        filters = d.id.get_create_plist()
        zstd = any(filters.get_filter(i)[0] == 32015 for i in range(filters.get_nfilters())) if d.chunks else False
        head = (path, d.dtype.itemsize, nt, ny, nx, *chunk, len(rows), 2 if zstd else int(bool(d.chunks)))
    out.write_text("\n".join(" ".join(map(str, r)) for r in [head, *rows]) + "\n")
    return out


class Bench:
    def __init__(self, options, work):
        self.options, self.work = options, work
        self.mpirun = ["mpirun", "-n", options.ranks]

    def output(self, peer):
        path = self.work / f"{peer}.nc"
        path.unlink(missing_ok=True)
        return path

    def floor(self):
        program = self.work / "floor"
        if not program.exists():
            subprocess.run(["mpicc", "-std=c17", "-D_GNU_SOURCE", "-O3", "-march=native", HERE / "floor.c", "-o", program, "-ldeflate", "-lzstd"], check=True)
        return program

    def argv(self, peer, path):
        var, out = self.options.variable, self.output(peer)
        if peer == "varve":
            return [*self.mpirun, self.options.varve, "mean", "-d", "time", path, "-o", out, "--threads", 1, "--stats"]
        if peer == "floor":
            index = self.work / (Path(path).stem + ".index")
            return [*self.mpirun, self.floor(), index if index.exists() else write_index(path, var, index)]
        if peer == "h5py":
            return [*self.mpirun, sys.executable, HERE / "peer_h5py.py", path, var, out]
        if peer == "xarray":
            return [sys.executable, HERE / "peer_xarray.py", path, var, out, self.options.ranks]
        if peer == "cdo":
            return ["cdo", "-s", "-O", "-b", "F32", "timmean", path, out]
        raise SystemExit(f"no such peer: {peer}")

    def file(self, path):
        peers = self.options.peers.split(",")
        runs = {p: [] for p in peers}
        with open(path, "rb") as f:  # into the page cache
            while f.read(1 << 24):
                pass
        for _ in range(self.options.runs):
            for p in peers:
                if runs[p] is not None:
                    got = measure(self.argv(p, path), self.options.limit)
                    runs[p] = None if got is None else runs[p] + [got]
        return runs

    def differences(self, runs):
        """Largest relative difference of each peer's result to varve's."""
        found, ours = {}, self.work / "varve.nc"
        for peer in ("h5py", "xarray", "cdo"):
            theirs = self.work / f"{peer}.nc"
            if runs.get(peer) and ours.exists() and theirs.exists():  # a peer that was stopped leaves half a file
                with h5py.File(ours, "r") as a, h5py.File(theirs, "r") as b:
                    x, y = np.squeeze(a[self.options.variable][...]), np.squeeze(b[self.options.variable][...])
                found[peer] = float(np.max(np.abs(x - y) / np.abs(x)))
        return found


def median(rows, column):
    known = [r[column] for r in rows if r[column] is not None]
    return statistics.median(known) if known else None


def show(runs, options):
    walls = {p: median(r, 0) for p, r in runs.items() if r}
    inners = {p: median(r, 1) for p, r in runs.items() if r}
    print(f"  {'':8} {'wall s':>9} {'(min)':>9} {'inner s':>9} {'wall/floor':>11} {'inner/floor':>12} {'wall/varve':>11} {'peak MB':>8}")

    def ratio(value, table, key):
        return f"{value / table[key]:.2f}" if value and table.get(key) else "-"

    for peer, rows in runs.items():
        if rows is None:
            least = f"> {options.limit / walls['varve']:.0f}" if walls.get("varve") else "-"
            print(f"  {peer:8} {'> %g s' % options.limit:>9} {'':9} {'':9} {'':11} {'':12} {least:>11}")
            continue
        wall, inner = walls[peer], inners[peer]
        print(f"  {peer:8} {wall:9.3f} {min(r[0] for r in rows):9.3f} {f'{inner:.3f}' if inner else '-':>9} {ratio(wall, walls, 'floor'):>11}"
              f" {ratio(inner, inners, 'floor'):>12} {ratio(wall, walls, 'varve'):>11} {max(r[2] for r in rows) / 1e6:8.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", required=True, help="where A.nc, B.nc ... are")
    parser.add_argument("--files", default="A,B,C,D")
    parser.add_argument("--peers", default="varve,floor,h5py,xarray,cdo")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--limit", type=float, default=60, help="seconds granted to one run")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--variable", default="t2m")
    parser.add_argument("--varve", default=os.environ.get("VARVE"))
    options = parser.parse_args()
    if "varve" in options.peers.split(",") and not options.varve:
        parser.error("set VARVE or give --varve")
    with tempfile.TemporaryDirectory(prefix="varve-bench-") as work:
        for name in options.files.split(","):
            bench = Bench(options, Path(work))
            path = os.path.join(options.dir, name + ".nc")
            runs = bench.file(path)
            print(f"{name} ({TITLE.get(name, 'own file')}, {os.path.getsize(path) / 1e9:.2f} GB), time mean, {options.ranks} ranks,"
                  f" medians of {options.runs}:")
            show(runs, options)
            for peer, far in bench.differences(runs).items():
                print(f"  largest relative difference to {peer}: {far:.1e}")
            print(flush=True)
            for left in Path(work).glob("*.nc"):
                left.unlink()


if __name__ == "__main__":
    main()
