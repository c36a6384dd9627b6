"""What the system tests share: running varve on any number of ranks, small data files, exact comparison.

Every test program is plain unittest; the binary comes from the environment variable VARVE, scratch space from
VARVE_TEST_TMP (default: the system's). A run that outlives its timeout is a hang: everything it started is killed
(the whole session, because mpirun gives its children process groups of their own) and the test fails.
"""
import concurrent.futures
import faulthandler
import io
import multiprocessing
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import weakref
from pathlib import Path

import netCDF4
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
MPIRUN = os.environ.get("VARVE_MPIRUN", "mpirun")
SLOW = float(os.environ.get("VARVE_TEST_SLOW", "1"))  # factor on every time limit, for sanitizers and busy machines
os.environ["DASK_SCHEDULER"] = "synchronous"  # the NetCDF library wants one thread: with dask's threads it sometimes stays for ever
PART = "varve-part"  # every temporary file that varve makes beside an output carries this in its name


def binary():
    """The varve under test."""
    path = os.environ.get("VARVE")
    if not path:
        sys.exit("set VARVE to the binary under test")
    if not os.access(path, os.X_OK):
        sys.exit(f"VARVE={path}: no such program")
    return os.path.abspath(path)


def helper(name):
    """A helper program built from tests/sys/<name>.c: in $VARVE_HELPERS or near the varve binary. None when it is not built."""
    near = Path(binary()).parent
    places = [os.environ.get("VARVE_HELPERS"), near, near / "tests/sys", near / "tests", near.parent / "tests/sys",
              near.parent / "tests", near.parent / "bin"]
    for place in places:
        if place and os.access(Path(place) / name, os.X_OK):
            return str(Path(place) / name)
    return None


# --- running ---


def environment(extra=None):
    env = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", LC_ALL="C.UTF-8", TZ="UTC")
    for name in ("VV_FAULT", "SOURCE_DATE_EPOCH"):
        env.pop(name, None)
    env.update(extra or {})
    return env


def command(program, args, ranks, bind="none"):
    """ranks 0: one process without mpirun."""
    launch = [] if ranks == 0 else [MPIRUN, "--oversubscribe", "--bind-to", bind, "-n", str(ranks)]
    return launch + [str(program)] + [str(a) for a in args]


class Result:
    def __init__(self, argv, code, out, err, seconds, hung):
        self.argv, self.code, self.out, self.err, self.seconds, self.hung = argv, code, out, err, seconds, hung

    @property
    def messages(self):
        """Error messages: lines that start with `varve:`, other than the figures of --stats and where the ranks are."""
        return [l for l in self.err.splitlines() if l.startswith("varve:") and not l.startswith(("varve: stats", "varve: ranks:"))]

    @property
    def stats(self):
        """The figures of --stats as a dictionary of numbers."""
        lines = [l for l in self.err.splitlines() if l.startswith("varve: stats")]
        if len(lines) != 1:
            raise AssertionError(f"{len(lines)} stats lines instead of one\n{self}")
        return {k: float(v) if "." in v or "e" in v else int(v) for k, v in re.findall(r"(\w+)=(\S+)", lines[0])}

    def __str__(self):
        end = "hung" if self.hung else f"exit {self.code}"
        return f"$ {' '.join(self.argv)}\n{end} after {self.seconds:.2f} s\nstdout: {self.out}\nstderr: {self.err}"


def suggested_budget(message):
    """The budget that an error of exit status 4 says would be enough, as an argument for --memory: the last size in its text."""
    sizes = re.findall(r"\d+(?:\.\d+)? ?(?:[kKMGT]i?B?|B|bytes)\b", message)
    if not sizes:
        raise AssertionError(f"no size in: {message}")
    return sizes[-1].replace(" ", "").replace("bytes", "")


def name_of(pid):
    """What the program of a process is called; None when the process is no more."""
    try:
        return Path("/proc", str(pid), "comm").read_text().strip()
    except OSError:
        return None


