#!/usr/bin/python3
# timeout: 600
# cores: 2
"""The benchmark workloads at a tiny scale: right results, the same bits however they are run, and the bytes that explain foretold.

The program evaluates results itself, element by element from the formulas of its inputs; here they are also compared with what xarray and dask make
of the same inputs, where these are installed.
"""
import json
import os
import shutil
import sys
import unittest
import warnings

import numpy as np

import support
from support import raw_bytes, values

sys.path.insert(0, str(support.ROOT / "tests/bench/workloads"))
import inputs  # noqa: E402

SCALE = 0.0002
# dask's graphs of these take longer than everything else here
NOT_IN_DASK = ("overlap_4d", "many_chunks")


class Workloads(unittest.TestCase):
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.program = support.helper("workloads")
        if not cls.program:
            raise unittest.SkipTest("the program `workloads` is not built")
        case = support.Case()
        case.setUp()
        cls.addClassCleanup(shutil.rmtree, case.dir, ignore_errors=True)
        cls.dir = case.dir
        cls.listed = inputs.workloads(cls.program, "--dir", cls.dir, "--scale", SCALE)
        inputs.make_all(cls.listed, say=lambda text: None)
        cls.first = cls.run_all(0)

    @classmethod
    def run_all(cls, ranks, *options):
        """{name: (figures, {variable: (dtype, shape, bytes)})} of all workloads in one run."""
        argv = support.command(cls.program, ["--dir", cls.dir, "--scale", SCALE, "-o", "json", "--keep", *options], ranks)
        result = support.run(argv, timeout=100)
        lines = [json.loads(line) for line in result.out.splitlines() if line.startswith("{")]
        outputs = {}
        for figures in lines:
            path = os.path.join(cls.dir, figures["name"] + ".out.nc")
            outputs[figures["name"]] = figures, raw_bytes(path) if os.path.exists(path) else None
        if result.hung or result.code or len(outputs) != len(cls.listed):
            raise AssertionError(str(result))
        return outputs

    def same(self, *run):
        for name, (figures, bits) in self.run_all(*run).items():
            with self.subTest(name):
                self.foretold(figures)
                self.assertEqual(bits.keys(), self.first[name][1].keys())
                for variable in bits:
                    self.assertTrue(bits[variable] == self.first[name][1][variable], f"{variable} has other bits")

    def foretold(self, figures):
        predicted = figures["predicted"]
        self.assertEqual(predicted["read"], figures["read"])
        self.assertEqual(predicted["moved"], figures["moved"])
        if next(w for w in self.listed if w["name"] == figures["name"])["deflate"]:
            self.assertGreaterEqual(predicted["written"], figures["written"])  # how well it compresses is not known before
        else:
            self.assertEqual(predicted["written"], figures["written"])
        self.assertLessEqual(figures["peak"], figures["budget"])

    def test_one_process(self):
        for name, (figures, bits) in self.first.items():
            with self.subTest(name):
                self.assertGreater(figures["compared"], 0)
                self.assertEqual(figures["moved"], 0)
                self.foretold(figures)

    def test_two_ranks(self):
        self.same(2)

    def test_three_ranks(self):
        self.same(3, "--placement", "cyclic", "--policy", "memory")

    def test_threads(self):
        self.same(0, "--threads", 3)

    def test_a_workload_that_does_not_exist(self):
        result = support.run([self.program, "--only", "anomaly_meen"])
        self.assertEqual(result.code, 2, result)
        self.assertIn("anomaly_mean", result.err)

    def test_dask_agrees(self):
        try:
            import peers_dask
        except ImportError as missing:
            self.skipTest(str(missing))
        for w in self.listed:
            if w["name"] in NOT_IN_DASK:
                continue
            with self.subTest(w["name"]), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ours, theirs = (os.path.join(self.dir, w["name"] + end) for end in (".out.nc", ".dask.nc"))
                peers_dask.run(w, theirs)
                variables = raw_bytes(theirs).keys()
                self.assertTrue(variables and variables <= self.first[w["name"]][1].keys(), variables)
                for variable in variables:
                    np.testing.assert_allclose(values(ours, variable), values(theirs, variable), rtol=2e-6, atol=5e-7, err_msg=variable)


if __name__ == "__main__":
    support.main()
