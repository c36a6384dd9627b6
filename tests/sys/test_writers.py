#!/usr/bin/python3
# timeout: 300
"""Two ways to write, one file: with --writer hdf5 all ranks write in parallel HDF5's collective calls, and whoever reads the file sees no difference.

Every way of storing is written directly by one process, and collectively by 1 to 4: headers are the same, and so are values. Longer results wait
partly in the scratch file, within the budget; failures end all ranks. A small variable goes the way of what the coordinator writes alone.
"""
import os
import subprocess

import numpy as np

import support
from support import make

NT, LONG, NY, NX = 53, 210, 90, 241


def fields(path, nt):
    rng = np.random.default_rng(3)
    t = rng.normal(280, 10, (nt, 1, NY, NX)).astype("f4")
    t[3, :, 4, 5] = t[:, :, 7, 9] = 1e20
    return make(path, {"time": (nt,), "lev": 1, "lat": NY, "lon": NX, "station": 7}, {
        "time": support.axis(nt, "time"), "lat": support.axis(NY, "lat"), "lon": support.axis(NX, "lon"),
        "t": (("time", "lev", "lat", "lon"), t, {"fill_value": np.float32(1e20), "attrs": {"units": "K"}}),
        "n": (("time", "lev", "lat", "lon"), rng.integers(-100, 30000, t.shape).astype("i2"), {"attrs": {"units": "1"}}),
        "few": (("lev", "station"), rng.normal(0, 1, (1, 7)).astype("f4"))})


def tool(*argv):
    return subprocess.run(list(map(str, argv)), capture_output=True, text=True, env=support.environment(), timeout=60)


def header(path):
    """Everything that ncdump tells of a file but its values, its name and its history."""
    lines = tool("ncdump", "-hs", path).stdout.splitlines()[1:]
    return [l for l in lines if ":history" not in l and "_NCProperties" not in l]


# name: options, ranks
WAYS = {"contiguous": (["--unlimited", "none"], (2, 4)),
        "unlimited": ([], (1,)),
        "chunked": (["--unlimited", "none", "-c", "time=7,lat=32,lon=100"], (3,)),
        "deflate": (["-c", "time=7,lat=32,lon=100", "--deflate", "4"], (1, 2, 3, 4)),
        "zstd": (["--filter", "zstd:3"], (2,)),
        "packed": (["--dtype", "i16:packed", "--deflate", "1"], (3,)),
        "quantized": (["--quantize", "3", "--deflate", "2"], (4,)),
        "plain": (["--format", "hdf5", "--unlimited", "none"], (2,))}


class Writers(support.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared = cls.shared_folder()
        cls.input = fields(os.path.join(cls.shared, "in.nc"), NT)
        cls.long = fields(os.path.join(cls.shared, "long.nc"), LONG)

    def write(self, out, options, writer, ranks, long=False, **how):
        return support.varve("mean", "-d", "lev", self.long if long else self.input, "-O", "-o", out, *options, "--writer", writer, ranks=ranks, **how)

    def plain(self, path):
        """The same values without filters that others cannot undo."""
        out = path + ".plain"
        self.run_ok("select", "time=#0:", path, "-O", "-o", out, "--filter", "none", "--unlimited", "none")
        return out

    def test_equal_when_read(self):
        direct, collective = self.path("direct.nc"), self.path("collective.nc")
        for name, (options, counts) in WAYS.items():
            self.done(self.write(direct, options, "direct", 0))
            for ranks in counts:
                with self.subTest(name, ranks=ranks):
                    self.done(self.write(collective, options, "hdf5", ranks))
                    self.assertEqual(header(collective), header(direct))
                    a, b = (direct, collective) if name != "zstd" else (self.plain(direct), self.plain(collective))
                    np.testing.assert_array_equal(support.values(b, "few"), support.values(a, "few"))
                    for variable in ("t", "n", "time", "lat", "lon"):
                        done = tool("h5diff", a, b, "/" + variable)
                        self.assertEqual((done.returncode, done.stdout), (0, ""), variable)

    def test_says_so(self):
        told = self.run_ok("mean", "-d", "lev", self.input, "-o", self.path("out.nc"), "--writer", "hdf5", "--explain").out
        self.assertIn("by HDF5's collective calls", told)
        self.refused(self.write(self.path("out.nc"), [], "parallel", 0), 2, "direct", "hdf5")

    def test_memory(self):
        out = self.path("out.nc")
        result = self.done(self.write(out, ["--deflate", "1", "--memory", "100MB", "--stats"], "hdf5", 2, long=True))
        self.assertLess(result.stats["peak"], 100e6)

    def test_failures_end_all(self):
        folder = self.path("outputs")
        os.mkdir(folder)
        for fault in ("write:9", "unspill:1@1", "sync:1"):
            with self.subTest(fault):
                result = self.write(os.path.join(folder, "out.nc"), ["--unlimited", "none"], "hdf5", 2, long=True, env={"VV_FAULT": fault})
                self.refused(result, (1, 5), "planted fault", seconds=30)
                self.nothing_left(folder)


if __name__ == "__main__":
    support.main()
