#!/usr/bin/python3
# builds: release
# cores: 2
"""What varve says of where its ranks are, and of ranks that were placed badly, under mpirun as users start it."""
import os
import re

import support
from support import varve

DATA = "virtual:x?shape=time:40,lat:20,lon:20&chunk=10,20,20&dtype=f32"


class Placed(support.Case):
    def told(self, *more, ranks=2, env=None, **how):
        result = varve("mean", "-d", "time,lat,lon", DATA, *more, ranks=ranks, env=env, **how)
        self.done(result)
        return result

    def test_report(self):
        """In the log of a batch job, with --stats, and for who wants log lines; never unasked."""
        line = r"(?m)^varve: ranks: 2 on 1 node, 2 each; (not bound|bound to .* each); \d+ threads? each; "
        self.assertNotIn("ranks:", self.told().err)
        self.assertRegex(self.told("--stats").err, line + ".* of memory each, (a share of the machine's|by the control group)$")
        job = {"SLURM_JOB_ID": "1", "SLURM_MEM_PER_NODE": "600", "SLURM_CPUS_ON_NODE": str(os.cpu_count())}
        self.assertRegex(self.told(env=job).err, line + "299 MB of memory each, by SLURM_MEM_PER_NODE$")
        self.assertNotIn("ranks:", self.told("--quiet", ranks=0, env=job).err)
        said = self.told("--log", "info", "--threads", 1, "--memory", "300MB", ranks=0).err
        self.assertRegex(said, "varve info: ranks: 1 on 1 node; .*; 1 thread each; 300 MB of memory each, as was asked for")

    def test_warnings(self):
        cpus = sorted(os.sched_getaffinity(0))
        if len(cpus) > 1:
            one = os.sched_getaffinity(0)
            os.sched_setaffinity(0, cpus[:1])
            try:
                self.assertRegex(self.told(ranks=2).err, r"warn: 2 ranks on .* share 1 CPU, though there are \d+: bind them apart")
            finally:
                os.sched_setaffinity(0, one)
        many = len(cpus) + 1
        said = self.told("--threads", many, ranks=0).err
        self.assertEqual(len(re.findall("warn", said)), 1, said)
        self.assertRegex(said, rf"a rank on .* may use {len(cpus)} CPUs?, but {many} threads were asked for: use --threads {len(cpus)}")


if __name__ == "__main__":
    support.main()
