#!/usr/bin/python3
# builds: release
# cores: 2
# timeout: 300
"""The job scripts, submitted for real to an emulated cluster of three nodes (cluster.py): they end COMPLETED with the right output, exit statuses arrive, an
array does all of its tasks. A job that is told that its time is over goes back into the queue and ends with the bits of an undisturbed run, and so does one whose node is
lost. Scripts for PBS: test_pbs.py.
"""
import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import cluster
import wire

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
LONG = "virtual:x?shape=time:8000,lat:60,lon:90&chunk=4,30,45&dtype=f32&value=hash"
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
        self.assertEqual(self.cluster.wait(number, seconds * support.SLOW), list(expected), f"{self.log()}\n{self.cluster.said()}")

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

    def test_scaling_sweep(self):
        """Submits itself for 1, 2 and all 3 nodes, one after the other; a table and a picture."""
        script = SCRIPTS / "slurm_scaling.sh"
        env = {**os.environ, **ENVIRONMENT, "SIZE": "2MB", "RUNS": "1", "BENCHMARKS": "reduce"}
        said = cluster.run(script, "-N", "3", "--ntasks-per-node=1", "--mem=500", cwd=self.path(""), env=env)
        jobs = [int(line.split()[1]) for line in said.splitlines()]
        self.assertEqual([line.split()[-1] for line in said.splitlines()], ["1", "2", "3"], said)
        for job in jobs:
            self.ends(job, ("COMPLETED", "0:0"))
        with open(self.path("scaling.csv")) as f:
            rows = [(r["benchmark"], r["scaling"], r["ranks"], r["nodes"]) for r in csv.DictReader(f)]
        self.assertEqual(rows, [("reduce", s, n, n) for n in "123" for s in ("strong", "weak")])
        self.assertTrue(list(Path(self.path("")).glob("scaling.[ps][nv]g")), self.log())

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

    def test_bytes_on_the_wire(self):
        """What network cards count is what the plan foretells; ranks that are dealt out to nodes in turn send less when they are put in order first."""
        case = ("t:96,y:300,x:300", "4,300,300", "rechunk(rolling(v, t=3).mean(), t=48, y=100, x=100)")
        naive, ordered = (wire.measure(self.cluster, case, 2, naive) for naive in (True, False))
        for m in (naive, ordered):
            self.assertEqual(m["foretold"], {k: m["counted"][k] for k in m["foretold"]})
            self.assertGreater(m["wire"], m["foretold"]["across"])
            self.assertLess(m["wire"], 1.1 * m["foretold"]["across"])
        self.assertLess(ordered["wire"], naive["wire"])

    # --- going on ---

    def restartable(self, out, waits=1, first="mpirun"):
        """A job in the middle of its work: in its first starts rank 0 waits there for a signal. `first` begins, mpirun goes on."""
        Path(self.path("site.sh")).write_text(f"[ \"${{SLURM_RESTART_COUNT:-0}}\" -gt 0 ] || VARVE_LAUNCHER={first}\n. {SCRIPTS}/site.sh\n"
                                              f"[ \"${{SLURM_RESTART_COUNT:-0}}\" -ge {waits} ] || export VV_FAULT='task:40@0!wait'\n")
        job = self.submit(*SMALL, SCRIPTS / "slurm_restart.sh", "mean", "-d", "time", LONG, "-o", out,
                          env={"VARVE_JOBSCRIPTS": self.path(""), "VARVE_CHECKPOINT": "0.1"})
        self.until(lambda: "planted wait" in self.log(), f"job {job} to get on")
        return job

    def starts_again(self, job, out):
        """Slurm would have the job wait for two minutes, as its nodes still refuse what it was given in the second of its end: it is not told to start before that is over."""
        self.until(lambda: self.cluster.job(job).get("JobState") == "PENDING", f"job {job} to be in the queue again")
        self.assertFalse(os.path.exists(out))
        cluster.run("scontrol", "update", f"JobId={job}", "StartTime=now+2")

    def goes_on(self, job, out, restarts=1):
        """The job starts again and ends with the right bits."""
        self.starts_again(job, out)
        self.ends(job, ("COMPLETED", "0:0"))
        self.assertEqual(self.cluster.job(job)["Restarts"], str(restarts))
        self.assertRegex(self.log(), r"goes on with .*: [1-9]\d* of \d+ pieces of work are done")
        self.done(varve("mean", "-d", "time", LONG, "-o", self.path("alone.nc")))
        self.assertEqual(contents(out), contents(self.path("alone.nc")))

    def kill(self, job, program, *variables):
        """Processes of a job, with a signal that nothing can be done about: those of a program with these variables in their environment. How many there were."""
        killed = 0
        for process in Path("/proc").glob("[0-9]*"):
            try:
                having = (process / "environ").read_bytes().split(b"\0")
                if (process / "comm").read_text().strip() == program and {f"SLURM_JOB_ID={job}".encode(), *variables} <= set(having):
                    os.kill(int(process.name), signal.SIGKILL)
                    killed += 1
            except OSError:
                pass
        return killed

    def test_goes_back_into_the_queue(self):
        """As its time is nearly over, as a rank was killed, and as the launcher's daemon on the other node was, which is what mpirun sees of a lost node."""
        out = self.path("o.nc")
        job = self.restartable(out, waits=3, first="srun")
        cluster.run("scancel", "--signal=USR1", "--batch", job)
        self.starts_again(job, out)
        self.until(lambda: self.log().count("planted wait") == 2, f"job {job} to get on again")
        self.assertEqual(self.kill(job, "varve", b"OMPI_COMM_WORLD_RANK=1"), 1)
        self.starts_again(job, out)
        self.until(lambda: self.log().count("planted wait") == 3, f"job {job} to get on a third time")
        self.assertEqual(self.kill(job, "orted"), 1)
        self.goes_on(job, out, restarts=3)
        self.assertEqual(self.log().count("back into the queue"), 3)
        self.assertEqual(self.log().count("the launcher ended with status"), 2)

    def test_lost_node(self):
        """The node dies with everything on it. That it is gone Slurm is told, or, with VARVE_SLURM_ALL, finds out by itself, which takes it half a minute."""
        out = self.path("o.nc")
        job = self.restartable(out)
        journal = Path(self.path(".o.nc.varve-journal"))
        self.until(lambda: any(p.stat().st_size > 0 for p in journal.glob("1-[23].*")), "the journal of the node that will be lost")
        self.cluster.kill_node("n2")
        if not os.environ.get("VARVE_SLURM_ALL"):
            cluster.run("scontrol", "update", "NodeName=n2", "State=DOWN", "Reason=gone")
        self.goes_on(job, out)
        self.assertNotIn("back into the queue", self.log())
        self.cluster.start_node("n2")
        self.until(lambda: "n2 idle" in self.cluster.sinfo(), "the node to be back")

    # --- scripts that are made ---

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

    def test_every_script_is_tried(self):
        tests = "".join(p.read_text() for p in Path(__file__).parent.glob("*.py"))
        for script in SCRIPTS.glob("*.sh"):
            self.assertIn(script.name, tests)


if __name__ == "__main__":
    support.main()
