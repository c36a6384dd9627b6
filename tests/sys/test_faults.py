#!/usr/bin/python3
# timeout: 1200
# cores: 1
# builds: release
"""Planted faults: every place where the outside world can fail is made to fail, on every rank, early and late.

The list of sites is read from src/base/fault.h, so a new site is tested without anyone touching this file. After VV_FAULT=site:n@rank nothing may
hang; a run that was hit ends with an error, one message, no output under its final name and no temporary file; a run that never visited
the site ends well, with the right result. Every site must have been hit somewhere. `!kill` ends the process on the spot instead.
"""
import os
import re
import shutil

import numpy as np

import support
from support import ROOT, SQUEEZED, axis, make, raw_bytes, varve

VISITS = (1, 2, 7)
SPILLING = {"spill", "unspill"}  # these need a command whose inboxes go to the scratch file
EVERYWHERE = ("read", "inflate", "alloc", "start", "task", "finish")  # what every rank with work comes to
KILLED = ("read", "task", "send", "receive", "place", "write", "rename")


def sites():
    text = (ROOT / "src/base/fault.h").read_text()
    return re.findall(r'^\s*X\(\w+, "([\w-]+)", ', text, re.M)


class Faults(support.Case):
    def setUp(self):
        super().setUp()
        rng = np.random.default_rng(21)
        x, y = (rng.normal(280, 10, (5, 60, 50)).astype("f4") for _ in range(2))
        # a result over 4 MiB is compressed by the ranks that have it, smaller ones by the coordinator
        wide = np.round(rng.normal(280, 10, (5, 1100, 1000)))
        self.input = make(self.path("in.nc"), {"time": 5, "lat": 60, "lon": 50, "y": 1100, "x": 1000}, {
            "time": axis(5, "time"), "lat": axis(60, "lat"), "lon": axis(50, "lon"),
            "squeezed": (("time", "lat", "lon"), x, dict(chunksizes=(2, 20, 25), **SQUEEZED)),
            "plain": (("time", "lat", "lon"), y, dict(contiguous=True)),
            "wide": (("time", "y", "x"), wide.astype("f4"), dict(chunksizes=(3, 400, 300), zlib=True, shuffle=True, complevel=1))})
        self.right = {}
        for deflate in (False, True, "spilled"):
            out = self.path(f"right{deflate}.nc")
            self.run_ok(*self.command(out, deflate))
            self.right[deflate] = raw_bytes(out)

    def command(self, out, deflate):
        if deflate == "spilled":
            return ["rechunk", "-c", "time=5,y=100,x=100", "-v", "wide", self.input, "-o", out, "--threads", "1"]
        return ["std", "-d", "time", self.input, "-o", out, "--threads", "1", "--placement", "cyclic"] + (["--deflate", "1"] if deflate else [])

    def cases(self):
        """(site, visit, rank, ranks, deflate): all sites, visits and ranks of 1 and 3; compressed and plain output take turns, and the first
        visit on the first rank sees both."""
        for number, site in enumerate(sites()):
            for ranks, visit in [(r, v) for r in (0, 3) for v in VISITS]:
                for rank in range(max(1, ranks)):
                    if site in SPILLING:
                        yield site, visit, rank, ranks, "spilled"
                        continue
                    turn = (number + VISITS.index(visit) + rank) % 2 == 0
                    for deflate in (True, False) if visit == 1 and rank == 0 else (turn or site == "compress",):
                        yield site, visit, rank, ranks, deflate

    def one(self, number, site, visit, rank, ranks, deflate, kill=""):
        folder = self.path(f"run{number}{kill.strip('!')}")
        os.mkdir(folder)
        out = os.path.join(folder, "o.nc")
        fault = f"{site}:{visit}@{rank}{kill}"
        result = varve(*self.command(out, deflate), ranks=ranks, timeout=20, env={"VV_FAULT": fault, **self.spilling(deflate)})
        return fault, ranks, deflate, result, sorted(os.listdir(folder)), folder

    @staticmethod
    def spilling(deflate):
        return {"VARVE_STORE": "0"} if deflate == "spilled" else {}

    def is_right(self, folder, deflate):
        return os.listdir(folder) == ["o.nc"] and raw_bytes(os.path.join(folder, "o.nc")) == self.right[deflate]

    def test_every_site(self):
        self.assertGreater(len(sites()), 10)
        cases = list(enumerate(self.cases()))
        hit, quiet = set(), 0
        for fault, ranks, deflate, result, files, folder in support.side_by_side(lambda c: self.one(c[0], *c[1]), cases):
            with self.subTest(fault=fault, ranks=ranks, deflate=deflate):
                self.assertFalse(result.hung, f"HANG\n{result}")
                if result.code == 0:
                    self.assertTrue(self.is_right(folder, deflate), f"exit 0 and files {files}\n{result}")
                    quiet += 1
                    continue
                hit.add((fault.split(":")[0], ranks, int(fault.split("@")[1])))
                # complete or absent: what fails when the output has its name already (saying goodbye) may leave it there
                if files != ["o.nc"] or not self.is_right(folder, deflate):
                    self.assertEqual(files, [], f"left behind\n{result}")
                self.assertEqual(len(result.messages), 1, f"one message\n{result}")
                self.assertEqual(result.code, 1, result)
                self.assertIn(fault.split(":")[0], result.messages[0], result)
            shutil.rmtree(folder)
        self.report(hit, quiet, len(cases))
        self.assertEqual(set(sites()) - {h[0] for h in hit}, set(), "sites that ended no run at all")
        for site in EVERYWHERE:
            for ranks, rank in [(0, 0), (3, 0), (3, 1), (3, 2)]:
                self.assertIn((site, ranks, rank), hit, f"{site} ended no run of {max(1, ranks)} on rank {rank}")

    @staticmethod
    def report(hit, quiet, total):
        """What was really covered. A run that ends well either never came to the site or tried again with success: from outside these look alike."""
        print(f"{total - quiet} of {total} planted faults ended their run; ranks on which a site did, of 1 / of 3:")
        for site in sites():
            ranks = [sorted(r for s, n, r in hit if s == site and n == many) for many in (0, 3)]
            print(f"  {site:12} {ranks[0]} / {ranks[1]}")

    def test_killed_on_the_spot(self):
        cases = [(site, 1, rank, ranks, True) for site in KILLED for ranks, rank in [(0, 0), (3, 0), (3, 1), (3, 2)]]
        for fault, ranks, deflate, result, files, folder in support.side_by_side(
                lambda c: self.one(c[0], *c[1], kill="!kill"), list(enumerate(cases))):
            with self.subTest(fault=fault, ranks=ranks):
                self.assertFalse(result.hung, f"HANG\n{result}")
                if result.code == 0:
                    self.assertTrue(self.is_right(folder, deflate), f"exit 0 and files {files}\n{result}")
                    continue
                self.assertNotIn("o.nc", files, f"an output after a killed rank\n{result}")
                # what a killed coordinator was writing stays under its temporary name and is in nobody's way
                if "@0" not in fault:
                    self.assertEqual(files, [], f"left behind\n{result}")
                again = varve(*self.command(os.path.join(folder, "o.nc"), deflate), ranks=ranks)
                self.assertEqual(again.code, 0, again)
                self.assertEqual(raw_bytes(os.path.join(folder, "o.nc")), self.right[deflate])


if __name__ == "__main__":
    support.main()
