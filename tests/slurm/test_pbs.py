#!/usr/bin/python3
# builds: release
# cores: 1
# timeout: 300
"""The job scripts for PBS Pro, under a stand-in for it (pbs.py)."""
import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pbs

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sys"))
import support  # noqa: E402
from support import varve  # noqa: E402
from test_resume import contents  # noqa: E402

SCRIPTS = support.ROOT / "jobscripts"
LONG = "virtual:x?shape=time:8000,lat:60,lon:90&chunk=4,30,45&dtype=f32&value=hash"


class Jobs(support.Case):
    def log(self, pattern="*.o*"):
        return "".join(p.read_text() for p in sorted(Path(self.path("")).glob(pattern)))

    def pbs(self):
        """A stand-in (pbs.py), and an mpirun that notes its arguments and runs a single process."""
        made = pbs.Pbs(self.path("pbs"))
        (made.tools / "mpirun").write_text(f'#!/bin/bash\necho "$*" >>{self.path("launched")}\nshift 2\nexec "$@"\n')
        (made.tools / "mpirun").chmod(0o755)
        return made

    def qsub(self, made, script, *argv, **env):
        """A script, submitted from the test's folder: by qsub, or by itself."""
        setting = {**os.environ, "VARVE_JOBSCRIPTS": str(SCRIPTS), "PATH": f"{made.tools}:{Path(support.binary()).parent}:/usr/bin:/bin", **env}
        argv = [script, *argv] if script.name == "pbs_scaling.sh" else ["qsub", *argv, script]
        subprocess.run(["bash", "-n", str(script)], check=True)
        done = subprocess.run(list(map(str, argv)), env=setting, cwd=self.path(""), capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done)
        return done.stdout

    def test_pbs_scripts(self):
        for year in (1990, 1991):
            support.climate(self.path(f"t_{year}.nc"), (20, 6, 8))
        Path(self.path("years")).write_text("1990\n1991\n")
        made = varve("jobscript", "pbs", "--nodes", 2, "--cores", 2, "--", "mean", "-d", "time", self.path("t_1990.nc"), "-o", self.path("b.nc"))
        Path(self.path("made.sh")).write_text(self.done(made).out)
        server, names = self.pbs(), "PATH,VARVE_JOBSCRIPTS,command"
        self.qsub(server, SCRIPTS / "pbs_climate.sh", "-v", names, command="reduce -m mean,std -d time 't_1990.nc' -o 'a file.nc'")
        self.qsub(server, SCRIPTS / "pbs_array.sh", "-J", "1-2", "-v", f"lines=years,{names}", command="mean -d time t_{}.nc -o mean_{}.nc")
        self.qsub(server, Path(self.path("made.sh")), "-v", "PATH")
        self.qsub(server, SCRIPTS / "pbs_climate.sh", "-v", names, command="mean -d time -v nowhere t_1990.nc -o c.nc")
        for script in ("pbs_climate.sh", "pbs_array.sh", "pbs_restart.sh"):
            self.qsub(server, SCRIPTS / script, "-v", "PATH")
        self.assertEqual([code for _, code in server.run()], [0, 0, 0, 0, 3, 2, 2, 2], self.log())
        self.done(varve("reduce", "-m", "mean,std", "-d", "time", self.path("t_1990.nc"), "-o", self.path("alone.nc")))
        self.assertEqual(contents(self.path("a file.nc")), contents(self.path("alone.nc")))
        for out, year in (("mean_1990.nc", 1990), ("mean_1991.nc", 1991), ("b.nc", 1990)):
            self.done(varve("mean", "-d", "time", self.path(f"t_{year}.nc"), "-o", self.path("alone.nc"), "-O"))
            self.assertEqual(contents(self.path(out)), contents(self.path("alone.nc")), out)
        launched = Path(self.path("launched")).read_text().splitlines()
        for line in launched[:3]:
            self.assertRegex(line, r"^--map-by ppr:4:node:PE=2 varve (mean|reduce) ")

    def test_pbs_goes_on_in_another_job(self):
        """As its time is nearly over, and as a rank was killed."""
        server, out = self.pbs(), self.path("o.nc")
        until = "sleep() { for _ in {1..600}; do ! grep -q 'planted wait' varve.o1 || break; command sleep 0.1; done; }"  # the first job's time is over when it is in the middle of its work
        Path(self.path("site.sh")).write_text(f". {SCRIPTS}/site.sh\ncase $PBS_JOBID in 1.*) export VV_FAULT='task:40!wait'; {until} ;; 2.*) export VV_FAULT='task:40!kill' ;; esac\n")
        shutil.copy(SCRIPTS / "pbs_restart.sh", self.path(""))
        self.qsub(server, SCRIPTS / "pbs_restart.sh", "-v", "PATH,VARVE_JOBSCRIPTS,VARVE_CHECKPOINT,command", command=f"mean -d time '{LONG}' -o o.nc --threads 1",
                  VARVE_JOBSCRIPTS=self.path(""), VARVE_CHECKPOINT="0.1")
        self.assertEqual([code for _, code in server.run()], [0, 0, 0], self.log())
        self.assertEqual(re.findall("status ([0-9]+), goes on", self.log()), ["143", "137"], self.log())
        self.assertRegex(self.log("*.o3"), r"goes on with .*: [1-9]\d* of \d+ pieces of work are done")
        self.done(varve("mean", "-d", "time", LONG, "-o", self.path("alone.nc")))
        self.assertEqual(contents(out), contents(self.path("alone.nc")))

    def test_pbs_scaling_sweep(self):
        server = self.pbs()
        said = self.qsub(server, SCRIPTS / "pbs_scaling.sh", "-N", "3", "-l", "walltime=0:10:00", SIZE="2MB", RUNS="1", BENCHMARKS="reduce", RANKS="2", CORES="4", MEM="2gb")
        self.assertEqual([line.split()[-1] for line in said.splitlines()], ["1", "2", "3"], said)
        self.assertEqual(server.job(3)["select"], "3:ncpus=8:mpiprocs=2:ompthreads=4:mem=2gb")
        self.assertEqual([code for _, code in server.run()], [0, 0, 0], self.log())
        with open(self.path("scaling.csv")) as f:
            self.assertEqual([(r["benchmark"], r["scaling"]) for r in csv.DictReader(f)], 3 * [("reduce", "strong"), ("reduce", "weak")])
        self.assertTrue(list(Path(self.path("")).glob("scaling.[ps][nv]g")), self.log())


if __name__ == "__main__":
    support.main()