class Job:
    """A started run in a session of its own."""

    started = weakref.WeakSet()

    def __init__(self, argv, env=None, cwd=None):
        self.argv = argv
        self.out, self.err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        # mpiruns that start in the same moment get in each other's way in the folder they share by default
        self.session = tempfile.mkdtemp(prefix="varve-mpi-")
        self.start = time.monotonic()
        self.process = subprocess.Popen(argv, env=environment({"OMPI_MCA_orte_tmpdir_base": self.session, **(env or {})}), cwd=cwd, stdin=subprocess.DEVNULL, stdout=self.out,
                                        stderr=self.err, start_new_session=True)
        Job.started.add(self)

    def members(self, name=None):
        """Process ids of the session, sorted; with a name only those whose program is called that."""
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                stat = Path("/proc", entry, "stat").read_text()
            except OSError:
                continue
            comm, rest = stat[stat.index("(") + 1:stat.rindex(")")], stat[stat.rindex(")") + 2:].split()
            if int(rest[3]) == self.process.pid and rest[0] != "Z" and (name is None or comm == name[:15]):
                found.append(int(entry))
        return sorted(found)

    def ranks(self, name):
        """{rank: pid} of an mpirun job's processes of that name."""
        table = {}
        for pid in self.members(name):
            try:
                env = Path("/proc", str(pid), "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            for item in env:
                if item.startswith(b"OMPI_COMM_WORLD_RANK="):
                    table.setdefault(int(item.split(b"=")[1]), pid)  # the rank, not the process that reads for it
        return table

    def kill(self):
        for pid in self.members():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def ended(self, timeout):
        """Whether the process itself ends in time; told at once, where Popen.wait() would look every 50 ms."""
        if self.process.poll() is not None:
            return True
        end = os.pidfd_open(self.process.pid)
        try:
            return bool(select.select([end], [], [], timeout)[0])
        finally:
            os.close(end)

    def left(self):
        """Whether anything is left of the session. Only mpirun gives its children process groups of their own, for which all of /proc has to be read."""
        if os.path.basename(self.argv[0]) == os.path.basename(MPIRUN):
            return bool(self.members())
        self.process.poll()  # a process that nobody has waited for is still a member of its group
        try:
            os.killpg(self.process.pid, 0)
            return True
        except ProcessLookupError:
            return False

    def launcher_alone(self):
        """Only mpirun is left. Open MPI 4.1's sometimes stays for ever when a rank was killed while it connected ("PMIX ERROR: UNREACHABLE"): everything that it
        started has ended then, so nothing of ours hangs."""
        names = {name for name in map(name_of, self.members()) if name}
        return bool(names) and names <= {"mpirun", "mpiexec", "orterun", "orted"}

    def ended_or_alone(self, timeout):
        """Whether it ends in time; a launcher that has been alone for some seconds is ended."""
        was_alone = False
        while True:
            left = timeout - (time.monotonic() - self.start)
            if self.ended(max(0.0, min(left, 3))):
                return True
            alone = os.path.basename(self.argv[0]) == os.path.basename(MPIRUN) and self.launcher_alone()
            if alone and was_alone:
                self.kill()
                return self.ended(5)
            if left <= 3:
                return False
            was_alone = alone

    def stayed(self):
        """What each process of the session is at, for the message of a test that found a hang."""
        said = []
        for pid in self.members():
            try:
                proc = Path("/proc", str(pid))
                state = proc.joinpath("stat").read_text().rpartition(")")[2].split()[0]
                threads = [t.joinpath("wchan").read_text() for t in proc.joinpath("task").iterdir()]
                said.append(f"stayed: {pid} {name_of(pid)} {state} in {', '.join(threads)}\n")
            except OSError:
                pass
        return "".join(said)

    def wait(self, timeout):
        """Waits for the end of the whole run; kills what is left after `timeout` seconds."""
        hung = not self.ended_or_alone(timeout * SLOW)
        seconds = time.monotonic() - self.start
        deadline = time.monotonic() + 5
        while not hung and self.left():
            hung = time.monotonic() > deadline
            time.sleep(0.02)
        if hung:
            said = self.stayed()
            self.kill()
        self.process.wait()
        shutil.rmtree(self.session, ignore_errors=True)
        text = []
        for stream in (self.out, self.err):
            stream.seek(0)
            text.append(stream.read().decode(errors="replace"))
            stream.close()
        if hung:
            text[1] += said
        return Result(self.argv, self.process.returncode, *text, seconds, hung)


def run(argv, timeout=60, env=None, cwd=None):
    return Job(argv, env, cwd).wait(timeout)


def varve(*args, ranks=0, timeout=60, env=None, cwd=None):
    """Runs varve; ranks 0 is a plain process, 1 and more go through mpirun."""
    return run(command(binary(), args, ranks), timeout, env, cwd)


def start(*args, ranks=0, env=None, cwd=None):
    return Job(command(binary(), args, ranks), env, cwd)


def side_by_side(function, items, workers=2):
    """Applies function to every item, a few at a time; results in order. For runs only: the NetCDF library wants one thread."""
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        return list(pool.map(function, items))


# --- comparing ---


def ulps(a, b):
    """Distance in units of the last place, elementwise; NaN against NaN is 0, NaN against a number is huge."""
    a, b = np.asarray(a), np.asarray(b)
    kind = np.int32 if a.dtype == np.float32 else np.int64
    a, b = np.atleast_1d(a), np.atleast_1d(b.astype(a.dtype))
    both, one = np.isnan(a) & np.isnan(b), np.isnan(a) ^ np.isnan(b)

    def ordered(x):
        i = np.ascontiguousarray(x).view(kind).astype(np.float64 if kind is np.int32 else np.longdouble)
        return np.where(i < 0, -(i - np.iinfo(kind).min), i)

    distance = np.abs(ordered(a) - ordered(b))
    return np.where(both, 0, np.where(one, np.inf, distance)).astype(np.float64)


def values(path, name):
    """A variable of a file as numbers: unscaled, fill values as NaN for floats."""
    with netCDF4.Dataset(path) as f:
        v = f[name]
        v.set_auto_maskandscale(False)
        x = np.asarray(v[...])
        if x.dtype.kind == "f":
            x = x.astype(x.dtype.newbyteorder("="))
            if "_FillValue" in v.ncattrs():
                x = np.where(x == x.dtype.type(v.getncattr("_FillValue")), x.dtype.type(np.nan), x)
        return x


def raw_bytes(path):
    """{variable: (dtype, shape, bytes)} exactly as stored values."""
    with netCDF4.Dataset(path) as f:
        f.set_auto_maskandscale(False)
        table = {}
        for name, v in f.variables.items():
            x = np.ascontiguousarray(v[...])
            table[name] = (str(x.dtype), x.shape, x.tobytes())
        return table


# --- data ---


def make(path, dims, variables, attrs=None):
    """A NetCDF-4 file. dims {name: length, or (length,) for an unlimited one}; variables {name: (dims, array, options)}: options go to
    createVariable, those under "attrs" become attributes."""
    with netCDF4.Dataset(path, "w", format="NETCDF4") as f:
        for name, n in dims.items():
            f.createDimension(name, None if isinstance(n, tuple) else n)
        for name, (vdims, data, *rest) in variables.items():
            options = dict(rest[0]) if rest else {}
            extra = options.pop("attrs", {})
            data = np.asarray(data)
            v = f.createVariable(name, data.dtype.newbyteorder("=") if data.dtype != object else str, vdims, **options)
            v.set_auto_maskandscale(False)
            v.setncatts(extra)
            if data.size:
                v[...] = data
        f.setncatts(attrs or {})
    return str(path)


def axis(n, kind):
    """A coordinate variable: (dims, values, options) for make()."""
    if kind == "time":
        return (("time",), np.arange(n) * 1.0, {"attrs": {"units": "days since 2001-01-01", "calendar": "standard", "axis": "T",
                                                           "standard_name": "time"}})
    if kind == "lat":
        return (("lat",), np.linspace(-80, 80, n), {"attrs": {"units": "degrees_north", "standard_name": "latitude"}})
    return (("lon",), np.arange(n) * (360.0 / n), {"attrs": {"units": "degrees_east", "standard_name": "longitude"}})


def climate(path, shape=(40, 9, 14), seed=1, **options):
    """t2m(time, lat, lon) with its coordinates; options for t2m as in make()."""
    nt, ny, nx = shape
    x = np.random.default_rng(seed).normal(280, 15, shape).astype(options.pop("dtype", "f4"))
    return make(path, {"time": nt, "lat": ny, "lon": nx},
                {"time": axis(nt, "time"), "lat": axis(ny, "lat"), "lon": axis(nx, "lon"), "t2m": (("time", "lat", "lon"), x, options)})


SQUEEZED = {"zlib": True, "shuffle": True, "complevel": 4}


class Case(unittest.TestCase):
    """A test case with a scratch folder of its own (self.dir), gone afterwards."""

    longMessage = True
    maxDiff = 2000

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="varve-test-", dir=os.environ.get("VARVE_TEST_TMP"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)

    @classmethod
    def shared_folder(cls):
        """A scratch folder for all tests of the class, gone behind the last one."""
        folder = tempfile.mkdtemp(prefix="varve-test-", dir=os.environ.get("VARVE_TEST_TMP"))
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        return folder

    def path(self, name):
        return os.path.join(self.dir, name)

    def done(self, result):
        self.assertFalse(result.hung, result)
        self.assertEqual(result.code, 0, result)
        return result

    def run_ok(self, *args, **how):
        return self.done(varve(*args, **how))

    def no_parts(self, folder, note=""):
        self.assertEqual([n for n in os.listdir(folder) if PART in n], [], f"temporary files left {note}")

    def nothing_left(self, folder, note=""):
        self.assertEqual(sorted(os.listdir(folder)), [], f"files left {note}")

    def refused(self, result, code, *patterns, seconds=5, folder=None):
        """The run ended in time with this exit status (or one of these), one message that matches every pattern, and nothing in folder."""
        self.assertFalse(result.hung, result)
        self.assertIn(result.code, code if isinstance(code, tuple) else (code,), result)
        self.assertEqual(len(result.messages), 1, f"one message, not one a rank\n{result}")
        for pattern in patterns:
            self.assertRegex(result.messages[0], pattern, result)
        self.assertLess(result.seconds, seconds * SLOW, result)
        if folder:
            self.nothing_left(folder, f"\n{result}")


def tests_of(suite):
    for test in suite:
        yield from tests_of(test) if isinstance(test, unittest.TestSuite) else [test]


def watch():
    """Shortly before ctest would end the program without a word: says where it is and what its runs are at, ends them, and itself."""
    limit = float(os.environ.get("VARVE_TEST_TIMEOUT", "0"))
    if limit < 30:
        return

    def stop():
        print(f"the program has run for {limit - 20:.0f} s, and is ended", file=sys.stderr)
        faulthandler.dump_traceback()
        for job in list(Job.started):
            if job.left():
                print(job.argv, job.stayed(), sep="\n", file=sys.stderr, flush=True)
                job.kill()
        os._exit(1)

    timer = threading.Timer(limit - 20, stop)
    timer.daemon = True
    timer.start()
    faulthandler.dump_traceback_later(limit - 10, exit=True)  # when a library holds the interpreter, the timer cannot run


def run_one(test):
    """(passed, report) of one test, in a process of its own."""
    text = io.StringIO()
    result = unittest.TextTestRunner(text).run(test)
    return result.wasSuccessful(), f"{test.id()}\n{text.getvalue()}"


def run_together(workers):
    """All tests of the program, several at a time: for tests that wait more than they work."""
    tests = list(tests_of(unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])))
    context = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(workers, context, watch) as pool:  # tells when a process dies, where a Pool waits for ever
        reports = list(pool.map(run_one, tests))
    for passed, text in reports:
        if not passed or "skipped" in text:
            print(text, file=sys.stderr)
    failed = sum(not passed for passed, _ in reports)
    print(f"{len(reports)} tests, {failed} failed")
    sys.exit(failed > 0 or not reports)


def main(workers=1):
    binary()
    if workers > 1 and len(sys.argv) == 1:
        run_together(workers)
    watch()
    unittest.main(module="__main__", verbosity=1)
