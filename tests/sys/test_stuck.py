#!/usr/bin/python3
# builds: release
"""A plan that can never end is an error within seconds, on one rank and on several: a piece on its way to an inbox gets lost (VARVE_LOSE), so that a task waits for
elements that nobody has any more."""
import os
import time

import netCDF4
import numpy as np

import support
from support import varve


class Stuck(support.Case):
    def setUp(self):
        super().setUp()
        self.file = os.path.join(self.dir, "t.nc")
        with netCDF4.Dataset(self.file, "w") as f:
            for name, n in (("time", 40), ("lat", 30), ("lon", 20)):
                f.createDimension(name, n)
            v = f.createVariable("t", "f4", ("time", "lat", "lon"), chunksizes=(5, 10, 20), zlib=True)
            v[:] = np.random.default_rng(8).normal(280, 10, (40, 30, 20))

    def test_a_lost_piece_ends_the_run(self):
        for ranks, threads in ((1, 1), (1, 2), (3, 1)):
            out = os.path.join(self.dir, f"out{ranks}{threads}.nc")
            start = time.monotonic()
            result = varve("rechunk", "-c", "time=-1,lat=5,lon=5", self.file, "-o", out, "--threads", threads, ranks=ranks, timeout=60, env={"VARVE_LOSE": "2"})
            seconds = time.monotonic() - start
            with self.subTest(ranks=ranks, threads=threads):
                self.assertEqual(result.code, 1, result)
                self.assertEqual(len(result.messages), 1, result)
                for word in ("the plan is stuck", "have not run", "waits for", "elements"):
                    self.assertIn(word, result.messages[0])
                self.assertLess(seconds, 30)
                self.assertFalse(os.path.exists(out))
                self.assertEqual(os.listdir(self.dir), ["t.nc"])


if __name__ == "__main__":
    support.main()
