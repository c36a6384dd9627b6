#!/usr/bin/python3
# timeout: 200
# builds: release asan
"""varve ... --append: new steps behind those of a file, stored as the file stores what it has.

Every kind of storage is appended to by varve and, for comparison, by netCDF4-python; both files must read the same afterwards, the old steps with
the bits that they had. What does not fit is refused with the file as it was. A run that fails or is killed leaves the file as it was.
"""
import hashlib
import os
import shutil
import signal
import subprocess
import time

import h5py
import netCDF4
import numpy as np
import xarray

import support
from support import make, varve

OLD, NEW, NY, NX = 7, 40, 100, 300  # new steps are more than what one rank writes alone
T = np.round(280 + 15 * np.random.default_rng(3).normal(0, 1, (OLD + NEW, NY, NX)), 2).astype("f4")
T[:, 4, 5] = T[9, 10:20] = np.nan
DAYS = "days since 2001-01-01"


def field(path, steps, name="t", dims=("time", "lat", "lon"), units=DAYS, dtype="f8", unlimited=True, more=None, attrs=None, **storage):
    """t(time, lat, lon) of some of the steps, and small variables of all kinds."""
    t = T[steps]
    n = len(t)
    at = np.arange(steps.start, steps.stop)
    scale, offset = storage.pop("scale", None), storage.pop("offset", None)
    fill = storage.pop("fill", np.float32(1e20))
    if scale:
        t = np.where(np.isnan(t), fill, np.rint((t.astype("f8") - offset) / scale)).astype(np.asarray(fill).dtype)
        attrs = {"scale_factor": scale, "add_offset": offset, **(attrs or {})}
    else:
        t = t.astype(storage.pop("type", "f4"))
        t[np.isnan(t)] = fill
    when = {DAYS: at * 1.0, "hours since 2000-12-31": (at + 1) * 24.0, "nanoseconds since 2001-01-01": at * 86400 * 10**9}[units].astype(dtype)
    half = {DAYS: 0.5, "hours since 2000-12-31": 12, "nanoseconds since 2001-01-01": 43200 * 10**9}[units]
    bounds = np.stack([when - half, when + half], axis=1)
    variables = {
        "time": (("time",), when, {"attrs": {"units": units, "calendar": "standard", "bounds": "time_bnds", "standard_name": "time"}}),
        "time_bnds": (("time", "bnds"), bounds if dtype == "f8" else bounds.astype("f8")),
        "lat": support.axis(NY, "lat"), "lon": support.axis(NX, "lon"),
        name: (dims, t.transpose([("time", "lat", "lon").index(d) for d in dims]), {"fill_value": fill, "attrs": {"units": "K", **(attrs or {})}, **storage}),
        "co2": (("time",), (400 + at).astype("f4"), {"attrs": {"units": "ppm"}}),
        "orog": (("lat", "lon"), np.arange(NY * NX, dtype="f4").reshape(NY, NX)),
        **(more or {})}
    return make(path, {"time": (n,) if unlimited else n, "bnds": 2, "lat": NY, "lon": NX}, variables, {"history": "made by hand", "title": "x"})


def reference(path, out):
    """What netCDF4-python makes of the same."""
    shutil.copy(path, out)
    with netCDF4.Dataset(out, "a") as f:
        n = len(f.dimensions["time"])
        at = np.arange(n, OLD + NEW)
        f["time"][n:] = at
        f["time_bnds"][n:] = np.stack([at - 0.5, at + 0.5], axis=1)
        f["co2"][n:] = 400 + at
        packed = "scale_factor" in f["t"].ncattrs()
        if packed:
            f["t"][n:] = np.ma.masked_invalid(T[n:])
    if not packed:  # netCDF4-python takes both byte orders for one
        with h5py.File(out, "a") as f:
            f["t"].resize(OLD + NEW, axis=0)
            f["t"][n:] = np.where(np.isnan(T[n:]), f["t"].attrs["_FillValue"].astype("f8"), T[n:])
    return out


def everything(path, **how):
    with netCDF4.Dataset(path) as f:
        return {name: np.ma.filled(v[...].astype("f8"), np.nan) if v.dtype != "S1" else v[...] for name, v in f.variables.items()}


def digest(path):
    return hashlib.sha256(open(path, "rb").read()).hexdigest()


def tool(*argv):
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True, env=support.environment(), timeout=60)
    if done.returncode:
        raise AssertionError(f"{argv}: {done.stdout}{done.stderr}")
    return done.stdout


