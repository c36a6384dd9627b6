#!/usr/bin/python3
"""Runs workloads on Varve and on dask in turn, and prints a table of what each took.

    run.py --program build/release/tests/workloads --dir DATA [--only NAME,...] [--scale F] [--ranks 2] [--runs 1]
           [--peers varve,threads,distributed] [--limit 120] [--ceiling 12] [-o FILE.json]

Inputs that are missing are made first; --drop removes them after each workload. Every run is a process (or mpirun) of its own, so that peaks are its own. A peer
that takes longer than --limit seconds, or whose processes together come to more than --ceiling GB, is stopped, and the table says so.
"""
import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import inputs  # noqa: E402

ENV = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
PEERS = {"threads": "dask, threads", "distributed": "dask, distributed"}


# --- running ---


def session_bytes(leader):
    """Resident bytes of all processes of a session."""
    total = 0
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            stat = Path("/proc", entry, "stat").read_text()
            rest = stat[stat.rindex(")") + 2:].split()
            if int(rest[3]) == leader:
                total += int(rest[21]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            pass
    return total


def watch(child, limit, ceiling):
    """Waits for the end; why it had to be stopped, or None."""
    start, seen = time.monotonic(), 0
    while child.poll() is None:
        seen = max(seen, session_bytes(child.pid))
        late, large = time.monotonic() - start > limit, seen > ceiling
        if late or large:
            end_session(child)
            return f"stopped after {limit:g} s" if late else f"stopped at {seen / 1e9:.1f} GB"
        time.sleep(0.05)
    return None


def end_session(child):
    """mpirun and dask's nanny give their children process groups of their own: all of the session is ended."""
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            stat = Path("/proc", entry, "stat").read_text()
            if int(stat[stat.rindex(")") + 2:].split()[3]) == child.pid:
                os.kill(int(entry), signal.SIGKILL)
        except (OSError, ProcessLookupError):
            pass
    child.wait()


def warm(paths):
    """Into the page cache: files that nobody read for a minute may have left it."""
    for path in paths:
        with open(path, "rb", buffering=0) as f:
            while f.read(1 << 24):
                pass


def last_words(text):
    """How a peer failed, in a few words: the last line of a Python traceback."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    named = [line for line in lines if any(word in line for word in ("Error", "Killed", "killed", "Exceeded"))]
    return (named or lines or ["no message"])[-1].replace("distributed.scheduler.", "")[:70]


def run(argv, limit, ceiling):
    """The last line of JSON that a program prints, with the seconds seen from outside; {"error": ...} when it failed."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        start = time.perf_counter()
        child = subprocess.Popen(list(map(str, argv)), env=ENV, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True)
        stopped = watch(child, limit, ceiling)
        wall = time.perf_counter() - start
        out.seek(0)
        err.seek(0)
        lines = [line for line in out.read().splitlines() if line.startswith("{")]
        if stopped:
            return {"error": stopped, "wall": wall}
        if lines and (child.returncode == 0 or "error" in json.loads(lines[-1])):
            return {**json.loads(lines[-1]), "wall": wall}
        return {"error": last_words(err.read()), "wall": wall}


def settle(w):
    """The same start for every run: inputs in the page cache, and nothing that an earlier run has left to be written."""
    os.sync()
    warm(given["path"] for given in w["inputs"] if given["stored"])


class Bench:
    def __init__(self, options):
        self.options = options
        self.common = ["--dir", options.dir, "--scale", options.scale]

    def varve(self, name):
        o = self.options
        more = [word for key in ("memory", "threads", "scratch", "deflate") if getattr(o, key) for word in ("--" + key, getattr(o, key))]
        launch = ["mpirun", "--bind-to", "none", "-n", o.ranks] if o.ranks > 1 else []
        return run([*launch, o.program, *self.common, "--only", name, "-o", "json", *more], o.limit, o.ceiling * 1e9)

    def dask(self, name, mode):
        o = self.options
        argv = [sys.executable, HERE / "peers_dask.py", "--program", o.program, *self.common, "--only", name, "--mode", mode, "--workers", o.ranks]
        found = run([*argv, *(["--nowhere"] if o.nowhere else [])], o.limit, o.ceiling * 1e9)
        Path(o.dir, name + ".dask.nc").unlink(missing_ok=True)  # of one that was stopped
        return found

    def workload(self, w):
        """{peer: its runs}; a peer that failed once is not run again."""
        peers = self.options.peers.split(",")
        runs = {p: [] for p in peers}
        for _ in range(self.options.runs):
            for p in peers:
                if not runs[p] or "error" not in runs[p][-1]:
                    settle(w)
                    runs[p].append(self.varve(w["name"]) if p == "varve" else self.dask(w["name"], p))
        return runs


# --- the table ---


def median(runs, key):
    return statistics.median(r[key] for r in runs)


def ratio(predicted, measured):
    return f"{predicted / measured:.2f}" if measured and predicted >= 0 else "-"


def foretold(w, r):
    """Whether explain's bytes are those of the run; of compressed outputs it tells a bound."""
    p = r["predicted"]
    written = p["written"] == r["written"] or (w["deflate"] and p["written"] > r["written"])
    return p["read"] == r["read"] and p["moved"] == r["moved"] and written


def varve_cells(w, runs):
    r = runs[-1]
    if "error" in r:
        return [f"failed: {r['error']}"] + ["-"] * 11
    p = r["predicted"]
    seconds, cpu = median(runs, "seconds"), median(runs, "cpu_seconds")
    return [f"{seconds:.2f}", f"{cpu:.2f}", f"{median(runs, 'plan_seconds'):.3f}", f"{max(x['peak'] for x in runs) / 1e6:.0f}",
            f"{r['budget'] / 1e6:.0f}", f"{r['read'] / r['stored']:.2f}" if r["stored"] else "-", f"{r['moved'] / 1e6:.0f}",
            f"{r['written'] / 1e6:.0f}", "yes" if foretold(w, r) else "no", ratio(p["peak"], r["peak"]), ratio(p["seconds"], seconds), ratio(p["seconds"], cpu)]


def dask_cells(runs, varve):
    r = runs[-1]
    if "error" in r:
        return [r["error"], "-", "-"]
    seconds = median(runs, "seconds")
    ours = None if "error" in varve[-1] else median(varve, "seconds")
    return [f"{seconds:.1f}", f"{max(x['peak'] for x in runs) / 1e6:.0f}", f"{seconds / ours:.1f}" if ours else "-"]


def row(w, runs):
    cells = [w["name"], f"{w['bytes'] / 1e6:.0f}"]
    if "varve" in runs:
        cells += varve_cells(w, runs["varve"])
    for p in PEERS:
        if p in runs:
            cells += dask_cells(runs[p], runs.get("varve", [{"error": ""}]))
    return "| " + " | ".join(cells) + " |"


def head(peers):
    names = ["workload", "input MB"]
    if "varve" in peers:
        names += ["s", "CPU s of rank 0", "plan s", "peak MB", "budget MB", "read x", "moved MB", "written MB", "bytes exact"]
        names += ["peak foretold/measured", "seconds foretold/measured", "foretold/CPU"]
    for p, title in PEERS.items():
        if p in peers:
            names += [f"{title}: s", "peak MB", "x varve"]
    return "| " + " | ".join(names) + " |\n|" + "---|" * len(names)


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=os.environ.get("WORKLOADS"))
    parser.add_argument("--dir", default=os.environ.get("BENCH_DIR"))
    parser.add_argument("--only")
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--peers", default="varve,threads")
    parser.add_argument("--limit", type=float, default=120, help="seconds granted to one run")
    parser.add_argument("--ceiling", type=float, default=12, help="GB granted to one run")
    parser.add_argument("--memory", help="Varve's budget per rank instead of the workload's own")
    parser.add_argument("--threads", help="Varve's threads per rank")
    parser.add_argument("--deflate", help="of Varve's outputs, instead of the workload's own")
    parser.add_argument("--scratch", help="Varve's scratch directory")
    parser.add_argument("--nowhere", action="store_true", help="dask need not write its large results")
    parser.add_argument("--drop", action="store_true", help="removes the inputs of a workload when it is done")
    parser.add_argument("-o", "--output", help="all figures as JSON")
    options = parser.parse_args()
    if not options.program or not options.dir:
        parser.error("give --program and --dir, or set WORKLOADS and BENCH_DIR")
    return options


def main():
    options = read_options()
    os.makedirs(options.dir, exist_ok=True)
    bench, figures = Bench(options), []
    only = ["--only", options.only] if options.only else []
    listed = inputs.workloads(options.program, *bench.common, *only)
    print(head(options.peers.split(",")))
    for w in listed:
        inputs.make_all([w], say=lambda text: print(text, file=sys.stderr))
        runs = bench.workload(w)
        figures.append({**w, "runs": runs})
        print(row(w, runs), flush=True)
        if options.output:
            Path(options.output).write_text(json.dumps(figures, indent=1))
        for given in w["inputs"] if options.drop else []:
            Path(given["path"]).unlink(missing_ok=True)


if __name__ == "__main__":
    main()
