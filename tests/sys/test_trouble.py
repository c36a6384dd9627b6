#!/usr/bin/python3
# cores: 1
"""Trouble: whatever is wrong with the input, the output, the budget or the job, there is one clear message, the agreed exit status, nothing
half written, and it is over within seconds, at any number of ranks.

Exit statuses: 1 the run failed, 2 usage, 3 bad input, 4 budget, 5 output, 130 / 143 interrupted.
"""
import os
import shutil
import signal
import subprocess
import time
import zlib

import h5py
import netCDF4
import numpy as np

import support
from support import SQUEEZED, axis, climate, make, varve

RANKS = (0, 1, 3)
ENDLESS = "virtual:x?shape=time:1000000,lat:500,lon:500&chunk=2,500,500&dtype=f32"


def storage(path, name):
    """[(address, size, element offsets)] of a variable's chunks."""
    with h5py.File(path, "r") as f:
        d = f[name].id
        infos = [d.get_chunk_info(i) for i in range(d.get_num_chunks())]
    return sorted(((c.byte_offset, c.size, c.chunk_offset) for c in infos), key=lambda c: c[2])


def overwrite(path, at, change):
    with open(path, "r+b") as f:
        f.seek(at)
        old = f.read(16)
        f.seek(at)
        f.write(bytes(change(b) for b in old))