CHUNKED = {"chunksizes": (5, 40, 130)}
STORAGE = {
    "plain": CHUNKED,
    "deflate": {**CHUNKED, "zlib": True, "complevel": 4, "shuffle": True},
    "no shuffle": {**CHUNKED, "zlib": True, "complevel": 1, "shuffle": False},
    "sums": {**CHUNKED, "zlib": True, "complevel": 1, "shuffle": True, "fletcher32": True},
    "sums alone": {**CHUNKED, "fletcher32": True},
    "big endian": {**CHUNKED, "zlib": True, "endian": "big"},
    "big endian plain": {**CHUNKED, "endian": "big"},
    "packed": {**CHUNKED, "zlib": True, "scale": 0.01, "offset": 250.0, "fill": np.int16(-32768)},
    "double": {**CHUNKED, "zlib": True, "type": "f8", "fill": 1e20},
    "long chunks": {"chunksizes": (100, 25, 25), "zlib": True},
    "one step": {"chunksizes": (1, NY, NX), "zlib": True},
    "whole chunks": {"chunksizes": (7, 50, 150), "zlib": True},
}


class Append(support.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared = cls.shared_folder()
        cls.new = field(os.path.join(cls.shared, "new.nc"), slice(OLD, OLD + NEW), chunksizes=(5, 40, 130), zlib=True)

    def old(self, name="f.nc", **storage):
        return field(self.path(name), slice(0, OLD), **(storage or CHUNKED))

    def append(self, path, *options, new=None, ranks=2, how=("select", "time=:")):
        return self.run_ok(*how, new or self.new, "--append", "-o", path, *options, ranks=ranks)

    def same(self, path, expected, note=""):
        got, want = everything(path), everything(expected)
        self.assertEqual(list(got), list(want))
        for name in want:
            np.testing.assert_array_equal(got[name], want[name], f"{note} {name}")

    # --- storage ---

    def test_every_storage(self):
        for name, storage in STORAGE.items():
            with self.subTest(name):
                path = self.old(name + ".nc", **storage)
                before, t = everything(path), support.raw_bytes(path)["t"][2]
                expected = reference(path, self.path("expected.nc"))
                with h5py.File(path) as f:
                    old_filters, old_chunks = [f["t"].id.get_create_plist().get_filter(i) for i in range(f["t"].id.get_create_plist().get_nfilters())], f["t"].chunks
                self.append(path, ranks=2 if name == "deflate" else 0)
                self.same(path, expected, name)
                with h5py.File(path) as f:
                    p = f["t"].id.get_create_plist()
                    self.assertEqual([p.get_filter(i) for i in range(p.get_nfilters())], old_filters)
                    self.assertEqual(f["t"].chunks, old_chunks)
                self.assertEqual(support.raw_bytes(path)["t"][2][:len(t)], t, "old steps keep their bits")
                self.no_parts(self.dir)

    def test_larger_and_zstd(self):
        """72 MB in zstd, one step and then the rest: what one run writes at once, in the file's own chunks and filter."""
        everything = "virtual:t?shape=time:300,y:200,x:300&chunk=7,100,150"
        path, whole = self.path("big.nc"), self.path("whole.nc")
        self.run_ok("select", "time=#:122", everything, "--filter", "zstd:2", "--unlimited", "time", "-o", path, ranks=2)
        with h5py.File(path) as f:
            chunks, filters = f["t"].chunks, f["t"].id.get_create_plist().get_filter(1)
        self.assertEqual(filters[0], 32015)
        for ranks, part in (0, "#122:123"), (2, "#123:"):
            self.run_ok("select", f"time={part}", everything, "--append", "-o", path, ranks=ranks)
        self.run_ok("select", "time=#:", everything, "-o", whole, ranks=2)
        self.run_ok("select", "time=#:", path, "--filter", "none", "-o", self.path("read.nc"), ranks=2)
        with h5py.File(path) as f, h5py.File(whole) as want, h5py.File(self.path("read.nc")) as got:
            self.assertEqual((f["t"].shape, f["t"].chunks, f["t"].id.get_create_plist().get_filter(1)), ((300, 200, 300), chunks, filters))
            self.assertGreater(os.path.getsize(path), 40e6)
            self.assertEqual(got["t"][()].tobytes(), want["t"][()].tobytes())
            self.assertEqual(f["time"][()].tolist(), want["time"][()].tolist())

    def test_ranks_and_pieces(self):
        """The same on any number of ranks, at once or step by step, by any command."""
        digests = set()
        for ranks in (0, 3, 4):
            path = self.old(f"r{ranks}.nc", **STORAGE["deflate"])
            self.append(path, ranks=ranks, how=("select", "time=:"))
            with h5py.File(path) as f:
                chunks = f["t"].id
                stored = [chunks.read_direct_chunk(chunks.get_chunk_info(i).chunk_offset)[1] for i in range(chunks.get_num_chunks())]
            digests.add(hash((str(support.raw_bytes(path)), tuple(stored))))
        self.assertEqual(len(digests), 1, "values and stored chunks")
        whole, pieces = self.old("whole.nc", **STORAGE["deflate"]), self.old("pieces.nc", **STORAGE["deflate"])
        self.append(whole)
        for cut in ("#0:1", "#1:3", "#3:38", "#38:"):
            self.append(pieces, how=("select", f"time={cut}"), ranks=0)
        self.same(pieces, whole)

    def test_results_with_chunks_that_are_copied(self):
        """Where borders of chunks meet they go over as they are stored."""
        path = self.old("c.nc", chunksizes=(7, 50, 150), zlib=True, complevel=1, shuffle=True)
        new = field(self.path("n.nc"), slice(OLD, OLD + NEW), chunksizes=(7, 50, 150), zlib=True, complevel=1, shuffle=True)
        text = self.run_ok("concat", "-d", "time", new, "--append", "-o", path, "--explain").out
        self.assertIn("copied as stored", text)
        expected = reference(path, self.path("expected.nc"))
        self.append(path, new=new)
        self.same(path, expected)

    def test_other_programs(self):
        path = self.old(**STORAGE["deflate"])
        expected = reference(path, self.path("expected.nc"))
        self.append(path)
        self.assertEqual(tool("cdo", "-s", "ntime", path).split()[-1], str(OLD + NEW))
        header = tool("ncdump", "-h", path)
        self.assertIn(f"time = UNLIMITED ; // ({OLD + NEW} currently)", header)
        self.assertRegex(header, r'history = ".*varve select.*\\nmade by hand"')
        self.assertEqual(tool("cdo", "-s", "diffn", path, expected).strip(), "")
        for engine in ("netcdf4", "h5netcdf"):
            with xarray.open_dataset(path, engine=engine) as a, xarray.open_dataset(expected, engine=engine) as b:
                xarray.testing.assert_equal(a, b)
        tool("nccopy", path, self.path("copy.nc"))
        self.same(self.path("copy.nc"), expected)
        tool("h5diff", self.path("copy.nc"), path, "/t", "/t")
        with netCDF4.Dataset(path, "a") as f:
            f["t"][OLD + NEW] = T[0]
            f["time"][OLD + NEW] = 1000
        self.assertEqual(everything(path)["t"].shape[0], OLD + NEW + 1)
        tool("ncrcat", "-O", path, path, self.path("twice.nc"))

    def test_a_file_that_is_not_there_is_made(self):
        path = self.path("made.nc")
        fixed = field(self.path("fixed.nc"), slice(0, OLD), unlimited=False, zlib=True)
        self.append(path, "--deflate", "1", new=fixed, ranks=0)
        self.append(path, "--deflate", "1", ranks=0)
        with netCDF4.Dataset(path) as f:
            self.assertTrue(f.dimensions["time"].isunlimited())
            self.assertTrue(f["t"].filters()["zlib"])
        np.testing.assert_array_equal(support.values(path, "t"), T)
        named = self.path("named.nc")
        for _ in range(2):
            self.run_ok("stack", "-d", "run", fixed, fixed, "--append=run", "-v", "co2", "-o", named)
        self.assertEqual(support.values(named, "co2").shape, (4, OLD))

    def test_reductions_step_by_step(self):
        path = self.path("means.nc")
        for k in range(3):
            part = field(self.path("part.nc"), slice(10 * k, 10 * k + 10))
            self.run_ok("mean", "-d", "time", "--keepdims", part, "-v", "t", "--append=time", "-o", path)
        want = np.stack([np.nanmean(T[10 * k:10 * k + 10].astype("f8"), axis=0).astype("f4") for k in range(3)])
        np.testing.assert_array_equal(support.values(path, "t"), want)
        with netCDF4.Dataset(path) as f:
            np.testing.assert_array_equal(f["time"][...], [4.5, 14.5, 24.5])
            np.testing.assert_array_equal(f["time_bnds"][...], [[-0.5, 9.5], [9.5, 19.5], [19.5, 29.5]])

    # --- what is converted ---

    def test_units_of_time(self):
        for units, dtype in [("hours since 2000-12-31", "f8"), ("nanoseconds since 2001-01-01", "i8"), ("hours since 2000-12-31", "i4")]:
            for theirs in ("f8", "i4"):
                with self.subTest(units, theirs=theirs):
                    path = field(self.path("u.nc"), slice(0, OLD), dtype=theirs, **CHUNKED)
                    new = field(self.path("n.nc"), slice(OLD, OLD + 3), units=units, dtype=dtype)
                    self.append(path, new=new, ranks=0)
                    with netCDF4.Dataset(path) as f:
                        np.testing.assert_array_equal(f["time"][...], np.arange(OLD + 3))
                        np.testing.assert_array_equal(f["time_bnds"][OLD:, 0], np.arange(OLD, OLD + 3) - 0.5)

    def test_packing(self):
        """Packed with the file's scale and offset, whether the new values were packed otherwise, alike or not at all."""
        kinds = {"alike": STORAGE["packed"], "otherwise": {"scale": 0.005, "offset": 280.0, "fill": np.int16(32767)}, "not": {}}
        for name, storage in kinds.items():
            with self.subTest(name):
                path = self.old("p.nc", **STORAGE["packed"])
                new = field(self.path("n.nc"), slice(OLD, OLD + NEW), **storage)
                self.append(path, new=new, ranks=0)
                with netCDF4.Dataset(path) as f:
                    got = np.ma.filled(f["t"][...], np.nan)
                np.testing.assert_allclose(got, T, atol=0.0051)
                np.testing.assert_array_equal(np.isnan(got), np.isnan(T))

    # --- what is refused ---

    def check_refused(self, path, code, *patterns, new=None, options=(), how=("select", "time=:"), ranks=0):
        before = digest(path), os.stat(path).st_mtime_ns, sorted(os.listdir(self.dir))
        result = varve(*how, new or self.new, "--append", "-o", path, *options, ranks=ranks)
        self.refused(result, code, *patterns)
        self.assertEqual((digest(path), os.stat(path).st_mtime_ns, sorted(os.listdir(self.dir))), before, "the file is as it was")

    def test_refusals(self):
        def new(**how):
            return field(self.path("n.nc"), slice(how.pop("start", OLD), how.pop("stop", OLD + 2)), **how)

        path = self.old()
        cases = {
            "again": (new(start=0), "ends with 2001-01-07, and what is appended begins with 2001-01-01"),
            "overlap": (new(start=OLD - 1), "ends with 2001-01-07, and what is appended begins with 2001-01-07"),
            "dims": (new(dims=("lat", "time", "lon")), r"'t' is \(time: 7, lat: 100, lon: 300\) there and \(lat: 100, time: 2, lon: 300\) here"),
            "units": (new(attrs={"units": "degC"}), "'t' has the units 'K' there and 'degC' here"),
        }
        for name, (file, pattern) in list(cases.items()):
            moved = self.path(name + "-new.nc")
            shutil.copy(file, moved)
            cases[name] = (moved, pattern)
        for make_case in ("again", "overlap", "dims", "units"):
            file = {"again": lambda: new(start=0), "overlap": lambda: new(start=OLD - 1), "dims": lambda: new(dims=("lat", "time", "lon")),
                    "units": lambda: new(attrs={"units": "degC"})}[make_case]()
            with self.subTest(make_case):
                self.check_refused(path, 2, cases[make_case][1], new=file)
        with self.subTest("grid"):
            file = new()
            with netCDF4.Dataset(file, "a") as f:
                f["lat"][3] = 17
            self.check_refused(path, 2, r"'lat' is -75.15\d* at position 3 there and 17 here", new=file)
        with self.subTest("calendar"):
            file = new()
            with netCDF4.Dataset(file, "a") as f:
                f["time"].units, f["time"].calendar = "hours since 2001-01-01", "noleap"
            self.check_refused(path, 2, "has the calendar standard there and noleap here", new=file)
        with self.subTest("backwards"):
            file = new()
            with netCDF4.Dataset(file, "a") as f:
                f["time"][:] = [30, 29]
            self.check_refused(path, 2, "goes from 2001-01-31 to 2001-01-30 within what is appended", new=file)
        with self.subTest("variables"):
            more = field(self.path("m.nc"), slice(0, OLD), more={"pr": (("time",), np.zeros(OLD))})
            self.check_refused(more, 2, "its variable 'pr' runs along 'time', too", new=new())
            other = field(self.path("o.nc"), slice(0, OLD), name="pr")
            self.check_refused(other, 3, "it has no variable 't'", new=new())
        with self.subTest("reduced"):
            self.check_refused(path, 2, "'t' has no dimension 'time' here", how=("mean", "-d", "time"), options=("-v", "t"), new=new())
        with self.subTest("fixed"):
            self.check_refused(field(self.path("x.nc"), slice(0, OLD), unlimited=False), 2, "none of its dimensions can grow", new=new())
        with self.subTest("named"):
            self.check_refused(path, 3, "no dimension 'tim'; did you mean 'time'", options=("--append=tim",), new=new())
        with self.subTest("range"):
            packed = self.old("q.nc", **{**STORAGE["packed"], "scale": 0.0001})
            self.check_refused(packed, 2, r"value \S+ at position .* cannot be stored as i16 packed with scale 0.0001 and offset 250", ranks=2)
        with self.subTest("time"):
            whole = field(self.path("w.nc"), slice(0, OLD), dtype="i4")
            file = new()
            with netCDF4.Dataset(file, "a") as f:
                f["time"][:] = [7.25, 8.25]
            self.check_refused(whole, 2, "'time': 7.25 is no i32 there", new=file)
        with self.subTest("classic"):
            tool("nccopy", "-3", path, self.path("classic.nc"))
            self.check_refused(self.path("classic.nc"), 3, "its format is .*nccopy -4", new=new())
        with self.subTest("both"):
            self.check_refused(path, 2, "append .*overwrite", options=("-O",), new=new())
        with self.subTest("szip or so"):
            other = self.path("z.nc")
            tool("h5repack", "-f", "t:NBIT", path, other)
            self.check_refused(other, 3, "through the HDF5 library by one rank", new=self.new)

    def test_locked_and_changed(self):
        import fcntl
        import struct
        path = self.old()
        with open(path, "r+b") as f:
            fcntl.fcntl(f, 37, struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))  # F_OFD_SETLK
            self.check_refused(path, 5, "somebody else is writing to it")
        link = self.path("link.nc")
        os.symlink(path, link)
        self.append(link, ranks=0)
        self.assertTrue(os.path.islink(link))
        self.assertEqual(support.values(path, "t").shape[0], OLD + NEW)

    # --- nothing is lost ---

    def one_fault(self, fault):
        folder = self.path("run " + fault)
        os.mkdir(folder)
        copy = os.path.join(folder, "f.nc")
        shutil.copy(self.path("f.nc"), copy)
        result = varve("select", "time=:", self.new, "--append", "-o", copy, "--threads", "1", ranks=2, timeout=30, env={"VV_FAULT": fault})
        return fault, copy, result

    def test_faults(self):
        """Places that can fail, on either rank: the file is as it was, or complete."""
        path, complete = self.old(**STORAGE["deflate"]), self.path("complete.nc")
        shutil.copy(path, complete)
        self.append(complete)
        before, failed = digest(path), 0
        cases = ["create:1@0", "create:2@0", "read:1@0", "read:3@1", "write:1@0", "write:9@0", "write:2@1", "place:1@0", "compress:2@1",
                 "sync:2@0", "rename:1@0", "alloc:20@1", "write:1@0!kill", "write:3@1!kill", "place:1@0!kill", "rename:1@0!kill"]
        for fault, copy, result in support.side_by_side(self.one_fault, cases):
            with self.subTest(fault):
                self.assertFalse(result.hung, result)
                if result.code == 0:
                    self.same(copy, complete)
                    continue
                failed += 1
                self.assertEqual(digest(copy), before, result)
                if "!kill" not in fault:
                    self.no_parts(os.path.dirname(copy), result)
        self.assertGreater(failed, 12)

    def test_killed_at_any_time(self):
        path, complete = self.old(**STORAGE["deflate"]), self.path("complete.nc")
        shutil.copy(path, complete)
        began = time.monotonic()
        self.append(complete, ranks=0)
        seconds, before = time.monotonic() - began, digest(path)
        killed = 0
        for k in range(8):
            job = support.start("select", "time=:", self.new, "--append", "-o", path)
            time.sleep(seconds * (k + 1) / 9)
            try:
                os.killpg(job.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            job.wait(20)
            if digest(path) != before:
                break
            killed += 1
        if digest(path) != before:
            self.same(path, complete)
        self.assertGreater(killed, 2)
        for name in os.listdir(self.dir):
            if support.PART in name:
                os.unlink(self.path(name))
        if digest(path) == before:
            self.append(path, ranks=0)
        self.same(path, complete)


if __name__ == "__main__":
    support.main()
