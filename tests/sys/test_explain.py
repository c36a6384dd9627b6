#!/usr/bin/python3
# timeout: 300
"""explain tells the truth: what it predicts is what --stats measures.

Bytes read must agree exactly; bytes moved and written too; the predicted peak of a rank is never under the measured one and at most
half as much again.
"""
import csv
import json
import os
import re
import xml.etree.ElementTree

import h5py
import numpy as np

import support
from support import SQUEEZED, axis, make

KEYS = {"ranks", "threads", "budget", "plan_bytes", "read", "moved", "across", "messages", "written", "peak_per_rank", "steps", "memory", "model", "store", "counted"}
STEP_KEYS = {"id", "op", "name", "dtype", "shape", "chunk", "chunks", "tasks", "inputs", "seconds"}


def stored(path, name):
    """Bytes that a variable occupies in its file."""
    with h5py.File(path, "r") as f:
        return f[name].id.get_storage_size()


class Explain(support.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.shared_folder()
        nt, ny, nx = 400, 90, 120
        x = np.random.default_rng(31).normal(280, 10, (nt, ny, nx)).astype("f4")
        dims = {"time": nt, "lat": ny, "lon": nx}
        base = {d: axis(n, d) for d, n in dims.items()}
        cls.files = {}
        for name, options in [("contiguous", dict(contiguous=True)), ("chunks", dict(chunksizes=(24, 45, 60), **SQUEEZED)),
                              ("steps", dict(chunksizes=(1, ny, nx), **SQUEEZED))]:
            cls.files[name] = make(os.path.join(folder, name + ".nc"), dims, {**base, "t2m": (("time", "lat", "lon"), x, options)})

    def plan(self, *args, ranks, **how):
        result = self.run_ok(*args, "--explain=json", ranks=ranks, **how)
        return json.loads(result.out)

    def test_json_has_its_keys(self):
        plan = self.plan("mean", "-d", "time", self.files["chunks"], "-o", self.path("o.nc"), ranks=2)
        self.assertEqual(KEYS - set(plan), set())
        self.assertEqual(plan["ranks"], 2)
        self.assertGreaterEqual(len(plan["steps"]), 2)
        for step in plan["steps"]:
            self.assertEqual(STEP_KEYS - set(step), set(), step)
        source = [s for s in plan["steps"] if s["shape"] == [400, 90, 120]]
        self.assertTrue(source)
        self.assertEqual(source[0]["read"], stored(self.files["chunks"], "t2m"))
        self.assertEqual((source[0]["wanted"], source[0]["amplification"]), (source[0]["read"], 1))
        reduce = [s for s in plan["steps"] if s["op"] == "reduce"][0]
        self.assertEqual(reduce["uses"], [{"access": "chunk", "map": "same chunk", "parts": 1}])
        self.assertEqual(reduce["reads"], source[0]["read"])
        self.assertTrue(plan["counted"])
        self.assertGreater(plan["model"]["slowest"]["all"], 0)
        self.assertFalse(os.path.exists(self.path("o.nc")), "explain does not run")
        self.no_parts(self.dir)

    def test_chunks_that_are_inflated_are_dealt_out(self):
        """Every rank gets some of every region, because regions inflate at different speeds, as long as what travels is little."""
        for n, squeezed, expected in [(3000, SQUEEZED, "leaves"), (200, SQUEEZED, "outputs"), (3000, {}, "outputs")]:
            with self.subTest(n=n, squeezed=bool(squeezed)):
                dims = {"time": n, "lat": 20, "lon": 20}
                x = np.random.default_rng(5).normal(280, 10, tuple(dims.values())).astype("f4")
                path = make(self.path("regions.nc"), dims, {"x": (tuple(dims), x, dict(chunksizes=(100, 10, 10), **squeezed))})
                result = self.run_ok("explain", "--ranks", 2, "mean", "-d", "time", path)
                self.assertRegex(result.out, f"placed by {expected}")

    def test_prediction_is_what_happens(self):
        for name in self.files:
            for ranks, threads, dims, more in [(0, 1, "time", []), (2, 1, "time", []), (3, 1, "lat,lon", []), (0, 2, "time,lat,lon", []),
                                               (2, 2, "lat,lon", ["--placement", "cyclic"]), (2, 1, "time", ["--deflate", "4"])]:
                with self.subTest(layout=name, ranks=ranks, threads=threads, dims=dims, more=more):
                    out = self.path("o.nc")
                    args = ["mean", "-d", dims, self.files[name], "-o", out, "--threads", threads, *more]
                    plan = self.plan(*args, ranks=ranks)
                    stats = self.run_ok(*args, "-O", "--stats", ranks=ranks).stats
                    self.assertEqual(plan["read"], stats["read"])
                    self.assertEqual(plan["read"], stored(self.files[name], "t2m"), "each stored byte is read once")
                    self.assertEqual((plan["moved"], plan["messages"], plan["across"]), (stats["moved"], stats["messages"], stats["across"]))
                    self.assertAlmostEqual(plan["plan_bytes"], stats["plan_bytes"], delta=4)  # it holds a process id
                    if "--deflate" in more:  # how well it compresses is not known before
                        self.assertGreaterEqual(plan["written"], stats["written"])
                    else:
                        self.assertEqual(plan["written"], stats["written"])
                    self.assertLessEqual(stats["peak"], plan["peak_per_rank"], "measured peak over the predicted one")
                    self.assertLessEqual(plan["peak_per_rank"], 1.5 * stats["peak"], "predicted peak far over the measured one")
                    self.assertLessEqual(plan["peak_per_rank"], plan["budget"])
                    self.assertEqual(sum(s["tasks"] for s in plan["steps"]), stats["tasks"])
                    os.remove(out)

    def test_large_compressed_output(self):
        wide, out = self.path("wide.nc"), self.path("o.nc")
        x = np.round(np.random.default_rng(32).normal(280, 10, (4, 1100, 1000)).astype("f4"))
        make(wide, {"time": 4, "y": 1100, "x": 1000}, {"t2m": (("time", "y", "x"), x, dict(chunksizes=(4, 300, 400), **SQUEEZED))})
        args = ["mean", "-d", "time", wide, "-o", out, "-O", "--deflate", "1"]
        plan, stats = self.plan(*args, ranks=2), self.run_ok(*args, "--stats", ranks=2).stats
        self.assertEqual(stats["written"], stored(out, "t2m"))
        self.assertGreaterEqual(plan["written"], stats["written"])
        self.assertLessEqual(stats["peak"], plan["peak_per_rank"])

    def test_peak_is_the_systems_own(self):
        """--stats' peak against what the operating system says of the process."""
        out = self.path("o.nc")
        argv = ["/usr/bin/time", "-f", "MAXRSS %M"] + support.command(
            support.binary(), ["mean", "-d", "time", self.files["chunks"], "-o", out, "--stats"], 0)
        if not os.access(argv[0], os.X_OK):
            self.skipTest("no /usr/bin/time")
        result = self.done(support.run(argv))
        system = int(result.err.split("MAXRSS ")[1].split()[0]) * 1024
        self.assertAlmostEqual(result.stats["peak"] / system, 1.0, delta=0.05)

    def test_small_budget_is_kept(self):
        for name in self.files:
            out = self.path("small.nc")
            args = ["std", "-d", "time", self.files[name], "-o", out, "-O"]
            refused = support.varve(*args, "--memory", "1MB", ranks=2)
            budget = support.suggested_budget(refused.messages[0])
            foretold = self.run_ok(*args, "--memory", "1MB", "--explain", ranks=2)
            self.assertIn("this would be refused", foretold.out)
            self.assertAlmostEqual(float(support.suggested_budget(foretold.out).rstrip("MB")), float(budget.rstrip("MB")), delta=6)
            plan = self.plan(*args, "--memory", budget, ranks=2)
            stats = self.run_ok(*args, "--memory", budget, "--stats", ranks=2).stats
            self.assertLessEqual(plan["peak_per_rank"], plan["budget"])
            self.assertLessEqual(stats["peak"], plan["budget"])
            self.assertEqual(stats["read"], plan["read"])

    def test_text(self):
        result = self.run_ok("mean", "-d", "time", self.files["chunks"], "-o", self.path("o.nc"), "--explain", ranks=2)
        for pattern in ("t2m", r"\bmean\b", "(?i)read", "(?i)write|written", "(?i)move", "(?i)memory|peak", "2 ranks", r"\d tasks"):
            self.assertRegex(result.out, pattern)
        self.assertFalse(os.path.exists(self.path("o.nc")))

    def test_same_on_every_call(self):
        """A plan is a function of the question: but for the memory that the process happens to hold, nothing of the moment is in it."""
        args = ["mean", "-d", "time", self.files["steps"], "-o", self.path("o.nc"), "--memory", "1GB", "--threads", "1"]
        first, second = self.plan(*args, ranks=2), self.plan(*args, ranks=2)
        for plan in (first, second):
            for key in ("baseline", "peak_per_rank", "plan_hash", "plan_bytes"):
                plan.pop(key, None)
        self.assertEqual(first, second)

    def test_ranks_that_are_not_here(self):
        """What --ranks models is what so many ranks then do."""
        for name in self.files:
            for dims, ranks in [("time", 2), ("lat,lon", 3), ("time,lat,lon", 4)]:
                with self.subTest(layout=name, dims=dims, ranks=ranks):
                    args = ["mean", "-d", dims, self.files[name], "-o", self.path("o.nc"), "--threads", 1, "--memory", "1GB"]
                    there = self.plan(*args, "--ranks", ranks, ranks=0)
                    here = self.plan(*args, ranks=ranks)
                    stats = self.run_ok(*args, "-O", "--stats", ranks=ranks).stats
                    self.assertEqual(there["ranks"], ranks)
                    for key in ("read", "moved", "written"):
                        self.assertEqual((there[key], there[key]), (here[key], stats[key]), key)
                    self.assertEqual(there["model"]["sent_most"], here["model"]["sent_most"])
                    self.assertEqual(there["model"]["messages_most"], here["model"]["messages_most"])
                    os.remove(self.path("o.nc"))

    def test_a_large_machine(self):
        """The data need not be there, and a slower network or disk takes as much longer as its rate says."""
        args = ["mean", "-d", "y,x", "virtual:t?shape=time:100000,y:500,x:500&chunk=10,500,500", "-o", self.path("o.nc"), "--ranks", 4096]
        fast = self.plan(*args, "--net", "25GB/s,2us", "--disk", "2GB/s", ranks=0)["model"]["slowest"]
        slow = self.plan(*args, "--net", "2.5GB/s,20us", "--disk", "200MB/s", ranks=0)["model"]["slowest"]
        self.assertAlmostEqual(slow["read"] / fast["read"], 10, delta=0.01)
        if fast["send"] > 0:
            self.assertAlmostEqual(slow["send"] / fast["send"], 10, delta=0.01)
        self.assertEqual(slow["compute"], fast["compute"])
        bytes_of_a_rank = 100000 * 500 * 500 * 4 / 4096
        self.assertGreaterEqual(fast["read"], 0.9 * bytes_of_a_rank / 2e9)
        self.assertLessEqual(fast["read"], 1.5 * bytes_of_a_rank / 2e9)
        refused = support.varve(*args[:-2], "--ranks", 4096, ranks=0)
        self.assertEqual(refused.code, 2)
        self.assertIn("add --explain", refused.messages[0])

    def test_cores_that_ranks_share(self):
        """Four ranks of two nodes with a core each take twice as long to compute as with two."""
        args = ["mean", "-d", "y,x", "virtual:t?shape=time:1000,y:50,x:50&chunk=10,50,50", "-o", self.path("o.nc"), "--threads", 1, "--ranks", 4, "--nodes", 2]
        crowded, enough, plain = (self.plan(*args, *more, ranks=0)["model"]["slowest"]["compute"] for more in (["--cores", 1], ["--cores", 2], []))
        self.assertAlmostEqual(crowded / (2 * enough), 1, places=5)
        self.assertEqual(enough, plain)

    def test_picture(self):
        out = self.path("o.nc")
        result = self.run_ok("reduce", "-m", "mean,max", "-d", "time", self.files["chunks"], "-o", out, "--explain=svg", ranks=2)
        picture = xml.etree.ElementTree.fromstring(result.out)
        self.assertTrue(picture.tag.endswith("svg"))
        words = " ".join(picture.itertext())
        for word in ("2 ranks", "read t2m", "reduce", "write"):
            self.assertIn(word, words)
        self.assertFalse(os.path.exists(out))

    def test_report_beside_stats(self):
        """--stats puts predicted beside measured for each step; bytes are the same on both sides."""
        args = ["mean", "-d", "time", self.files["steps"], "-o", self.path("o.nc"), "--threads", 1]
        plan, result = self.plan(*args, ranks=2), self.run_ok(*args, "--stats", ranks=2)
        lines = result.err.splitlines()
        start = [i for i, line in enumerate(lines) if line.startswith("predicted / measured")]
        self.assertEqual(len(start), 1, result)
        for step in plan["steps"]:
            rows = [l for l in lines[start[0]:] if l.startswith(f"{step['id']:3d} {step['op']} ")]
            self.assertEqual(len(rows), 0 if step["op"] == "read" else 1, f"{step}\n{result}")
        total = [l for l in lines if l.startswith("all: ")][0]
        for word in ("read", "moved", "written"):
            predicted, measured = total.split(f"{word} ")[1].split(",")[0].split(" / ")
            self.assertEqual(predicted, measured, total)

    def test_graph(self):
        """graph is explain's picture; Graphviz gets its own."""
        args = ("mean", "-d", "time", self.files["chunks"], "-o", self.path("o.nc"))
        svg, same = self.run_ok("graph", *args).out, self.run_ok(*args, "--explain=svg").out
        memory = r"[\d.]+ MB of memory"  # that of the process before it starts may differ by some pages
        self.assertEqual(re.sub(memory, "", svg), re.sub(memory, "", same))
        self.assertIn("svg", xml.etree.ElementTree.fromstring(svg).tag)
        dot = self.run_ok("graph", "--explain=dot", *args).out
        self.assertRegex(dot, r"(?s)^digraph .*reduce.*}\s*$")
        self.assertFalse(os.path.exists(self.path("o.nc")))
        self.refused(support.varve("graph", "info", self.files["chunks"]), 2, "'info' has no plan")
        self.refused(support.varve("graph"), 2, "graph needs a command")

    def test_trace_and_report(self):
        """What ranks did when: every task is in it once, at a time of its own on its thread."""
        args = ("anom", self.files["chunks"])
        for ranks, threads in [(0, 2), (3, 1)]:
            with self.subTest(ranks=ranks):
                trace, report, out = self.path("trace.json"), self.path("report.html"), self.path("o.nc")
                result = self.run_ok(*args, "-o", out, "-O", "--trace", trace, "--report", report, "--threads", threads, "--stats", ranks=ranks)
                with open(trace) as f:
                    events = [e for e in json.load(f)["traceEvents"] if e["ph"] == "X"]
                done = [e for e in events if "args" in e]
                self.assertEqual(sum(e["args"]["tasks"] for e in done), result.stats["tasks"])
                self.assertEqual(sum(e["args"]["read"] for e in done), result.stats["read"])
                self.assertEqual({e["pid"] for e in events}, set(range(max(1, ranks))))
                names = {e["name"] for e in events}
                self.assertTrue(any(" reduce t2m" in name for name in names), names)
                self.assertIn("write and sync", names)
                lanes = {}
                for e in events:
                    lanes.setdefault((e["pid"], e["tid"]), []).append((e["ts"], e["ts"] + e["dur"]))
                for spans in lanes.values():
                    self.assertTrue(all(a[1] <= b[0] + 0.01 for a, b in zip(spans, spans[1:])), "a thread does one thing after the other")
                self.assertGreaterEqual(min(e["ts"] for e in events), 0)
                with open(report) as f:
                    page = f.read()
                for words in ("varve anom", "Predicted beside measured", "<svg", "reduce t2m", "rank 0, thread 0", "</html>"):
                    self.assertIn(words, page)
        self.no_parts(self.dir)
        self.refused(support.varve(*args, "-o", self.path("p.nc"), "--trace", trace), 5, "trace.json exists; use -O")
        self.refused(support.varve(*args, "-o", self.path("p.nc"), "--report", self.path("no/r.html")), 5, "cannot write .*no/r.html")
        self.refused(support.varve("info", self.files["chunks"], "--trace", self.path("t.json")), 2, "info has none")
        self.refused(support.varve(*args, "-o", self.path("p.nc"), "--explain", "--trace", self.path("t.json")), 2, "nothing runs")
        broken = support.varve(*args, "-o", self.path("p.nc"), "--trace", self.path("t.json"), env={"VV_FAULT": "inflate:3"})
        self.refused(broken, 1, "planted fault")
        self.assertFalse(os.path.exists(self.path("t.json")), "a run that failed")

    def test_long_trace(self):
        """A rank has room for some ten thousand events; of more tasks neighbours are told of together, and none is lost."""
        trace = self.path("long.json")
        path = "virtual:x?shape=i:70000,j:2&chunk=1,2"
        self.run_ok("sum", "-d", "j", path, "-o", self.path("long.nc"), "--trace", trace, "--threads", 1)
        with open(trace) as f:
            done = [e["args"]["tasks"] for e in json.load(f)["traceEvents"] if "args" in e and "tasks" in e["args"]]
        self.assertGreaterEqual(sum(done), 70000)
        self.assertLess(len(done), 33000)

    def test_windows_of_groups_take_their_time(self):
        """A day is in as many windows as these are long; besides there is what does not depend on that."""
        def seconds(*more):
            plan = self.plan("quantile", "-g", "dayofyear", "-q", "0.9", *more, self.files["chunks"], "-o", self.path("q.nc"), ranks=0)
            return max(s["seconds"]["compute"] for s in plan["steps"] if s["op"] == "map" and 400 not in s["shape"])
        self.assertGreater(seconds("-w", 45), 3 * seconds("-w", 5))

    def test_policies(self):
        """Either policy gives the same bytes; another name is refused with the list."""
        out = []
        for policy in ("critical-path", "memory"):
            path = self.path(policy + ".nc")
            self.run_ok("std", "-d", "lat,lon", self.files["chunks"], "-o", path, "--policy", policy, "--scratch", self.dir, ranks=2)
            with h5py.File(path, "r") as f:
                out.append(f["t2m"][...].tobytes())
        self.assertEqual(out[0], out[1])
        refused = support.varve("std", self.files["chunks"], "--policy", "luck", ranks=2)
        self.assertEqual(refused.code, 2)
        self.assertRegex(refused.messages[0], "no policy 'luck'.*critical-path, memory")

    def test_measured_machine(self):
        """What bench stores is what explain then reckons with; ranks add the rates that one alone cannot measure."""
        rates = self.path("machine.json")
        alone = self.run_ok("bench", "machine", "-o", rates, "--scratch", self.dir)
        both = self.run_ok("bench", "machine", "-O", "-o", rates, "--scratch", self.dir, ranks=2)
        for result, missing in [(alone, {"network", "messages", "file", "plans"}), (both, {"tasks", "write"})]:
            table = [l for l in result.out.splitlines() if l.startswith("  ")]
            not_here = {l.split()[0] for l in table if l.endswith("(not measured here)")}
            self.assertLessEqual(missing, not_here)
            self.assertLessEqual(not_here, {"network", "messages", "file", "plans", "tasks", "write"}, result)
        with open(rates) as f:
            measured = json.load(f)
        self.assertTrue(all(rate > 0 for rate in measured.values()), measured)
        measured["inflate"] /= 1000
        with open(rates, "w") as f:
            json.dump(measured, f)
        model = self.plan("mean", "-d", "time", self.files["chunks"], "-o", self.path("o.nc"), "--threads", 1, ranks=0,
                          env={"VARVE_MACHINE": rates})["model"]
        self.assertEqual(model["rates"], "measured")
        self.assertAlmostEqual(model["slowest"]["compute"] / (400 * 90 * 120 * 4 / measured["inflate"]), 1, delta=0.1)

    def test_peers_beside(self):
        """A cdo of which only the mean works, and is not quite the same; nobody else is there."""
        folder = self.path("bin")
        os.mkdir(folder)
        cdo = os.path.join(folder, "cdo")
        with open(cdo, "w") as f:  # -s -O -P N OPERATOR IN OUT
            f.write(f"""#!/bin/sh
[ "$5" = timmean ] || {{ echo "no operator $5" >&2; exit 1; }}
exec '{support.binary()}' eval -q 'x = x.mean(time) * 1.5' "$6" -o "$7"
""")
        os.chmod(cdo, 0o755)
        table = self.path("compare.csv")
        result = self.run_ok("bench", "compare", "mean,std,rechunk", "--size", "200KB", "--runs", 2, "--threads", 1, "-o", table, env={"PATH": folder})
        for peer, why in (("nco", "ncwa is not on the path"), ("nccopy", "nccopy is not on the path"), ("xarray", "python3 has no dask, netCDF4, xarray"), ("h5py", "python3 has no h5py, numpy")):
            self.assertIn(f"{peer} is not installed: {why}", result.out)
        self.assertIn("std, cdo failed:\n    no operator timstd", result.err)
        with open(table) as f:
            rows = {(r["benchmark"], r["peer"]): r for r in csv.DictReader(f)}
        self.assertEqual({k: r["outcome"] for k, r in rows.items()},
                         {("mean", "varve"): "done", ("mean", "cdo"): "done", ("mean", "nco"): "not installed", ("mean", "xarray"): "not installed", ("mean", "h5py"): "not installed",
                          ("std", "varve"): "done", ("std", "cdo"): "failed", ("std", "xarray"): "not installed", ("rechunk", "varve"): "done", ("rechunk", "nccopy"): "not installed",
                          ("rechunk", "xarray"): "not installed", ("rechunk", "h5py"): "not installed"})
        ours, theirs = rows["mean", "varve"], rows["mean", "cdo"]
        self.assertAlmostEqual(float(theirs["difference"]), 0.5, 5)
        self.assertAlmostEqual(float(theirs["times_varve"]) * float(ours["seconds"]) / float(theirs["seconds"]), 1, 5)
        self.assertGreater(float(ours["processor"]), 0)
        self.assertEqual((ours["runs"], ours["threads"]), ("2", "1"))
        self.assertEqual([e for e in os.listdir(self.dir) if "varve-bench" in e], [])
        self.refused(support.varve("bench", "compare", ranks=2), 2, "without mpirun")


if __name__ == "__main__":
    support.main()