class Trouble(support.Case):
    def setUp(self):
        super().setUp()
        self.good = climate(self.path("good.nc"), chunksizes=(8, 5, 7), **SQUEEZED)
        self.out = self.path("out")
        os.mkdir(self.out)

    def target(self):
        return os.path.join(self.out, "o.nc")

    def each(self, code, args, *patterns, ranks=RANKS, env=None):
        """args without -o: refused with this exit status and a message that matches, at every number of ranks; nothing left."""
        for n in ranks:
            with self.subTest(ranks=n):
                self.refused(varve(*args, "-o", self.target(), ranks=n, env=env), code, *patterns, folder=self.out)

    # --- names ---

    def test_no_such_file(self):
        self.each(3, ["mean", "-d", "time", self.path("nowhere.nc")], r"nowhere\.nc", "No such file")

    def test_no_such_variable(self):
        self.each(3, ["mean", "-d", "time", "-v", "t2n", self.good], r"t2n", r"t2m", r"good\.nc")
        self.each(3, ["mean", "-d", "time", self.good + ":t2n"], r"t2n", r"t2m", ranks=(0,))

    def test_no_such_dimension(self):
        self.each(3, ["mean", "-d", "tine", self.good], r"tine", r"\btime\b")
        self.each(3, ["mean", "-d", "lat,lom", self.good], r"lom", r"\blon\b", ranks=(0,))

    # --- usage ---

    def test_usage(self):
        for args, pattern in [
            (["meen", "-d", "time", self.good], "mean"),
            (["mean", "-d", "time", "--bogus", self.good], "bogus"),
            (["mean", "-d", "time", "--memory", "banana", self.good], "banana"),
            (["mean", "-d", "time", "--threads", "zero", self.good], "zero"),
            (["mean", "-d", "time", "--threads", "0", self.good], "threads"),
            (["mean", "-d", "time", "--placement", "everywhere", self.good], "everywhere"),
            (["mean", "-d", "time", "--deflate", "12", self.good], "12"),
            (["mean", "-d", "time"], "."),
        ]:
            self.each(2, args, pattern, ranks=(0,))
        self.each(2, ["mean", "-d", "time", "--bogus", self.good], "bogus", ranks=(3,))
        self.each(2, ["mean", "-d", "time", self.good], "VV_FAULT", env={"VV_FAULT": "nonsense:1"}, ranks=(0, 3))

    def test_no_command(self):
        result = varve()
        self.assertEqual(result.code, 2, result)

    # --- damaged input ---

    def test_not_a_data_file(self):
        text, empty, folder, old = (self.path(n) for n in ("text.nc", "empty.nc", "folder.nc", "classic.nc"))
        with open(text, "w") as f:
            f.write("This is not data.\n" * 500)
        open(empty, "w").close()
        os.mkdir(folder)
        with open(old, "wb") as f:
            f.write(b"CDF\1" + 200 * b"\7")
        for path in (text, empty, folder, old):
            self.each(3, ["mean", "-d", "time", path], os.path.basename(path).replace(".", r"\."), ranks=RANKS if path == text else (0,))
        self.each(3, ["mean", "-d", "time", old], "classic NetCDF header is damaged", ranks=(0,))

    def test_truncated(self):
        for share in (0.02, 0.5, 0.95):
            path = self.path("cut.nc")
            shutil.copy(self.good, path)
            os.truncate(path, int(os.path.getsize(path) * share))
            self.each(3, ["mean", "-d", "time", path], r"cut\.nc", ranks=RANKS if share == 0.5 else (0,))

    def test_truncated_contiguous(self):
        path = climate(self.path("flat.nc"), (400, 9, 14), contiguous=True)
        os.truncate(path, int(os.path.getsize(path) * 0.5))
        self.each(3, ["mean", "-d", "time", path], r"flat\.nc")

    def test_unreadable_input(self):
        if os.geteuid() == 0:
            self.skipTest("root may read everything")
        os.chmod(self.good, 0)
        self.each(3, ["mean", "-d", "time", self.good], r"good\.nc", "ermission")

    def test_corrupt_chunk(self):
        for number in (0, 11, -1):
            path = self.path("corrupt.nc")
            shutil.copy(self.good, path)
            at, size, offset = storage(path, "t2m")[number]
            overwrite(path, at + size // 2, lambda b: b ^ 0x5A)
            for n in RANKS:
                with self.subTest(chunk=offset, ranks=n):
                    result = varve("mean", "-d", "time", path, "-o", self.target(), ranks=n)
                    patterns = [r"corrupt\.nc", r"t2m", "(?i)chunk"] + (["(?i)rank [012]"] if n > 1 else [])
                    self.refused(result, 3, *patterns, folder=self.out)

    def test_several_corrupt_chunks_one_message(self):
        path = self.path("corrupt.nc")
        shutil.copy(self.good, path)
        for at, size, _ in storage(path, "t2m"):
            overwrite(path, at + size // 2, lambda b: b ^ 0x5A)
        for how, dims in [("mean", "time"), ("std", "lat,lon"), ("sum", "time,lat,lon")]:
            self.each(3, [how, "-d", dims, path], r"t2m", "(?i)chunk")

    def test_bad_checksum(self):
        path = climate(self.path("sum.nc"), chunksizes=(8, 5, 7), fletcher32=True)
        at, size, _ = storage(path, "t2m")[4]
        overwrite(path, at + 40, lambda b: b ^ 1)
        self.each(3, ["mean", "-d", "time", path], r"sum\.nc", "t2m", "(?i)chunk")

    def test_chunk_of_wrong_size(self):
        for name, elements in [("short", 8 * 5 * 7 - 9), ("long", 8 * 5 * 7 + 9)]:
            path = self.path(name + ".nc")
            shutil.copy(self.good, path)
            with h5py.File(path, "r+") as f:
                f["t2m"].id.write_direct_chunk((8, 5, 7), zlib.compress(np.zeros(elements, "f4").tobytes()), 0)
            self.each(3, ["mean", "-d", "time", path], name + r"\.nc", "t2m", "(?i)chunk")

    def test_chunk_of_wrong_size_without_filters(self):
        path = climate(self.path("unfiltered.nc"), chunksizes=(8, 5, 7))
        with netCDF4.Dataset(path) as f:
            self.assertEqual(f["t2m"].chunking(), [8, 5, 7])
        at = storage(path, "t2m")[-1][0]
        os.truncate(path, at + 100)
        self.each(3, ["mean", "-d", "time", path], r"unfiltered\.nc")

    def test_unknown_filter_or_type(self):
        """Stored in a way that is not supported: said so, not computed wrongly."""
        path = self.path("compound.nc")
        with h5py.File(path, "w") as f:
            f.create_dataset("x", data=np.zeros((4, 5), [("a", "f4"), ("b", "i4")]))
            f.create_dataset("y", data=np.zeros((4, 5), "V3"))
        for name in "xy":
            result = varve("mean", "-v", name, path, "-o", self.target())
            self.refused(result, (2, 3), name, folder=self.out)

    # --- output ---

    def test_existing_output(self):
        for n in RANKS:
            with open(self.target(), "w") as f:
                f.write("precious")
            result = varve("mean", "-d", "time", self.good, "-o", self.target(), ranks=n)
            self.refused(result, 5, r"o\.nc", "(?i)exist", "-O|--overwrite")
            self.assertEqual(open(self.target()).read(), "precious")
            self.assertEqual(os.listdir(self.out), ["o.nc"])
            self.run_ok("mean", "-d", "time", self.good, "-o", self.target(), "-O", ranks=n)
            self.assertEqual(support.values(self.target(), "t2m").shape, (9, 14))
            self.assertEqual(os.listdir(self.out), ["o.nc"])

    def test_existing_output_survives_a_failure(self):
        path = self.path("corrupt.nc")
        shutil.copy(self.good, path)
        at, size, _ = storage(path, "t2m")[3]
        overwrite(path, at + size // 2, lambda b: b ^ 0x5A)
        for n in RANKS:
            with open(self.target(), "w") as f:
                f.write("precious")
            result = varve("mean", "-d", "time", path, "-o", self.target(), "-O", ranks=n)
            self.refused(result, 3)
            self.assertEqual(open(self.target()).read(), "precious")
            self.assertEqual(os.listdir(self.out), ["o.nc"])

    def test_output_is_the_input(self):
        before = support.values(self.good, "t2m")
        result = varve("mean", "-d", "time", self.good, "-o", self.good)
        self.refused(result, 5, "(?i)exist")
        result = varve("mean", "-d", "time", self.good, "-o", self.good, "-O")
        after = support.values(self.good, "t2m")
        if result.code == 0:
            np.testing.assert_allclose(after, before.mean(0, dtype="f8"), rtol=1e-6)
        else:
            np.testing.assert_array_equal(after, before)
        self.no_parts(self.dir)

    def test_missing_directory(self):
        for n in RANKS:
            result = varve("mean", "-d", "time", self.good, "-o", self.path("no/such/o.nc"), ranks=n)
            self.refused(result, 5, "no/such", folder=self.out)

    def test_output_is_a_directory(self):
        for more in ([], ["-O"]):
            result = varve("mean", "-d", "time", self.good, "-o", self.out, *more)
            self.refused(result, 5, "out", folder=self.out)

    def mount(self, folder, *options):
        os.makedirs(folder, exist_ok=True)
        made = subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", folder], capture_output=True, text=True)
        if made.returncode:
            self.skipTest("mounting is not allowed here: " + made.stderr.strip())
        self.addCleanup(subprocess.run, ["umount", "-l", folder], check=False)

    def test_unwritable_directory(self):
        folder = self.path("locked")
        if os.geteuid() == 0:
            self.mount(folder, "-o", "ro,size=64k")
        else:
            os.mkdir(folder, 0o555)
        for n in RANKS:
            result = varve("mean", "-d", "time", self.good, "-o", os.path.join(folder, "o.nc"), ranks=n)
            self.refused(result, 5, "locked", "(?i)read-only|permission", folder=folder)

    def test_disk_full(self):
        wide = make(self.path("wide.nc"), {"time": 3, "lat": 700, "lon": 900},
                    {"time": axis(3, "time"), "lat": axis(700, "lat"), "lon": axis(900, "lon"),
                     "t2m": (("time", "lat", "lon"), np.random.default_rng(1).normal(280, 9, (3, 700, 900)).astype("f4"),
                             dict(chunksizes=(3, 200, 300), **SQUEEZED))})
        small = self.path("small")
        self.mount(small, "-o", "size=1m")
        for n in RANKS:
            for more in ([], ["--deflate", "1"]):
                with self.subTest(ranks=n, options=more):
                    result = varve("mean", "-d", "time", wide, "-o", os.path.join(small, "o.nc"), *more, ranks=n)
                    self.refused(result, 5, "small", "(?i)no space|full", folder=small)

    # --- budget ---

    def test_budget(self):
        """1 MB is not enough for anything; the message names what would be, and that budget works and is kept."""
        big = make(self.path("big.nc"), {"time": 60, "lat": 300, "lon": 400},
                   {"t2m": (("time", "lat", "lon"), np.random.default_rng(2).normal(280, 9, (60, 300, 400)).astype("f4"),
                            dict(chunksizes=(20, 150, 200), **SQUEEZED))})
        for n in RANKS:
            for dims in ("time", "lat,lon"):
                with self.subTest(ranks=n, dims=dims):
                    common = ["mean", "-d", dims, big, "-o", self.target()]
                    for left in os.listdir(self.out):
                        os.remove(os.path.join(self.out, left))
                    result = varve(*common, "--memory", "1MB", ranks=n)
                    self.refused(result, 4, r"\d ?[kMG]i?B", folder=self.out)
                    budget = support.suggested_budget(result.messages[0])
                    done = self.run_ok(*common, "--memory", budget, "--stats", ranks=n)
                    number, unit = float(budget.rstrip("kMGTiB")), budget.lstrip("0123456789.")
                    scale = {"": 1, "B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}[unit]
                    self.assertLessEqual(done.stats["peak"], number * scale, f"{budget}\n{done}")

    def test_budget_one_below_the_suggestion_is_refused_too(self):
        """The suggestion is the smallest: three quarters of it do not do."""
        result = varve("mean", "-d", "time", self.good, "-o", self.target(), "--memory", "1MB")
        number = float(support.suggested_budget(result.messages[0]).rstrip("kMGTiB"))
        unit = support.suggested_budget(result.messages[0]).lstrip("0123456789.")
        result = varve("mean", "-d", "time", self.good, "-o", self.target(), "--memory", f"{number * 0.75:.3f}{unit}")
        self.refused(result, 4, folder=self.out)

    # --- interrupted ---

    def endless(self, ranks):
        """A run that lasts, seen at work: it has given its first sign of life, which is one more file that must not stay."""
        job = support.start("mean", "-d", "time", ENDLESS, "-o", self.target(), ranks=ranks)
        deadline = time.monotonic() + 20 * support.SLOW
        while not os.path.exists(os.path.join(self.out, ".o.nc.varve-status")):
            if job.process.poll() is not None or time.monotonic() > deadline:
                job.kill()
                self.fail(f"not at work\n{job.wait(5)}")
            time.sleep(0.02)
        return job

    def test_signal_to_one_process(self):
        for number, code in [(signal.SIGINT, 130), (signal.SIGTERM, 143)]:
            with self.subTest(number.name):
                job = self.endless(0)
                job.process.send_signal(number)
                asked = time.monotonic() - job.start
                result = job.wait(asked + 10)
                self.refused(result, code, "(?i)interrupt|terminat", seconds=asked + 5, folder=self.out)

    def test_signal_to_mpirun(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name):
                job = self.endless(3)
                job.process.send_signal(number)
                asked = time.monotonic() - job.start
                result = job.wait(asked + 15)
                self.assertFalse(result.hung, result)
                self.assertNotEqual(result.code, 0, result)
                self.assertLess(result.seconds, asked + 10, result)
                self.nothing_left(self.out, f"\n{result}")

    def test_killed_rank(self):
        for rank in (0, 1, 2):
            with self.subTest(rank=rank):
                job = self.endless(3)
                os.kill(job.ranks("varve")[rank], signal.SIGKILL)
                asked = time.monotonic() - job.start
                result = job.wait(asked + 15)
                self.assertFalse(result.hung, result)
                self.assertNotEqual(result.code, 0, result)
                self.assertLess(result.seconds, asked + 10, result)
                self.nothing_left(self.out, f"\n{result}")

    def test_stopped_reader(self):
        """A closed standard output (`varve ... | head`) is no reason to hang or to crash."""
        end = subprocess.run(["sh", "-c", f'"{support.binary()}" --help | true'], capture_output=True, timeout=10)
        self.assertEqual(end.returncode, 0)


if __name__ == "__main__":
    support.main(workers=4)
