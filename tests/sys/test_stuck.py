#!/usr/bin/python3
# builds: release
"""A plan that can never end is an error within seconds, on one rank and on several: a piece on its way to an inbox gets lost (VARVE_LOSE), so that a task waits for
elements that nobody has any more."""
import os
import time

import numpy as np

import support
from support import varve


class Stuck(support.Case):
    def setUp(self):
        super().setUp()
        x = np.random.default_rng(8).normal(280, 10, (12, 1100, 1000)).astype("f4")
        self.file = support.make(self.path("in.nc"), {"time": 12, "y": 1100, "x": 1000}, {"t": (("time", "y", "x"), x, dict(chunksizes=(5, 400, 300)))})

    def test_a_lost_piece_ends_the_run(self):
        for ranks, threads in ((1, 1), (1, 2), (3, 1)):
            out = self.path(f"out{ranks}{threads}.nc")
            start = time.monotonic()
            result = varve("rechunk", "-c", "time=12,y=100,x=100", self.file, "-o", out, "--threads", threads, ranks=ranks, timeout=60, env={"VARVE_LOSE": "2"})
            seconds = time.monotonic() - start
            with self.subTest(ranks=ranks, threads=threads):
                self.assertEqual(result.code, 1, result)
                self.assertEqual(len(result.messages), 1, result)
                for word in ("the plan is stuck", "have not run", "waits for", "elements"):
                    self.assertIn(word, result.messages[0])
                self.assertLess(seconds, 30)
                self.assertFalse(os.path.exists(out))
                self.assertEqual(os.listdir(self.dir), ["in.nc"])


if __name__ == "__main__":
    support.main()
