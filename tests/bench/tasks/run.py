#!/usr/bin/python3
"""Builds tasks.c against the static library of a build and runs it: what a task costs, by pattern and number of ranks, beside MPI by hand.

    tests/bench/tasks/run.py BUILD [--ranks 1,2] [--metg] [--flat] [anything that tasks itself takes]

--flat repeats the stencil with 1e4, 1e5 and 1e6 tasks. README.md says what the figures mean.
"""
import argparse
import os
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
FLAGS = ["-std=c17", "-D_GNU_SOURCE", "-O3", "-ffp-contract=off"]


def libraries(build):
    """What the static library needs, as the build's own programs are linked."""
    made = build / "CMakeFiles/varve.dir/link.txt"  # Ninja has no such file and tells when asked
    line = (made.read_text() if made.exists() else subprocess.run(["ninja", "-C", build, "-t", "commands", "bin/varve"], check=True,
                                                                  capture_output=True, text=True).stdout.splitlines()[-1]).split()
    return [word if os.path.isabs(word) or word.startswith("-") else str(build / word)
            for word in line[line.index("-o") + 2:] if word.endswith((".a", ".so")) or word.startswith("-l") or ".so." in word]


def compiled(build):
    program = build / "bench_tasks"
    subprocess.run(["mpicc", *FLAGS, f"-I{ROOT}/src", f"-I{ROOT}/include", f"-I{build}/include", HERE / "tasks.c", "-o", program,
                    *libraries(build), "-lpthread", "-lm"], check=True)
    return program


def run(program, ranks, more, **how):
    mpirun = os.environ.get("VARVE_MPIRUN", "mpirun")
    share = ["--oversubscribe"] if ranks > (os.cpu_count() or 1) else []
    return subprocess.run([mpirun, *share, "--bind-to", "none", "-n", str(ranks), program, *more], check=True, stdin=subprocess.DEVNULL, **how)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path)
    parser.add_argument("--ranks", default="1,2")
    parser.add_argument("--flat", action="store_true")
    options, more = parser.parse_known_args()
    program = compiled(options.build.resolve())
    for ranks in map(int, options.ranks.split(",")):
        run(program, ranks, more)
        for tasks in ("1e4", "1e5", "1e6") if options.flat else ():
            run(program, ranks, ["--patterns", "stencil_1d", "--tasks", tasks, "--no-mpi", *more])


if __name__ == "__main__":
    main()
