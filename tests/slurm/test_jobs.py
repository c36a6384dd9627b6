#!/usr/bin/python3
# builds: release
# cores: 2
# timeout: 300
"""The job scripts, submitted for real to an emulated cluster of three nodes (cluster.py): they end COMPLETED with the right output, exit statuses arrive, an
array does all of its tasks. With VARVE_SLURM_ALL=1, which takes minutes: a job that is told that its time is over goes back into the queue and ends with the bits of an
undisturbed run, and so does one whose node was lost.
"""
import os
import sys
import time
from pathlib import Path

import cluster

if not os.environ.get(cluster.INSIDE) and cluster.missing():
    print(f"skipped: {cluster.missing()}")
    sys.exit(77)
cluster.enter()
for _name in [n for n in os.environ if n.startswith("OMPI_MCA_") or n == "HWLOC_PLUGINS_PATH"]:
    del os.environ[_name]  # the tests' transports know one computer only; here ranks talk between several

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sys"))
import support  # noqa: E402
from support import varve  # noqa: E402
from test_resume import contents  # noqa: E402

SCRIPTS = support.ROOT / "jobscripts"
SMALL = ["--nodes=2", "--ntasks-per-node=2", "--cpus-per-task=1", "--mem=1000"]
LONG = "virtual:x?shape=time:90000,lat:120,lon:180&chunk=4,60,90&dtype=f32&value=hash"
ENVIRONMENT = {"VARVE_JOBSCRIPTS": str(SCRIPTS), "PATH": f"{Path(support.binary()).parent}:{os.environ['PATH']}", "OMPI_ALLOW_RUN_AS_ROOT": "1",
               "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


class Jobs(support.Case):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cluster.Cluster()
        cls.cluster.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.stop()

    def submit(self, *argv, env=None):
        return self.cluster.submit(*argv, cwd=self.path(""), env={**os.environ, **ENVIRONMENT, **(env or {})})

    def log(self, pattern="*.log"):
        return "".join(p.read_text() for p in sorted(Path(self.path("")).glob(pattern)))

    def ends(self, number, *expected, seconds=120):
        self.assertEqual(self.cluster.wait(number, seconds * support.SLOW), list(expected), self.log())

    def until(self, true, what, seconds=60):
        self.cluster.until(true, f"{what}\n{self.log()}", seconds * support.SLOW)

    def test_climate_by_both_launchers(self):
        data = support.climate(self.path("in.nc"), (600, 24, 36), chunksizes=(10, 12, 18), **support.SQUEEZED)
        self.done(varve("clim", "-g", "month", data, "-o", self.path("alone.nc")))
        for launcher in ("mpirun", "srun"):
            out = self.path(f"{launcher}.nc")
            job = self.submit(*SMALL, SCRIPTS / "slurm_climate.sh", "clim", "-g", "month", data, "-o", out, env={"VARVE_LAUNCHER": launcher})
            self.ends(job, ("COMPLETED", "0:0"))
            self.assertEqual(contents(out), contents(self.path("alone.nc")))
        self.assertIn("varve: stats", self.log())
        self.assertIn("4 ranks", self.log(), "what the plan foretells")

    def test_exit_status_arrives(self):
        data = support.climate(self.path("in.nc"))
        job = self.submit(*SMALL, SCRIPTS / "slurm_climate.sh", "mean", "-d", "time", "-v", "nowhere", data, "-o", self.path("o.nc"))
        self.ends(job, ("FAILED", "3:0"))
        self.assertIn("nowhere", self.log())

    def test_array(self):
        for year in (1990, 1991, 1992, 1993):
            support.climate(self.path(f"t_{year}.nc"), (20, 6, 8))
        Path(self.path("years")).write_text("1990\n1991\n1992\n1993\n")
        job = self.submit("--array=1-4", "--ntasks-per-node=2", "--cpus-per-task=1", "--mem=500", SCRIPTS / "slurm_array.sh", "years", "mean", "-d",
                          "time", "t_{}.nc", "-o", "mean_{}.nc")
        self.ends(job, *[("COMPLETED", "0:0")] * 4)
        for year in (1990, 1991, 1992, 1993):
            self.done(varve("mean", "-d", "time", self.path(f"t_{year}.nc"), "-o", self.path("alone.nc"), "-O"))
            self.assertEqual(contents(self.path(f"mean_{year}.nc")), contents(self.path("alone.nc")))

    # --- going on ---

    def restartable(self, out):
        """A job that works on something long, and has done some of it."""
        job = self.submit(*SMALL, SCRIPTS / "slurm_restart.sh", "mean", "-d", "time", LONG, "-o", out)
        self.until(lambda: os.path.exists(out) or " % of " in self.told(out), f"job {job} to get on")
        if os.path.exists(out):
            self.skipTest("the machine is so fast that the job was over before it could be told anything")
        return job

    def told(self, out):
        return varve("status", out).out

    def goes_on(self, job, out):
        run = f"JobId={job}"
        self.until(lambda: self.cluster.job(job).get("JobState") in ("PENDING", "COMPLETED"), f"job {job} to be in the queue again", 60)
        if self.cluster.job(job)["JobState"] == "COMPLETED":
            self.skipTest("the machine is so fast that the job was over when it was told")
        self.assertFalse(os.path.exists(out))
        cluster.run("scontrol", "update", run, "StartTime=now")  # Slurm would have it wait for two minutes
        self.ends(job, ("COMPLETED", "0:0"), seconds=240)
        self.assertEqual(self.cluster.job(job)["Restarts"], "1")
        self.assertRegex(self.log(), r"goes on with .*: [1-9]\d* of \d+ pieces of work are done")
        alone = self.path("alone.nc")
        self.done(varve("mean", "-d", "time", LONG, "-o", alone, timeout=240))
        self.assertEqual(contents(out), contents(alone))

    def test_goes_back_into_the_queue(self):
        if not os.environ.get("VARVE_SLURM_ALL"):
            self.skipTest("takes a minute, and Slurm does not always start the job a second time; VARVE_SLURM_ALL=1 runs it")
        out = self.path("o.nc")
        job = self.restartable(out)
        cluster.run("scancel", "--signal=USR1", "--batch", job)
        self.goes_on(job, out)
        self.assertIn("back into the queue", self.log())

    def test_lost_node(self):
        if not os.environ.get("VARVE_SLURM_ALL"):
            self.skipTest("takes minutes; VARVE_SLURM_ALL=1 runs it")
        out = self.path("o.nc")
        job = self.restartable(out)
        time.sleep(3)
        self.cluster.kill_node("n2")
        self.goes_on(job, out)
        self.cluster.start_node("n2")

    def test_script_made_for_a_command(self):
        data, script = support.climate(self.path("in.nc"), (200, 24, 36)), self.path("job.sh")
        made = varve("jobscript", "slurm", "--nodes", 3, "--cores", 2, "--ranks-per-node", 2, "--time", "0:10:00", "--", "mean", "-d", "time", data,
                     "-o", self.path("o.nc"))
        self.done(made)
        Path(script).write_text(made.out)
        job = self.submit(script)
        self.ends(job, ("COMPLETED", "0:0"))
        self.assertEqual(self.cluster.job(job)["NumNodes"], "3")
        self.done(varve("mean", "-d", "time", data, "-o", self.path("alone.nc")))
        self.assertEqual(contents(self.path("o.nc")), contents(self.path("alone.nc")))
        for wrong, pattern in [(["jobscript", "slurm", "--", "meen", data], "did you mean 'mean'"), (["jobscript", "slrm", "--", "mean", data], "did you mean 'slurm'"),
                               (["jobscript", "pbs"], "a command"), (["jobscript"], "batch system")]:
            self.refused(varve(*wrong), 2, pattern)


if __name__ == "__main__":
    support.main()
