#!/usr/bin/python3
# timeout: 300
# cores: 1
# builds: release
"""Damaged, absurd and changing files: nothing crashes, nothing hangs, and the message names the file.

Random damage is in tests/fuzz/files.py, of which a short run is part of this; what is here is damaged on purpose.
"""
import glob
import os
import shutil
import sys
import time
from pathlib import Path

import h5py
import numpy as np

import support
from support import SLOW, SQUEEZED, climate, varve

sys.path.insert(0, str(support.ROOT / "tests/fuzz"))
import corpus  # noqa: E402
import files  # noqa: E402

COPIES, SEED = 60, 11


class Damaged(support.Case):
    def setUp(self):
        super().setUp()
        self.out = self.path("out")
        os.mkdir(self.out)

    def mean(self, *paths, ranks=0, env=None, timeout=60, more=()):
        return varve("mean", "-d", "time", *more, *paths, "-o", os.path.join(self.out, "o.nc"), ranks=ranks, env=env, timeout=timeout)

    # --- at random ---

    def test_copies(self):
        """The short run of the file fuzzer, always the same damage."""
        folder = self.path("copies")
        os.mkdir(folder)
        files.VARVE = support.binary()
        counts, found = files.campaign(COPIES, SEED, 2, folder, ["mean"])
        self.assertEqual(found, [], f"{counts}")
        self.assertEqual(sum(counts.values()), COPIES)
        self.assertGreater(counts["mean", "refused"], COPIES // 5)
        self.assertGreater(counts["mean", "ok"], COPIES // 10)

    # --- truncated ---

    def test_truncated_anywhere(self):
        os.mkdir(self.path("whole"))
        cases = []
        for whole in corpus.write(self.path("whole")):
            if whole.stem not in ("chunked", "contiguous", "newest", "cdf1"):
                continue
            size = whole.stat().st_size
            for at in sorted({0, 3, 8, 50, size - 9} | {size * k // 7 for k in range(1, 7)}):
                path = self.path(f"{whole.stem}-{at}.nc")
                shutil.copy(whole, path)
                os.truncate(path, at)
                cases.append(path)
        for path, result in zip(cases, support.side_by_side(lambda p: varve("mean", "-d", "time", p, "-o", p + ".out"), cases)):
            with self.subTest(path=path):
                self.refused(result, 3, os.path.basename(path).replace(".", r"\."), seconds=20)
                self.assertFalse(os.path.exists(path + ".out"))

    # --- what the HDF5 library cannot digest ---

    def heap_in_circles(self):
        """The first object of a global heap that is of size 0 and not the end: HDF5 1.10 never gets past it."""
        path = self.path("circles.nc")
        corpus.groups(path)
        b = bytearray(Path(path).read_bytes())
        at = b.index(b"GCOL") + 16
        b[at + 8:at + 16] = (2**64 - 16).to_bytes(8, "little")
        Path(path).write_bytes(b)
        return path

    def test_the_library_dies_alone(self):
        path = self.heap_in_circles()
        for ranks in (0, 2):
            with self.subTest(ranks=ranks):
                result = self.mean(path, ranks=ranks, env={"VARVE_PATIENCE": "1"}, more=["-v", "x"], timeout=90)
                self.refused(result, 3, r"circles\.nc", seconds=60, folder=self.out)

    def test_others_are_read_after_a_crash(self):
        """A process whose file made the library crash can read other files."""
        good = climate(self.path("good.nc"))
        result = varve("info", self.heap_in_circles(), good, env={"VARVE_PATIENCE": "1"})
        self.assertFalse(result.hung, result)
        self.done(varve("info", good))

    # --- absurd claims ---

    def claims(self, **datasets):
        path = self.path("absurd.nc")
        with h5py.File(path, "w") as f:
            for name, (shape, how) in datasets.items():
                f.create_dataset(name, shape, "f4", **how)
            f.attrs["huge"] = np.int64(10**18)
        return path

    def test_absurd_numbers_of_chunks(self):
        n = 10**18
        path = self.claims(x=((n,), dict(chunks=(1000,), maxshape=(None,))), y=((10**9, 10**9), dict(chunks=(1000, 1000))))
        self.done(varve("info", path))
        for name in "xy":
            for ranks in (0, 2):
                result = varve("sum", "-d", "phony_dim_0" if name == "x" else "phony_dim_1", "-v", name, path, "-o", os.path.join(self.out, "o.nc"), "--memory", "300MB", ranks=ranks)
                self.refused(result, (3, 4), "absurd|budget", seconds=20, folder=self.out)

    def test_absurd_lengths(self):
        path = self.claims(x=((10**18,), {}), y=((2, 10**17), {}))
        self.done(varve("info", path))
        result = varve("sum", "-d", "phony_dim_1", "-v", "y", path, "-o", os.path.join(self.out, "o.nc"), "--explain")
        self.assertFalse(result.hung, result)
        self.assertIn(result.code, (0, 3, 4), result)

    # --- links ---

    def test_links(self):
        path = self.path("linked.nc")
        corpus.linked(path)
        text = self.done(varve("info", path)).out
        self.assertEqual(text.count("\n  x "), 1, text)
        for name in ("nowhere", "circle", "outside"):
            self.assertNotIn(name, text)

    # --- changing files ---

    def meanwhile(self, paths, change):
        """What becomes of reading files, of which one is changed when a good part of the first has been read, long before its end."""
        job = support.start("std", "-d", "time", "-v", "t2m", *paths, "-O", "-o", os.path.join(self.out, "o.nc"), "--threads", "1")
        deadline = time.monotonic() + 30 * SLOW
        while time.monotonic() < deadline and job.process.poll() is None:
            try:
                io = Path("/proc", str(job.process.pid), "io").read_text()
            except OSError:
                break
            if int(io.split()[1]) > 30e6:
                break
            time.sleep(0.002)
        change()
        return job.wait(60)

    def hollow(self, name, **how):
        """2 GB of zeros that take no room on the disk."""
        path, create = self.path(name), h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        create.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        create.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        if how:
            create.set_chunk(how["chunk"])
        with h5py.File(path, "w") as f:
            f["time"] = np.arange(2000.0)
            f["time"].make_scale()
            h5py.h5d.create(f.id, b"t2m", h5py.h5t.NATIVE_FLOAT, h5py.h5s.create_simple((2000, 500, 500)), create)
            f["t2m"].dims[0].attach_scale(f["time"])
        return path

    def test_shrinks_while_it_is_read(self):
        for name, how in [("flat.nc", {}), ("chunks.nc", dict(chunk=(100, 500, 500)))]:
            with self.subTest(name):
                path = self.hollow(name, **how)
                result = self.meanwhile([path], lambda: os.truncate(path, 4000))
                self.refused(result, 3, name, "t2m", "(?i)end", *(["chunk"] if how else []), seconds=60, folder=self.out)

    def other_values(self, path):
        with h5py.File(path, "r+") as f:
            f["t2m"][-1, -1] = 1

    def test_renamed_over_while_it_is_read(self):
        """Values of one of the files, or an error: never some of the one and some of the other."""
        path, other = self.hollow("chunks.nc", chunk=(100, 500, 500)), self.hollow("other.nc", chunk=(100, 500, 500))
        self.other_values(other)
        result = self.meanwhile([path], lambda: os.replace(other, path))
        if result.code:
            self.refused(result, 3, r"chunks\.nc has changed since it was opened", seconds=60, folder=self.out)
            return
        with h5py.File(os.path.join(self.out, "o.nc")) as f:
            self.assertFalse(f["t2m"][()].any(), "values of both files")

    def test_rewritten_while_it_is_read(self):
        path = self.hollow("flat.nc")
        result = self.meanwhile([path], lambda: self.other_values(path))
        self.refused(result, 3, r"flat\.nc has changed since it was opened", seconds=60, folder=self.out)

    def test_replaced_before_it_is_read(self):
        """Its header has been read, and nothing else."""
        paths = [self.hollow("first.nc"), self.hollow("second.nc")]
        with h5py.File(paths[1], "r+") as f:
            f["time"][...] = np.arange(2000.0) + 2000
        result = self.meanwhile(paths, lambda: os.replace(climate(self.path("small.nc")), paths[1]))
        self.refused(result, 3, r"second\.nc has changed since it was opened", seconds=60, folder=self.out)

    def test_claims_more_than_there_is(self):
        """A contiguous variable whose space has been overwritten by a larger one: refused before anything is planned with its size."""
        path = self.path("claims.nc")
        with h5py.File(path, "w") as f:
            f.create_dataset("a", data=np.zeros((12, 5)))
            f.create_dataset("b", data=np.zeros((12, 5, 6)))
        b = bytearray(Path(path).read_bytes())
        claims = [(b"\x06" + bytes(7), 2**54), (b"\x06" + bytes(7), 2**58)]
        for old, new in claims:
            with self.subTest(new=new):
                c = bytearray(b)
                self.assertEqual(c.count(old), 2, "the length and the greatest length")
                c = c.replace(old, new.to_bytes(8, "little"))
                Path(path).write_bytes(c)
                self.refused(varve("mean", "-d", "phony_dim_0", path, "-o", os.path.join(self.out, "o.nc"), "-O"), 3, r"claims\.nc", "truncated", seconds=20,
                             folder=self.out)
                self.refused(varve("mean", "-d", "phony_dim_1", path, "-o", os.path.join(self.out, "o.nc"), "-O"), 3, r"claims\.nc", "truncated", seconds=20,
                             folder=self.out)

    def test_replaced_behind_the_cache(self):
        """Another file of the same size and time of change, as a restored backup may be: its chunks are not where they were."""
        path = climate(self.path("replaced.nc"), chunksizes=(8, 5, 7), **SQUEEZED)
        before = os.stat(path)
        cache = self.path("cache")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns - 10**10))
        self.done(self.mean(path, more=["--cache", cache]))
        os.remove(os.path.join(self.out, "o.nc"))
        b = bytearray(Path(path).read_bytes())
        b[len(b) // 4:] = bytes(len(b) - len(b) // 4)
        Path(path).write_bytes(b)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns - 10**10))
        result = self.mean(path, more=["--cache", cache])
        self.refused(result, 3, r"replaced\.nc", seconds=20, folder=self.out)

    # --- units and times ---

    def test_units_that_are_no_dates(self):
        for units in ("fortnights since the flood", "days since 2000-13-45", "hours since", "since", "", "days since 1e400-01-01", "\udcff since 0",
                      "months since 1990-01-01 25:99:99", "days since 99999999999999999999-01-01", 7):
            path = climate(self.path("units.nc"))
            with h5py.File(path, "r+") as f:
                f["time"].attrs["units"] = units if isinstance(units, int) else np.bytes_(units.encode("utf-8", "surrogateescape"))
            with self.subTest(units=units):
                self.done(varve("info", path))
                self.done(varve("info", "--json", path))
                self.done(self.mean(path, more=["-O"]))

    def test_times_in_any_order(self):
        path = climate(self.path("order.nc"))
        with h5py.File(path, "r+") as f:
            t = f["time"]
            t[:] = np.random.default_rng(3).permutation(t[:])
            t[3], t[5] = np.nan, 1e300
        self.done(varve("info", path))
        self.done(self.mean(path))

    # --- limits ---

    def test_file_size_limit(self):
        """ulimit -f: SIGXFSZ ends nobody; outputs and the scratch file fail like on a full disk."""
        x = np.random.default_rng(2).normal(size=(12, 300, 300)).astype("f4")
        path = support.make(self.path("wide.nc"), {"time": 12, "y": 300, "x": 300}, {"x": (("time", "y", "x"), x, dict(chunksizes=(5, 150, 100), **SQUEEZED))})
        for args, env, pattern in [(["mean", "-d", "time"], {}, "varve-part"), (["rechunk", "-c", "time=12,y=20,x=20"], {"VARVE_STORE": "0"}, "scratch|varve-part")]:
            for ranks in (0, 2):
                with self.subTest(command=args[0], ranks=ranks):
                    command = support.command(support.binary(), [*args, path, "-o", os.path.join(self.out, "o.nc")], ranks)
                    # the files that mpirun and its processes share are larger than the limit of a process should be
                    run = command if ranks else ["bash", "-c", 'ulimit -f 100; exec "$@"', "bash", *command]
                    if ranks:
                        at = run.index(support.binary())
                        run = run[:at] + ["bash", "-c", 'ulimit -f 100; exec "$@"', "bash"] + run[at:]
                        env = {**env, "OMPI_MCA_btl": "self,tcp"}
                    self.refused(support.run(run, env=env), 5, pattern, "(?i)too large", seconds=30, folder=self.out)

    def test_scratch_directory_is_looked_at_first(self):
        path = climate(self.path("good.nc"))
        for scratch in ("/no/such/directory", path):
            result = self.mean(path, more=["--scratch", scratch])
            self.refused(result, 2, scratch, folder=self.out)

    # --- one of many ---

    def test_one_of_a_hundred_cannot_be_opened(self):
        good = climate(self.path("good.nc"), (2, 3, 4))
        for kind in ("dangling", "folder", "damaged", "forbidden"):
            folder = self.path(kind)
            os.mkdir(folder)
            for i in range(100):
                os.link(good, os.path.join(folder, f"f{i:03}.nc"))
            bad = os.path.join(folder, "f057.nc")
            os.remove(bad)
            if kind == "dangling":
                os.symlink("/no/where", bad)
            elif kind == "folder":
                os.mkdir(bad)
            elif kind == "damaged":
                Path(bad).write_bytes(Path(good).read_bytes()[:2000])
            else:
                shutil.copy(good, bad)
                os.chmod(bad, 0)
                if os.geteuid() == 0:
                    continue  # root may read everything
            for ranks in (0, 2):
                with self.subTest(kind=kind, ranks=ranks):
                    result = self.mean(*sorted(glob.glob(os.path.join(folder, "*"))), ranks=ranks)
                    self.refused(result, 3, r"f057\.nc", seconds=30, folder=self.out)


if __name__ == "__main__":
    support.main()
