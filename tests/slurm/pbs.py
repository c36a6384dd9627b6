#!/usr/bin/python3
"""A stand-in for PBS Pro, which Debian does not have: a qsub and a qstat that know what the real ones take and refuse everything else, and a server that runs one job after the other on this machine.

    pbs = Pbs(folder)                 a queue in this folder; pbs.tools has the programs, for PATH
    pbs.run()                         all jobs that there are, and those that they submit: [(name, exit status)]

As under PBS, a job's script runs from a copy in another folder, begins in the home directory, and sees only the variables that it was given. There is no mpirun of several nodes: ranks are not what is tried here.
"""
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

OPTIONS = {"-N": r"[A-Za-z][\w-]{0,14}", "-j": "oe", "-r": "[yn]", "-J": r"\d+-\d+", "-q": r"\w+", "-A": r"\w+", "-W": r"depend=afterany:\d+\.head",
           "-l": r"select=\d+(:(ncpus|mpiprocs|ompthreads|mem)=\w+)*|walltime=(\d+:)?\d+:\d+|place=scatter"}


def refuse(why):
    sys.exit(f"qsub: {why}")


def options(words):
    """[(option, value)] and the script."""
    found, rest = [], list(words)
    while rest and rest[0].startswith("-"):
        name = rest.pop(0)
        if not rest:
            refuse(f"{name} needs a value")
        value = rest.pop(0)
        if name != "-v" and not re.fullmatch(OPTIONS.get(name, "(?!)"), value):
            refuse(f"illegal {name} {value}")
        found.append((name, value))
    return found, rest


def directives(script):
    """Those in front of the first command."""
    found = []
    for line in script.read_text().splitlines():
        if line.startswith("#PBS"):
            more, rest = options(shlex.split(line[4:], comments=True))
            found += more
            if rest:
                refuse(f"illegal directive {line}")
        elif line.strip() and not line.startswith("#"):
            break
    return found


def variables(text):
    """Of -v: names, whose values come from the environment, and NAME=VALUE."""
    found = {}
    for item in text.split(","):
        name, given, value = item.partition("=")
        if not re.fullmatch(r"\w+", name) or (not given and name not in os.environ):
            refuse("cannot send environment with the job")
        found[name] = value if given else os.environ[name]
    return found


def submit(folder, words):
    given, rest = options(words)
    if len(rest) != 1:
        refuse(f"one script, not {rest}")
    number = 1 + len(list(folder.glob("*.job")))
    job = {"v": {}, "walltime": "01:00:00", "select": "", "at": os.getcwd(), "N": Path(rest[0]).name}
    for name, value in directives(Path(rest[0])) + given:
        if name == "-v":
            job["v"].update(variables(value))
        elif name == "-l":
            key, _, what = value.partition("=")
            job[key] = what
        else:
            job[name[1:]] = value
    shutil.copy(rest[0], folder / f"{number}.SC")
    (folder / f"{number}.job").write_text(json.dumps(job))
    print(f"{number}.head")


def state(folder, words):
    if len(words) != 2 or words[0] != "-f":
        sys.exit("qstat: -f JOB")
    job = json.loads((folder / f"{int(words[1].split('.')[0])}.job").read_text())
    print(f"Job Id: {words[1]}\n    Job_Name = {job['N']}\n    Resource_List.walltime = {job['walltime']}\n    job_state = R")


class Pbs:
    def __init__(self, folder):
        self.folder, self.tools, self.ended = Path(folder), Path(folder) / "bin", 0
        self.tools.mkdir(parents=True)
        for tool in ("qsub", "qstat"):
            (self.tools / tool).write_text(f'#!/bin/bash\nexec {sys.executable} {Path(__file__).resolve()} {tool} {self.folder} "$@"\n')
            (self.tools / tool).chmod(0o755)

    def job(self, number):
        return json.loads((self.folder / f"{number}.job").read_text())

    def run_one(self, number, job, index=None):
        threads = re.search(r"ompthreads=(\d+)", job["select"])
        env = {"HOME": "/", "PATH": "/usr/bin:/bin", "PBS_O_WORKDIR": job["at"], "PBS_JOBID": f"{number}.head", "PBS_ENVIRONMENT": "PBS_BATCH",
               "OMP_NUM_THREADS": threads.group(1) if threads else "1", **job["v"], **({"PBS_ARRAY_INDEX": str(index)} if index else {})}
        suffix = f".{index}" if index else ""
        with open(Path(job["at"]) / f"{job['N']}.o{number}{suffix}", "wb") as log:
            return subprocess.run(["bash", self.folder / f"{number}.SC"], env=env, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=240).returncode

    def run(self):
        ended = []
        while (self.folder / f"{self.ended + 1}.job").exists():
            self.ended += 1
            job = self.job(self.ended)
            first, last = map(int, job.get("J", "0-0").split("-"))
            ended += [(job["N"], self.run_one(self.ended, job, i or None)) for i in range(first, last + 1)]
        return ended


if __name__ == "__main__":
    {"qsub": submit, "qstat": state}[sys.argv[1]](Path(sys.argv[2]), sys.argv[3:])
