#!/usr/bin/python3
"""explain tells the truth: what it predicts is what --stats measures.

Bytes read must agree exactly; bytes moved and written too; the predicted peak of a rank is never under the measured one and at most
half as much again.
"""
import json
import os

import h5py
import numpy as np

import support
from support import SQUEEZED, axis, make

KEYS = {"ranks", "threads", "budget", "plan_bytes", "read", "moved", "written", "peak_per_rank", "steps"}
STEP_KEYS = {"id", "op", "name", "dtype", "shape", "chunk", "chunks", "tasks"}


def stored(path, name):
    """Bytes that a variable occupies in its file."""
    with h5py.File(path, "r") as f:
        return f[name].id.get_storage_size()


class Explain(support.Case):
    def setUp(self):
        super().setUp()
        nt, ny, nx = 400, 90, 120
        x = np.random.default_rng(31).normal(280, 10, (nt, ny, nx)).astype("f4")
        dims = {"time": nt, "lat": ny, "lon": nx}
        base = {d: axis(n, d) for d, n in dims.items()}
        self.files = {}
        for name, options in [("contiguous", dict(contiguous=True)), ("chunks", dict(chunksizes=(24, 45, 60), **SQUEEZED)),
                              ("steps", dict(chunksizes=(1, ny, nx), **SQUEEZED))]:
            self.files[name] = make(self.path(name + ".nc"), dims, {**base, "t2m": (("time", "lat", "lon"), x, options)})

    def plan(self, *args, ranks):
        result = self.run_ok(*args, "--explain=json", ranks=ranks)
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
        self.assertFalse(os.path.exists(self.path("o.nc")), "explain does not run")
        self.no_parts(self.dir)

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
                    self.assertEqual(plan["moved"], stats["moved"])
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



if __name__ == "__main__":
    support.main()
