#!/usr/bin/python3
"""Builds futures.c against the static library of a build and runs it: what a task costs that the driver hands out, on some numbers of ranks; and beside it the same with dask, on threads and distributed
over as many processes, and with StarPU, on as many threads, if they are installed.

    tests/bench/tasks/futures.py BUILD [--ranks 1,2] [--only empty,tree,latency,dynamic,million,patterns] [--no-dask]

README.md says what the figures mean.
"""
import argparse
import math
import os
import random
import re
import statistics
import subprocess
import time
from pathlib import Path

import run as native

HERE = Path(__file__).resolve().parent
WHAT = ["empty", "tree", "latency", "dynamic", "million", "patterns"]


def compiled(build):
    program = build / "bench_futures"
    root = native.ROOT
    subprocess.run(["mpicc", *native.FLAGS, f"-I{root}/include", f"-I{build}/include", HERE / "futures.c", "-o", program,
                    *native.libraries(build), "-lpthread", "-lm"], check=True)
    return program


def nothing(*_):
    return None


def add(*parts):
    return sum(parts)


def brief(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
    return time.monotonic()


def sleeper(seconds):
    begin = time.monotonic()
    time.sleep(seconds)
    return time.monotonic() - begin


def told(name, tasks, seconds):
    print(f"{name}: {1e6 * seconds / tasks:.1f} us each of {tasks}", flush=True)


def threads():
    """dask's own scheduler, on threads of one process."""
    import dask
    for tasks in (20000,):
        begin = time.perf_counter()
        dask.compute(*[dask.delayed(nothing)(i) for i in range(tasks)], scheduler="threads")
        told("  dask, threads: empty", tasks, time.perf_counter() - begin)
    begin, level, count = time.perf_counter(), [dask.delayed(add)(i) for i in range(10000)], 10000
    while len(level) > 1:
        level = [dask.delayed(add)(*level[i:i + 10]) for i in range(0, len(level), 10)]
        count += len(level)
    level[0].compute(scheduler="threads")
    told("  dask, threads: tree", count, time.perf_counter() - begin)


def distributed(processes):
    from dask.distributed import Client, LocalCluster, as_completed
    with LocalCluster(n_workers=processes, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        client.gather(client.map(nothing, range(100), pure=False))
        begin = time.perf_counter()
        client.gather(client.map(nothing, range(10000), pure=False))
        told("  dask, distributed: empty", 10000, time.perf_counter() - begin)
        late = []
        going = as_completed([client.submit(brief, 100e-6, pure=False)])
        for future in going:
            here = time.monotonic()
            late.append(here - future.result())
            if len(late) < 300:
                going.add(client.submit(brief, 100e-6, pure=False))
        print(f"  dask, distributed: latency, median {1e6 * statistics.median(late):.0f} us")
        rng = random.Random(1)
        begin = time.perf_counter()
        took = client.gather(client.map(sleeper, [2e-3 * math.exp(rng.gauss(0, 1)) for _ in range(1000)], pure=False))
        ideal = max(sum(took) / processes, max(took))
        print(f"  dask, distributed: dynamic, 1000 tasks, {(time.perf_counter() - begin) / ideal:.3f} times the ideal")


def patterns(build, delayed, ranks):
    """Task Bench's patterns through the engine for graphs that are known before, by hand with MPI, and as delayed calls: one table, microseconds of wall time for each task."""
    tasks, width = 50000, 16
    lines = native.run(native.compiled(build), ranks, ["--tasks", str(tasks), "--width", str(width // ranks)], capture_output=True, text=True).stdout.splitlines()
    engine = {f[0]: [float(f[5]) / ranks, float(f[6]) / ranks] for f in map(str.split, lines[1:])}
    told = native.run(delayed, ranks, ["patterns", str(tasks)], capture_output=True, text=True).stdout
    calls = re.findall(r"delayed +(\S+) +(\d+) tasks: (\S+) us each to build, (\S+) us each to run", told)
    print(f"| pattern, {width} points wide | engine, known before | by hand, MPI | delayed, to put together | delayed, to run | of tasks |\n|---|---|---|---|---|---|")
    for name, ran, build_us, run_us in calls:
        print(f"| {name} | {engine[name][0]:.2f} | {engine[name][1]:.2f} | {build_us} | {run_us} | {ran} |", flush=True)


def starpu(build, workers):
    """StarPU's own scheduler, on threads of one process."""
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "starpu-1.3"], capture_output=True, text=True)
    if flags.returncode:
        print("  no StarPU (libstarpu-dev)")
        return
    program = build / "bench_peer_starpu"
    subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", HERE / "peer_starpu.c", "-o", program, *flags.stdout.split(), "-lm"], check=True)
    env = dict(os.environ, STARPU_NCPU=str(workers), STARPU_NCUDA="0", STARPU_NOPENCL="0", STARPU_SILENT="1", STARPU_WORKERS_NOBIND="1")
    subprocess.run([program], check=True, env=env)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path)
    parser.add_argument("--ranks", default="1,2")
    parser.add_argument("--only", default=",".join(WHAT))
    parser.add_argument("--no-dask", action="store_true", help="without peers")
    options = parser.parse_args()
    program = compiled(options.build.resolve())
    for ranks in map(int, options.ranks.split(",")):
        print(f"{ranks} ranks", flush=True)
        for what in options.only.split(","):
            if what == "patterns":
                patterns(options.build.resolve(), program, ranks)
            else:
                native.run(program, ranks, [what])
        if not options.no_dask:
            try:
                distributed(ranks)
            except ImportError as missing:
                print("  no dask.distributed:", missing)
            starpu(options.build.resolve(), ranks)
    if not options.no_dask:
        try:
            threads()
        except ImportError as missing:
            print("  no dask:", missing)


if __name__ == "__main__":
    main()
