#!/usr/bin/python3
"""QR and singular values of a tall matrix beside numpy and dask, in turn within one run, on the same elements in memory.

    tests/bench/tall/run.py BUILD [--rows 2000000] [--columns 32] [--ranks 2] [--runs 1]

BUILD is a build with libvarve.so. All factors are computed. Varve's matrix and its factors are held by the ranks; of three repetitions the fastest counts, of the runs the median. numpy and dask have
as many threads as there are ranks. Singular values are compared with numpy's, and what is left of a - q r and q' q - 1 is shown.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
ENV = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OPENBLAS_NUM_THREADS="1")


def compiled(build):
    program = build / "bench_tall"
    subprocess.run(["mpicc", "-std=c17", "-D_GNU_SOURCE", "-O3", f"-I{ROOT}/include", f"-I{build}/include", HERE / "tall.c", "-o", program, f"-L{build}",
                    "-lvarve", f"-Wl,-rpath,{build}", "-lm"], check=True)
    return program


def ours(program, ranks, what, o, path):
    launch = ["mpirun", "--bind-to", "none", "-n", str(ranks)] if ranks > 1 else []
    done = subprocess.run([*launch, program, what, str(o.rows), str(o.columns), path], check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=ENV)
    return json.loads(done.stdout.splitlines()[-1])


PEER = """
import sys, time, json
import numpy as np
peer, what, path, columns, threads = sys.argv[1:]
a = np.fromfile(path).reshape(-1, int(columns))
if peer == "dask":
    import dask, dask.array as da
    x = da.from_array(a, chunks=(-(-len(a) // 16), a.shape[1]))
    function = lambda: dask.compute(*getattr(da.linalg, what)(x), scheduler="threads", num_workers=int(threads))
else:
    function = lambda: np.linalg.qr(a) if what == "qr" else np.linalg.svd(a, full_matrices=False)
start = time.perf_counter()
factors = function()
print(json.dumps({"seconds": time.perf_counter() - start, "values": list(factors[1]) if what == "svd" else []}))
"""


def peer(name, what, o, path):
    env = dict(ENV, OPENBLAS_NUM_THREADS=str(o.ranks) if name == "numpy" else "1")
    done = subprocess.run([sys.executable, "-c", PEER, name, what, path, str(o.columns), str(o.ranks)], check=True, capture_output=True, text=True, env=env)
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--columns", type=int, default=32)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--what", default="qr,svd")
    o = parser.parse_args()
    import numpy as np
    program = compiled(o.build.resolve())
    with tempfile.TemporaryDirectory() as scratch:
        path = f"{scratch}/a.bin"
        np.random.default_rng(1).normal(size=(o.rows, o.columns)).tofile(path)
        print("| what | varve s | numpy s | dask s | its speed over numpy's | over dask's | largest difference of singular values, relative | a - q r | q' q - 1 |\n|---|---|---|---|---|---|---|---|---|")
        for what in o.what.split(","):
            runs = [(ours(program, o.ranks, what, o, path), peer("numpy", what, o, path), peer("dask", what, o, path)) for _ in range(o.runs)]
            mine, numpy, dask = (statistics.median(r[i]["seconds"] for r in runs) for i in range(3))
            values = [np.array(runs[0][i]["values"]) for i in (0, 1)]
            off = f"{np.max(np.abs(values[0] / values[1] - 1)):.1e}" if what == "svd" else ""
            print(f"| {what} {o.rows} x {o.columns} | {mine:.3f} | {numpy:.2f} | {dask:.2f} | {numpy / mine:.1f} | {dask / mine:.1f} | {off} | "
                  f"{runs[0][0]['residual']:.1e} | {runs[0][0]['slant']:.1e} |", flush=True)


main()
