#!/usr/bin/python3
# builds: release
# cores: 2
# timeout: 600
"""Runs that are ended go on: killed at random moments and at random places of the program, whichever process it hits, gone on with on other numbers of ranks until done, the output has the
bits of an undisturbed run. And what may not be gone on with is refused.

VARVE_KILL_RUNS says how many disturbed runs there are (8 unless told); VARVE_SEED where the random numbers begin.
"""
import os
import random
import re
import signal
import time

import h5py

import support
from support import varve

RUNS = int(os.environ.get("VARVE_KILL_RUNS", "8"))
SEED = int(os.environ.get("VARVE_SEED", "1"))
FIELD = "virtual:x?shape=time:{},lat:60,lon:90&chunk=4,30,45&dtype=f32&value=hash"


def contents(path):
    """Every variable's bytes."""
    with h5py.File(path, "r") as f:
        return {name: f[name][()].tobytes() for name in f}


class Resume(support.Case):
    def commands(self):
        """Steps of all kinds: one reduction, several, groups, values less a group's mean, order statistics, other chunks."""
        long, short = FIELD.format(4000), FIELD.format(1000)
        times = self.path("times.nc")
        support.climate(times, (1500, 24, 36), chunksizes=(10, 12, 18), **support.SQUEEZED)
        return [
            ["mean", "-d", "time", long],
            ["reduce", "-m", "mean,std,max", "-d", "time,lat", long],
            ["clim", "-g", "month", "-m", "mean,var", times],
            ["anom", "-g", "month", times],
            ["quantile", "-q", "0.1,0.9", "-d", "time", short],
            ["rechunk", "-c", "time=-1,lat=6,lon=6", "--deflate", "1", short],
            ["rechunk", "-c", "time=50,lat=30,lon=45", short],
            ["anom", "-g", "month", "--deflate", "1", times],
        ]

    def disturb(self, job, draw):
        """Kills one process of a run, or all of them, or ends it with a signal, at a random moment of its first seconds."""
        time.sleep(draw.uniform(0.1, 0.6))
        ranks = job.ranks("varve")
        how = draw.choice(["rank", "rank", "launcher", "all", "term"])
        try:
            if how == "rank" and ranks:
                os.kill(draw.choice(list(ranks.values())), signal.SIGKILL)
            elif how == "all":
                for pid in job.members():
                    os.kill(pid, signal.SIGKILL)
            else:
                os.kill(job.process.pid, signal.SIGTERM if how == "term" else signal.SIGKILL)
        except ProcessLookupError:
            pass

    def until_done(self, args, out, draw):
        """Disturbed up to three times, then left alone; what the runs said. An output that is there is complete, however the run ended after that."""
        said, here = "", 0
        for attempt in range(4):
            ranks, env = draw.choice([1, 2, 3, 4]), {}
            planted = attempt < 3 and draw.random() < 0.6
            if planted:
                site = draw.choice(["task", "task", "read", "send", "receive", "finish", "write", "place", "sync", "rename"])
                env["VV_FAULT"] = f"{site}:{int(2 ** draw.uniform(1, 6.5))}@{draw.randrange(ranks)}{draw.choice(['', '!kill'])}"
            job = support.start(*args, "-o", out, "--checkpoint=0.02", "--resume", ranks=ranks, env=env)
            if attempt < 3 and not planted:
                self.disturb(job, draw)
            result = job.wait(60)
            self.assertFalse(result.hung, result)
            said += result.err
            done = re.search("([0-9]+) of ([0-9]+) pieces of work are done", result.err)
            if here:  # of the attempt before
                self.extra.append((here - int(done[1]) if done else here, int(done[2]) if done else 0))
            visit = re.match("task:([0-9]+)@", env.get("VV_FAULT", ""))
            here = int(visit[1]) - 1 + (int(done[1]) if done else 0) if visit and ranks == 1 else 0
            if os.path.exists(out):
                return said, result.code
            self.assertNotEqual(result.code, 0, result)
        self.fail(f"an undisturbed run is not done\n{result}")

    def test_killed_at_random(self):
        draw = random.Random(SEED)
        commands, resumed = self.commands(), 0
        whole, self.extra = {}, []
        for run in range(RUNS):
            args = commands[run % len(commands)]
            if run < len(commands):
                whole[run] = self.path(f"whole{run}.nc")
                self.done(varve(*args, "-o", whole[run]))
            out = os.path.join(self.folder(f"run{run}"), "o.nc")
            with self.subTest(run=run, seed=SEED, command=" ".join(args)):
                said, code = self.until_done(args, out, draw)
                resumed += bool(re.search("[1-9][0-9]* of [0-9]+ pieces of work are done", said))
                self.assertEqual(contents(out), contents(whole[run % len(commands)]), said)
                if code == 0:
                    self.assertEqual(os.listdir(os.path.dirname(out)), ["o.nc"], "the journal goes when the output is complete")
        print(f"{RUNS} disturbed runs of seed {SEED}, {resumed} of which went on with a journal")
        told = [(lost, of) for lost, of in self.extra if of]
        if told:  # where what had been done is known: one rank, ended at a task of known number
            print(f"work done again: {100 * sum(lost / of for lost, of in told) / len(told):.2f} % on average of {len(told)} ends, "
                  f"{max(lost for lost, _ in told)} pieces at most; {len(self.extra) - len(told)} ends left no journal")

    def test_goes_on(self):
        """Runs that end in the middle leave what they have done, of every kind; others go on with it, some of which end in the middle again."""
        mean, _, clim, anomalies, _, rechunk, *_ = self.commands()
        plain = [a for a in rechunk if a not in ("--deflate", "1")]
        for number, (args, *faults) in enumerate([(mean, "task:20"), (clim, "task:20"), (anomalies, "write:20", "write:25"), (anomalies + ["--deflate", "1"], "compress:20", "compress:30"),
                                                  (plain, "write:9", "write:19"), (rechunk + ["--writer", "hdf5"], "write:2@1")]):
            with self.subTest(command=" ".join(args)):
                whole, out = self.path(f"whole{number}.nc"), os.path.join(self.folder(f"run{number}"), "o.nc")
                read = self.done(varve(*args, "-o", whole, "--stats")).stats["read"]
                for k, fault in enumerate(faults):
                    self.interrupted(args, out, fault, ranks=2 + k)
                result = self.done(varve(*args, "-o", out, "--resume", "--stats", ranks=3))
                self.assertRegex(result.err, "[1-9][0-9]* of [0-9]+ pieces of work are done")
                self.assertEqual(contents(out), contents(whole))
                self.assertEqual(os.listdir(os.path.dirname(out)), ["o.nc"])
                if args[0] != "rechunk":
                    self.assertLess(result.stats["read"], read, "what feeds finished chunks alone is not read again")

    def folder(self, name):
        os.mkdir(self.path(name))
        return self.path(name)

    # --- on request ---

    def interrupted(self, args, out, fault="task:20", ranks=2):
        """A run with a journal, which goes on with one that is there, and was ended by an error in the middle."""
        result = varve(*args, "-o", out, "--checkpoint=1h", "--resume", ranks=ranks, env={"VV_FAULT": fault if "@" in fault else fault + "@0"})
        self.assertEqual(result.code, 1, result)
        records = [e for e in self.entries(self.journal(out)) if e.endswith((".open", ".done"))]
        self.assertGreater(sum(os.path.getsize(os.path.join(self.journal(out), e)) for e in records), 0, result)

    def journal(self, out):
        return os.path.join(os.path.dirname(out), f".{os.path.basename(out)}.varve-journal")

    def entries(self, folder):
        return os.listdir(folder) if os.path.isdir(folder) else []

    def test_usr1_writes_at_once(self):
        out = self.path("o.nc")
        job = support.start("mean", "-d", "time", FIELD.format(10**6), "-o", out, "--checkpoint=1h", ranks=2)
        deadline = time.monotonic() + 30 * support.SLOW
        while sum(e.endswith(".done") for e in self.entries(self.journal(out))) < 2:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        time.sleep(0.5)
        self.assertFalse([e for e in self.entries(self.journal(out)) if e.endswith(".open")])
        os.kill(job.process.pid, signal.SIGUSR1)
        while sum(e.endswith(".open") for e in self.entries(self.journal(out))) < 2:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        self.assertIsNone(job.process.poll(), "the run goes on")
        os.kill(job.process.pid, signal.SIGTERM)
        self.assertEqual(job.wait(20).hung, False)

    def test_before_the_time_is_over(self):
        out = self.path("o.nc")
        end = str(int(time.time()) + 121)
        job = support.start("mean", "-d", "time", FIELD.format(10**6), "-o", out, "--checkpoint=1h", env={"SLURM_JOB_END_TIME": end})
        deadline = time.monotonic() + 30 * support.SLOW
        while "1-0.open" not in self.entries(self.journal(out)):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        os.kill(job.process.pid, signal.SIGTERM)
        job.wait(20)

    # --- the disk ---

    def test_order_of_syncs(self):
        """A journal speaks of chunks of the output only when they are on the disk: killed where they would be synced, it does not know them yet."""
        args = ["rechunk", "-c", "time=50,lat=30,lon=45", FIELD.format(1000)]
        whole, out = self.path("whole.nc"), os.path.join(self.folder("out"), "o.nc")
        self.done(varve(*args, "-o", whole))
        failed = varve(*args, "-o", out, "--checkpoint=1h", env={"VV_FAULT": "sync:1!kill"})
        self.assertEqual(failed.code, -signal.SIGKILL, failed)
        self.assertGreater(os.path.getsize(os.path.join(self.journal(out), "1.varve-part")), 1000 * 60 * 90 * 4)
        self.assertEqual(os.path.getsize(os.path.join(self.journal(out), "1-0.done")), 0)
        failed = varve(*args, "-o", out, "--resume", env={"VV_FAULT": "write:40"})
        self.assertEqual(failed.code, 1, failed)
        self.assertEqual([e for e in self.entries(self.journal(out)) if e.startswith("1.v")], [], "nothing speaks of it")
        self.assertGreater(os.path.getsize(os.path.join(self.journal(out), "2-0.done")), 0)
        with open(os.path.join(self.journal(out), "2.varve-part"), "r+b") as f:  # whatever has become of it
            size = f.seek(0, os.SEEK_END)
            f.seek(0)
            f.write(bytes(size))
        self.refused(varve(*args, "-o", out, "--resume"), 3, r"2\.varve-part is damaged", "-O without --resume")
        os.unlink(os.path.join(self.journal(out), "2.varve-part"))
        self.done(varve(*args, "-o", out, "--resume"))
        self.assertEqual(contents(out), contents(whole))

    def test_full_disk(self):
        """No room for the journal (of a run that may not make files much larger than its output): the run goes on without."""
        args = ["mean", "-d", "time", FIELD.format(1000)]
        whole, out = self.path("whole.nc"), os.path.join(self.folder("out"), "o.nc")
        self.done(varve(*args, "-o", whole))
        room = os.path.getsize(whole) // 1024 + 8
        result = support.Job(["bash", "-c", f'ulimit -f {room}; exec "$0" "$@"', support.binary(), *args, "-o", out, "--checkpoint=0.05"]).wait(60)
        self.done(result)
        self.assertRegex(result.err, r"the journal in .* cannot be written \(File too large\)")
        self.assertEqual(contents(out), contents(whole))
        self.assertEqual(os.listdir(os.path.dirname(out)), ["o.nc"])

    # --- what is refused ---

    def test_refused(self):
        data = support.climate(self.path("in.nc"), (4000, 24, 36), chunksizes=(10, 12, 18), **support.SQUEEZED)
        out = os.path.join(self.folder("out"), "o.nc")
        args = ["mean", "-d", "time", data]
        self.interrupted(args, out)
        self.refused(varve(*args, "-o", out), 5, "left a journal", "--resume goes on")
        self.refused(varve("max", "-d", "time", data, "-o", out, "--resume"), 3, r"o\.nc", "another computation")
        head = os.path.join(self.journal(out), "head")
        with open(head) as f:
            text = f.read()
        for old, new, pattern in [("version ", "version 9.", r"begun by varve 9\."), ("varve journal 3", "varve journal 7", "none of this version"),
                                  ("input ", "input 1", r"in\.nc has changed"), ("/in.nc\n", "/other.nc\n", r"other inputs .*\.nc")]:
            with open(head, "w") as f:
                f.write(text.replace(old, new, 1))
            self.refused(varve(*args, "-o", out, "--resume"), 3, pattern, r"-O without --resume")
        with open(head, "w") as f:
            f.write(text)
        os.utime(data, (1, 1))
        self.refused(varve(*args, "-o", out, "--resume"), 3, r"in\.nc has changed since")
        self.done(varve(*args, "-o", out, "-O", "--checkpoint=5m"))
        self.assertEqual(os.listdir(os.path.dirname(out)), ["o.nc"])
        self.refused(varve(*args, "-o", out, "--checkpoint=soon"), 2, "soon", "10m")
        grows = self.path("grows.nc")
        self.done(varve("select", "time=#0:9", data, "--unlimited", "time", "-o", grows))
        self.refused(varve("select", "time=#10:19", data, "--append", "-o", grows, "--resume"), 3, "appended", "--checkpoint")

    def test_damaged_journal(self):
        """A journal that lost its end, or a bit, gives less; never something else."""
        args = ["mean", "-d", "time", FIELD.format(3000)]
        whole, out = self.path("whole.nc"), os.path.join(self.folder("out"), "o.nc")
        self.done(varve(*args, "-o", whole))
        for damage in ("cut", "flipped", "empty"):
            self.interrupted(args, out)
            for name in self.entries(self.journal(out)):
                path = os.path.join(self.journal(out), name)
                size = os.path.getsize(path)
                if not name.endswith(".open") or size == 0:
                    continue
                if damage == "flipped":
                    with open(path, "r+b") as f:
                        f.seek(size // 2)
                        old = f.read(1)
                        f.seek(size // 2)
                        f.write(bytes([old[0] ^ 4]))
                else:
                    os.truncate(path, size * 2 // 3 if damage == "cut" else 0)
            result = varve(*args, "-o", out, "--resume", ranks=3)
            self.done(result)
            self.assertEqual(contents(out), contents(whole), damage)
            os.unlink(out)


    def test_verified_by_all(self):
        """What was compressed since the disk was last told to keep it is verified by all ranks, and what a power cut has taken of it is made again."""
        args = ["rechunk", "-c", "time=-1,lat=6,lon=6", "--deflate", "1", FIELD.format(1000)]
        whole, out = self.path("whole.nc"), os.path.join(self.folder("out"), "o.nc")
        self.done(varve(*args, "-o", whole))
        failed = varve(*args, "-o", out, "--checkpoint=1h", ranks=2, env={"VV_FAULT": "place:1@0!kill"})
        self.assertNotEqual(failed.code, 0, failed)
        with open(os.path.join(self.journal(out), "1-0.done"), "r+b") as f:
            at = 0
            for _ in range(20):  # records: 72 bytes, the seventh word of which tells how many follow
                f.seek(at + 48)
                size = int.from_bytes(f.read(8), "little")
                at += 72 + size
            f.seek(at - size // 2)
            f.write(bytes(64))
        result = self.done(varve(*args, "-o", out, "--resume", "--log", "info", ranks=3))
        self.assertRegex(result.err, r"verifies [0-9]+ records of the journal, \d+ bytes, on 3 ranks")
        self.assertRegex(result.err, r"149 of \d+ pieces of work are done")
        self.assertEqual(contents(out), contents(whole))


if __name__ == "__main__":
    support.main()
