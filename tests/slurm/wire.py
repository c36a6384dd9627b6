#!/usr/bin/python3
"""What exchanges put on the wire, against what their plans foretell: three emulated nodes of two ranks, each with a cable that carries so much a second.

    VARVE=build/release/bin/varve VARVE_HELPERS=build/release/tests tests/slurm/wire.py [--rate 1gbit] [--repeats 4] [--cases rechunk,window]

The input is held in the ranks' memory before an exchange begins, and its result is held, so nothing but the exchange takes time (tests/sys/exchange.c). Bytes are the
difference of the network cards' own counters between runs of many exchanges and of one, so that what mpirun and MPI say to each other when a run begins and
ends is not in them; heads of Ethernet, IP and TCP are. The wire's time is that of the card that has most to send or to take in. Ranks are dealt out to the nodes
in turn (srun --distribution=cyclic); "naive" is with the launcher's order of ranks, "by node" with Varve's own.

The last column is rank 0's processor time on all ranks, shared by the cores here; looking for messages that have not come yet is in it.

Prints a table, and ends with status 1 when bytes on the wire are not within 1.1 of the plan's. Times depend on the machine: the two cores here also compute.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import cluster

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sys"))
import support  # noqa: E402

PER_NODE = 2
CORES = len(os.sched_getaffinity(0))
LARGE = ("t:96,y:1000,x:1000", "4,1000,1000")  # 384 MB
CASES = {
    "rechunk": (*LARGE, "rechunk(v, t=all, y=50, x=50)"),
    "rechunk-near": (*LARGE, "rechunk(v, t=6, y=1000, x=1000)"),
    "transpose": (*LARGE, "rechunk(transpose(v, x, y, t), x=100, y=100, t=all)"),
    "window": (*LARGE, "rolling(v, t=3).mean()"),
    "reduction": ("t:768,y:500,x:500", "32,500,500", "v.mean(t) + v.max(t) + v.std(t)"),
    "maps": ("t:24,y:2000,x:2000", "4,500,500", "v.mean(t) + v.max(t) + v.std(t)"),
    "anomaly": ("t:192,y:600,x:600", "4,600,600", "v - v.mean(t)"),
    "product": ("i:2400,k:2400", "300,300", "dot(v, rename(transpose(v, k, i), i=j), k)"),
}
ENVIRONMENT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_mpi_yield_when_idle": "1"}


def per_second(rate):
    units = {"gbit": 1e9 / 8, "mbit": 1e6 / 8}
    return float(rate[:-4]) * units[rate[-4:]]


def counters(c):
    """Bytes that each node has sent and taken in."""
    return [c.traffic(name) for name in c.nodes]


def run(c, case, repeats, naive):
    """What the program says, and bytes sent and taken in by node meanwhile."""
    before = counters(c)
    env = {**os.environ, **ENVIRONMENT, "VARVE_NODE_ORDER": "0" if naive else "1"}
    argv = ["srun", "--mpi=pmix", f"--nodes={c.n}", f"--ntasks-per-node={PER_NODE}", "--distribution=cyclic", support.helper("exchange"), *case, str(repeats)]
    # not the folder that Open MPI shares among jobs of a node: one that ends may remove it while the next is about to make something in it
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(argv, env={**env, "OMPI_MCA_orte_tmpdir_base": folder}, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        sys.exit(f"{' '.join(argv)}\n{done.stdout}{done.stderr}{c.said()}")
    told = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    return told, [(a[0] - b[0], a[1] - b[1]) for a, b in zip(counters(c), before)]


def measure(c, case, repeats, naive, rate="1gbit"):
    """What the plan foretells of one exchange, what was counted, bytes on the wire, and seconds."""
    _, once = run(c, case, 1, naive)
    told, often = run(c, case, 1 + repeats, naive)
    cards = [((a[0] - b[0]) / repeats, (a[1] - b[1]) / repeats) for a, b in zip(often, once)]
    wire = sum(sent for sent, _ in cards)
    return {**told, "wire": wire, "wire_seconds": max(max(card) for card in cards) / per_second(rate)}


def main():
    p = argparse.ArgumentParser(description="Bytes on the wire against what plans foretell.")
    p.add_argument("--rate", default="1gbit")
    p.add_argument("--repeats", type=int, default=4)
    p.add_argument("--cases", default=",".join(CASES))
    a = p.parse_args()
    if not os.environ.get(cluster.INSIDE) and cluster.missing():
        print(f"skipped: {cluster.missing()}")
        sys.exit(77)
    cluster.enter()
    for name in [n for n in os.environ if n.startswith("OMPI_MCA_") or n == "HWLOC_PLUGINS_PATH"]:
        del os.environ[name]  # the tests' transports know one computer only
    far = []
    with cluster.Cluster() as c:
        c.shape(a.rate)
        print(f"{c.n} nodes x {PER_NODE} ranks, {a.rate} each way\n{'':14}{'ranks':>9}{'foretold':>12}{'on the wire':>13}{'ratio':>7}{'seconds':>9}{'wire':>8}{'ratio':>7}{'cores':>8}")
        for name in a.cases.split(","):
            for naive in (True, False):
                m = measure(c, CASES[name], a.repeats, naive, a.rate)
                bytes_ratio = m["wire"] / m["foretold"]["across"]
                far += [name] if bytes_ratio > 1.1 or m["foretold"] != {k: m["counted"][k] for k in m["foretold"]} else []
                print(f"{name:14}{'naive' if naive else 'by node':>9}{m['foretold']['across'] / 1e6:>9.1f} MB{m['wire'] / 1e6:>10.1f} MB{bytes_ratio:>7.3f}"
                      f"{m['seconds']:>9.3f}{m['wire_seconds']:>8.3f}{m['seconds'] / m['wire_seconds']:>7.2f}{m['cpu'] * m['ranks'] / CORES:>8.3f}", flush=True)
    if far:
        sys.exit(f"more on the wire than foretold: {', '.join(far)}")


if __name__ == "__main__":
    main()
