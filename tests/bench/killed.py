#!/usr/bin/python3
"""What kills cost: runs with a journal whose processes are killed (-9) at random moments - a random rank, or mpirun - and that are gone on with on other numbers of ranks, until they are done.

    VARVE=build/release/bin/varve tests/bench/killed.py [--runs 200] [--megabytes 100] [--every 0.2] [--kills 3] [--seed 1] [--dir DIR]

The output has to have the bytes of an undisturbed run's each time; the first difference ends the program with status 1. How much was done again is counted in bytes that ranks have read from files, which
the system knows of each process, up to its death: all that a run's attempts have read, beyond what an undisturbed one reads. What a rank reads anyway, before its work and in the journal's files, counts as
work, too; so does what it began and had not ended. A moment is drawn from as long as the undisturbed command takes.
"""
import argparse
import collections
import os
import random
import re
import shutil
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sys"))
import support  # noqa: E402
from support import varve  # noqa: E402
from test_resume import contents  # noqa: E402


def commands(data):
    return {"mean": ["mean", "-d", "time", data], "reduce": ["reduce", "-m", "std,max", "-d", "lat", data], "clim": ["clim", "-g", "month", data],
            "anom": ["anom", "-g", "month", data], "anom, deflated": ["anom", "-g", "month", "--deflate", "1", data], "quantile": ["quantile", "-q", "0.1,0.9", "-d", "time", data],
            "rechunk": ["rechunk", "-c", "time=-1,lat=15,lon=15", "--deflate", "0", data], "rechunk, deflated": ["rechunk", "-c", "time=-1,lat=15,lon=15", "--deflate", "1", data],
            "map": ["eval", "r = sqrt(abs(x))", data]}


def reads(pids, known):
    """Bytes that processes have read so far, into known."""
    for pid in pids:
        try:
            known[pid] = int(re.search(r"rchar: (\d+)", Path(f"/proc/{pid}/io").read_text()).group(1))
        except (OSError, AttributeError):
            pass
    return known


def is_dead(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


class Attempt:
    def __init__(self, args, out, ranks, every):
        self.job = support.start(*args, "-o", out, f"--checkpoint={every}", "--resume", ranks=ranks)
        self.known = {}

    def watch(self, seconds):
        """Until a moment comes, or the job ends."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.job.ended(0.01):
            pass

    def kill(self, draw):
        """Processes stand still while they are looked at. What was killed; None when it has ended before."""
        ranks = self.job.ranks("varve")
        if self.job.process.poll() is not None or not ranks:
            return None
        who = draw.choice([*ranks, "mpirun"])
        victim = self.job.process.pid if who == "mpirun" else ranks[who]
        try:
            for pid in ranks.values():
                os.kill(pid, signal.SIGSTOP)
            reads(ranks.values(), self.known)
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            return None
        finally:
            for pid in ranks.values():
                try:
                    os.kill(pid, signal.SIGCONT)
                except ProcessLookupError:
                    pass
        left = set(ranks.values())  # what the others do until they die
        while left:
            seen = reads(left, {})
            self.known.update(seen)
            left = {pid for pid in seen if not is_dead(pid)}
            time.sleep(0.0005)
        return "mpirun" if who == "mpirun" else "rank"

    def end(self):
        result = self.job.wait(120)
        if result.hung:
            sys.exit(f"hung: {result}")
        return result


def until_done(args, out, a, draw, seconds, start, tally):
    """Bytes that all attempts have read but for what processes read to start, and kills."""
    read, kills = 0, 0
    while True:
        ranks = draw.choice([1, 2, 3, 4])
        attempt = Attempt(args, out, ranks, a.every)
        killed = None
        if kills < a.kills:
            attempt.watch(draw.uniform(0, seconds))
            killed = attempt.kill(draw)
        result = attempt.end()
        if os.path.exists(out):
            stats = re.search(r"read=(\d+)", result.err)
            return read + (int(stats.group(1)) if stats else 0), kills
        if killed is None:
            sys.exit(f"an undisturbed run is not done: {result}")
        kills += 1
        tally[killed] += 1
        tally["with a journal"] += bool(re.search("[1-9][0-9]* of [0-9]+ pieces of work are done", result.err))
        read += sum(max(0, n - start) for n in attempt.known.values())


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--runs", type=int, default=200)
    p.add_argument("--megabytes", type=float, default=100)
    p.add_argument("--every", default="0.2")
    p.add_argument("--kills", type=int, default=3, help="of one run, at most")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--dir")
    a = p.parse_args()
    draw, tally, extra, kills = random.Random(a.seed), collections.Counter(), collections.defaultdict(list), 0
    with tempfile.TemporaryDirectory(dir=a.dir) as folder:
        data, whole, size, seconds = f"{folder}/in.nc", {}, {}, {}
        steps = max(48, int(a.megabytes * 1e6 / (4 * 180 * 360)))
        made = varve("rechunk", "-c", "time=24,lat=45,lon=45", "--deflate", "1", f"virtual:x?shape=time:{steps},lat:180,lon:360&chunk=24,45,45&dtype=f32&hours=6", "-o", data)
        assert made.code == 0, made
        for name, args in commands(data).items():
            whole[name] = f"{folder}/whole-{len(whole)}.nc"
            result = varve(*args, "-o", whole[name], "--stats", ranks=2)
            assert result.code == 0, result
            size[name], seconds[name] = int(re.search(r"read=(\d+)", result.err).group(1)), result.seconds
        waits = support.start("mean", "-d", "time", data, "-o", f"{folder}/none.nc", ranks=2, env={"VV_FAULT": "task:1!wait"})
        time.sleep(3)
        start = max(reads(waits.ranks("varve").values(), {}).values())
        waits.kill()
        waits.wait(20)
        print(f"{os.path.getsize(data) / 1e6:.0f} MB, a journal every {a.every} s; a rank reads {start / 1e6:.1f} MB before its work", flush=True)
        for run in range(a.runs):
            name = list(whole)[run % len(whole)]
            out = f"{folder}/run/o.nc"
            os.mkdir(f"{folder}/run")
            read, n = until_done([*commands(data)[name], "--stats"], out, a, draw, seconds[name], start, tally)
            if contents(out) != contents(whole[name]):
                sys.exit(f"run {run}, {name}: the output differs")
            kills += n
            if n:
                extra[name].append((read / size[name] - 1) / n)
            shutil.rmtree(f"{folder}/run")
            if run % 20 == 19:
                print(f"{run + 1} runs, {kills} kills: identical", flush=True)
    print(f"{a.runs} of {a.runs} outputs identical; {kills} kills: {tally['rank']} of a rank, {tally['mpirun']} of mpirun; {tally['with a journal']} of the attempts that were killed had gone on with a journal")
    print("read again after a kill, of what an undisturbed run reads: " + ", ".join(f"{name} {100 * statistics.mean(v):.0f} %" for name, v in extra.items()))
    print(f"on average {100 * statistics.mean(x for v in extra.values() for x in v):.1f} %")


if __name__ == "__main__":
    main()
