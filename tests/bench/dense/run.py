#!/usr/bin/python3
"""Products beside OpenBLAS with as many threads as Varve has ranks, transpositions beside FFTW-MPI, in turn within one run.

    tests/bench/dense/run.py BUILD [--n 4096] [--side 8192] [--ranks 2] [--runs 3]

BUILD is a build with libvarve.so; libopenblas-dev and libfftw3-mpi-dev have to be there. Of each run the fastest of five repetitions counts, of the runs the median.
"""
import argparse
import json
import os
import statistics
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
ENV = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")


def words(*argv):
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.split()


def compiled(build):
    """(Varve's program, the peers')"""
    ours, peers = build / "bench_dense", build / "bench_dense_peers"
    flags = ["-std=c17", "-D_GNU_SOURCE", "-O3"]
    subprocess.run(["mpicc", *flags, f"-I{ROOT}/include", f"-I{build}/include", HERE / "dense.c", "-o", ours, f"-L{build}", "-lvarve",
                    f"-Wl,-rpath,{build}", "-lm"], check=True)
    subprocess.run(["mpicc", *flags, *words("pkg-config", "--cflags", "openblas"), HERE / "peers.c", "-o", peers, "-lfftw3_mpi", "-lfftw3",
                    *words("pkg-config", "--libs", "openblas"), "-lm"], check=True)
    return ours, peers


def seconds(ranks, threads, *argv):
    launch = ["mpirun", "--bind-to", "none", "-n", str(ranks)] if ranks > 1 else []
    env = dict(ENV, OPENBLAS_NUM_THREADS=str(threads))
    done = subprocess.run([*launch, *map(str, argv)], check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env)
    return json.loads(done.stdout.splitlines()[-1])["seconds"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path)
    parser.add_argument("--n", type=int, default=4096, help="order of the matrices that are multiplied")
    parser.add_argument("--side", type=int, default=8192, help="of the array that is transposed")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    o = parser.parse_args()
    ours, peers = compiled(o.build.resolve())
    cases = {
        f"product f64 {o.n}": (lambda: seconds(o.ranks, 1, ours, "matmul", o.n), lambda: seconds(1, o.ranks, peers, "blas", o.n), "OpenBLAS"),
        f"product f32 {o.n}": (lambda: seconds(o.ranks, 1, ours, "matmul", o.n, "f32"), lambda: seconds(1, o.ranks, peers, "blas", o.n, "f32"),
                               "OpenBLAS"),
        f"transposed f64 {o.side}": (lambda: seconds(o.ranks, 1, ours, "transpose", o.side), lambda: seconds(o.ranks, 1, peers, "fftw", o.side),
                                     "FFTW-MPI"),
    }
    print("| what | varve s | peer s | its speed over the peer's |\n|---|---|---|---|")
    for name, (mine, other, peer) in cases.items():
        pairs = [(mine(), other()) for _ in range(o.runs)]
        a, b = (statistics.median(p[i] for p in pairs) for i in range(2))
        print(f"| {name} | {a:.3f} | {peer} {b:.3f} | {b / a:.2f} |", flush=True)


main()
