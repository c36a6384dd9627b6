#!/usr/bin/python3
# builds: release asan
# cores: 2
"""How a run is getting on, seen from outside: `varve status` while it goes, after it has ended, and after it was killed."""
import json
import os
import re
import signal
import time

import support
from support import varve

LONG = "virtual:x?shape=time:1000000,lat:500,lon:500&chunk=2,500,500&dtype=f32"


class Status(support.Case):
    def beating(self, ranks):
        """A run that has told of itself, and its output."""
        out = self.path("o.nc")
        job = support.start("mean", "-d", "time", LONG, "-o", out, ranks=ranks)
        deadline = time.monotonic() + 40 * support.SLOW
        while not os.path.exists(self.path(".o.nc.varve-status")):
            self.assertLess(time.monotonic(), deadline, "no sign of life")
            self.assertIsNone(job.process.poll())
            time.sleep(0.05)
        return job, out

    def test_running(self):
        job, out = self.beating(3)
        told, deadline = varve("status", out), time.monotonic() + 40 * support.SLOW
        while " left\n" not in told.out and time.monotonic() < deadline:  # its first sign of life may come before it has read anything
            time.sleep(0.2)
            told = varve("status", out)
        self.assertEqual(told.code, 0, told)
        self.assertRegex(told.out, r"o\.nc: \d+ % of 1 TB, .*B/s.* left\n.*process \d+")
        self.assertRegex(told.out, r"3 ranks of \d+ threads?, .* in use")
        self.assertIn("varve mean -d time", told.out)
        self.assertEqual(len(re.findall(r"(?m)^ +rank \d", told.out)), 3, told)
        self.assertEqual(varve("status", os.path.dirname(out)).out.count("o.nc: "), 1)
        facts = json.loads(varve("status", "--json", out).out)
        self.assertEqual((facts["state"], len(facts["ranks"]), facts["bytes"]), ("running", 3, 10**12))
        self.assertEqual(sum(r["read"] for r in facts["ranks"]), facts["read"])
        self.assertTrue(all(r["memory"] < facts["memory"] for r in facts["ranks"]), facts)
        os.kill(job.process.pid, signal.SIGTERM)
        self.assertFalse(job.wait(20).hung)

    def test_ended(self):
        """A run that can end by itself leaves neither an output nor its sign of life. (mpirun gives its ranks a second for that.)"""
        job, out = self.beating(0)
        job.process.send_signal(signal.SIGTERM)
        self.assertFalse(job.wait(20).hung)
        self.assertEqual(os.listdir(os.path.dirname(out)), [])
        self.refused(varve("status", out), 3, "no such output", r"o\.nc")

    def test_killed(self):
        job, out = self.beating(0)
        path = self.path(".o.nc.varve-status")
        job.process.send_signal(signal.SIGKILL)
        job.wait(20)
        with open(path) as f:  # an hour ago
            text = re.sub(r"(?m)^(beat|planned|started) (\d+)", lambda m: f"{m[1]} {int(m[2]) - 3600}", f.read())
        with open(path, "w") as f:
            f.write(text)
        told = varve("status", out)
        self.assertRegex(told.out, r"no sign of life for 60 min; it was at \d+ %")
        self.assertEqual(json.loads(varve("status", "--json", out).out)["state"], "silent")
        with open(path, "w") as f:
            f.write(text.replace("rank 0", "rank 7"))
        self.refused(varve("status", out), 3, "no heartbeat of this version", "varve-status")

    def test_complete(self):
        out = self.path("o.nc")
        self.done(varve("mean", "-d", "time", "virtual:x?shape=time:8,lat:5,lon:5&dtype=f32", "-o", out))
        self.assertRegex(varve("status", out).out, r"o\.nc: complete, .*B, of \d{4}-")
        self.refused(varve("status"), 2, "output")


if __name__ == "__main__":
    support.main()
