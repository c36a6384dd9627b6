#!/usr/bin/python3
"""Many files as one dataset: the bits of one file, whatever the files are called and whichever ranks read their headers; what files may
disagree about and what they may not; errors that name the file; the cache of headers.

timeout: 300
cores: 1
"""
import json
import os
import random
import re
import shutil
import subprocess
import time
from pathlib import Path

import h5py
import netCDF4
import numpy as np

import support

N, STEPS, LAT, LON = 24, 3, 6, 8
UNITS = "days since 2001-01-01"


class ManyFiles(support.Case):
    def setUp(self):
        super().setUp()
        self.rng = np.random.default_rng(7)
        self.data = self.rng.normal(280, 15, (N * STEPS, LAT, LON)).astype("f4")
        self.data[5, 2, 3] = np.nan

    def coordinates(self, times, units=UNITS, bounds=False, lat=None, dtype="f8", calendar="standard"):
        times = np.asarray(times, dtype)
        attrs = {"units": units, "calendar": calendar, "axis": "T"}
        out = {"time": (("time",), times, {"attrs": attrs}),
               "lat": (("lat",), np.linspace(-80, 80, LAT) if lat is None else lat, {"attrs": {"units": "degrees_north"}}),
               "lon": support.axis(LON, "lon")}
        if bounds:
            attrs["bounds"] = "time_bnds"
            out["time_bnds"] = (("time", "nv"), np.stack([times - 0.5, times + 0.5], -1), {})
        return out

    def write(self, name, data, times, extra=None, options=None, attrs=None, **coordinates):
        variables = self.coordinates(times, **coordinates)
        options = dict(options or {})
        options.setdefault("attrs", {}).setdefault("units", "K")
        variables["t2m"] = (("time", "lat", "lon"), data, options)
        variables.update(extra or {})
        dims = {"time": (len(times),), "lat": LAT, "lon": LON, "nv": 2}
        return support.make(self.path(name), dims, variables, attrs or {"title": "series"})

    def series(self, options=None, folder="s", **coordinates):
        """N files whose names are in another order than their times; the pattern that matches them."""
        os.makedirs(self.path(folder), exist_ok=True)
        names = list(range(N))
        random.Random(3).shuffle(names)
        for i in range(N):
            part = slice(i * STEPS, (i + 1) * STEPS)
            self.write(f"{folder}/x{names[i]:03}.nc", self.data[part], np.arange(N * STEPS)[part], options=options, **coordinates)
        return self.path(folder + "/x*.nc")

    def one_file(self, options=None, **coordinates):
        return self.write("one.nc", self.data, np.arange(N * STEPS), options=options, **coordinates)

    def same(self, a, b, note=""):
        a, b = support.raw_bytes(a), support.raw_bytes(b)
        self.assertEqual(sorted(a), sorted(b), note)
        for name in a:
            self.assertEqual(a[name], b[name], f"{name} {note}")

    def check_like_one(self, options, commands, ranks=(0,), **coordinates):
        pattern, one = self.series(options, **coordinates), self.one_file(options, **coordinates)
        for number, words in enumerate(commands):
            expected = self.path(f"one{number}.nc")
            self.run_ok(*words, one, "-O", "-o", expected)
            for n in ranks:
                out = self.path("joined.nc")
                self.run_ok(*words, pattern, "-O", "-o", out, ranks=n)
                self.same(out, expected, f"{words} on {n} ranks")

    # --- the same as one file ---

    def test_chunks(self):
        squeezed = dict(support.SQUEEZED, chunksizes=(STEPS, LAT, LON))
        commands = [["mean", "-d", "time"], ["reduce", "-m", "mean,std,max", "-d", "time,lon"], ["sum", "-d", "lat,lon"]]
        self.check_like_one(squeezed, commands, ranks=(0, 2), bounds=True)

    def test_four_ranks(self):
        self.check_like_one(dict(support.SQUEEZED, chunksizes=(1, 4, 8)), [["var", "-d", "time,lat"]], ranks=(1, 4))

    def test_contiguous(self):
        folder = self.path("c")
        os.makedirs(folder)
        for i in range(N):
            part = slice(i * STEPS, (i + 1) * STEPS)
            support.make(f"{folder}/x{N - i:03}.nc", {"time": STEPS, "lat": LAT, "lon": LON},
                         {**self.coordinates(np.arange(N * STEPS)[part]), "t2m": (("time", "lat", "lon"), self.data[part], {})})
        one = support.make(self.path("one.nc"), {"time": N * STEPS, "lat": LAT, "lon": LON},
                           {**self.coordinates(np.arange(N * STEPS)), "t2m": (("time", "lat", "lon"), self.data, {})})
        for dims in ("time", "lat,lon", "time,lat,lon"):
            self.run_ok("mean", "-d", dims, folder + "/x*.nc", "-O", "-o", self.path("a.nc"))
            self.run_ok("mean", "-d", dims, one, "-O", "-o", self.path("b.nc"))
            self.same(self.path("a.nc"), self.path("b.nc"), dims)

    def test_lengths_of_months(self):
        """Chunks as long as their file, of 28 to 31 steps: they do not fit one grid, but every one is read once."""
        lengths, ny, nx = [31, 28, 31, 30, 31, 30], 60, 100
        data = self.rng.normal(size=(sum(lengths), ny, nx)).astype("f4")
        begin = 0
        for i, n in enumerate(lengths):
            support.make(self.path(f"m{i}.nc"), {"time": (n,), "lat": ny, "lon": nx},
                         {"time": self.coordinates(np.arange(begin, begin + n))["time"],
                          "t2m": (("time", "lat", "lon"), data[begin:begin + n], dict(zlib=True, complevel=1, chunksizes=(n, ny, nx)))})
            begin += n
        self.run_ok("max", "-d", "time", self.path("m[0-9].nc"), "-o", self.path("max.nc"))
        self.assertTrue(np.array_equal(support.values(self.path("max.nc"), "t2m"), data.max(0)))
        for n in (0, 2):
            self.run_ok("mean", "-d", "time", self.path("m[0-9].nc"), "-O", "-o", self.path(f"mean{n}.nc"), ranks=n)
        self.same(self.path("mean0.nc"), self.path("mean2.nc"))
        exact = data.astype("f8").mean(0).astype("f4")
        self.assertLessEqual(support.ulps(support.values(self.path("mean0.nc"), "t2m"), exact).max(), 1)
        explained = json.loads(self.run_ok("mean", "-d", "time", self.path("m[0-9].nc"), "-o", self.path("x.nc"), "--explain=json").out)
        self.assertEqual(max(s.get("amplification", 1) for s in explained["steps"]), 1)

    def test_downward_and_another_dimension(self):
        lat = np.linspace(80, -80, 2 * LAT)
        data = self.rng.normal(size=(4, 2 * LAT, LON)).astype("f4")
        self.write("a.nc", data[:, LAT:], np.arange(4), lat=lat[LAT:])
        self.write("b.nc", data[:, :LAT], np.arange(4), lat=lat[:LAT])
        self.run_ok("max", "-d", "time", self.path("a.nc"), self.path("b.nc"), "-o", self.path("o.nc"))
        self.assertTrue(np.array_equal(support.values(self.path("o.nc"), "lat"), lat))
        self.assertTrue(np.array_equal(support.values(self.path("o.nc"), "t2m"), data.max(0)))

    # --- what files may disagree about ---

    def test_units_of_time(self):
        self.write("a.nc", self.data[:3], [364, 365, 366], units="days since 2000-01-01", bounds=True, dtype="i4")
        self.write("b.nc", self.data[3:6], [24, 48, 72], units="hours since 2001-01-01", bounds=True)
        info = json.loads(self.run_ok("info", "--json", self.path("[ab].nc")).out)
        self.assertEqual(info["dimensions"]["time"]["length"], 6)
        self.run_ok("mean", "-d", "lat,lon", self.path("[ab].nc"), "-o", self.path("o.nc"))
        with netCDF4.Dataset(self.path("o.nc")) as f:
            self.assertEqual(f["time"].units, "days since 2000-01-01")
            self.assertEqual(list(f["time"][:]), [364, 365, 366, 367, 368, 369])
            bounds = [[363.5, 364.5], [364.5, 365.5], [365.5, 366.5], [367 - 0.5 / 24, 367 + 0.5 / 24],
                      [368 - 0.5 / 24, 368 + 0.5 / 24], [369 - 0.5 / 24, 369 + 0.5 / 24]]
            self.assertTrue(np.allclose(f["time_bnds"][:], bounds, rtol=0, atol=1e-9), f["time_bnds"][:])
            self.assertTrue(f.dimensions["time"].isunlimited())
        self.run_ok("max", "-v", "time", self.path("[ab].nc"), "-o", self.path("m.nc"))
        self.assertEqual(support.values(self.path("m.nc"), "time"), 369)

    def test_packing(self):
        packed = [(0.01, 270.0, -32768, "i2"), (0.02, 280.0, -1, "i2"), (0.5, 0.0, 255, "u1"), (None, None, None, "f4")]
        decoded = []
        for i, (scale, offset, fill, dtype) in enumerate(packed):
            raw = self.rng.integers(0, 200, (STEPS, LAT, LON)).astype(dtype)
            attrs = {"units": "K"}
            options = {"attrs": attrs}
            value = raw.astype("f8")
            if scale:
                raw[0, 0, i] = fill
                attrs.update(scale_factor=scale, add_offset=offset)
                options["fill_value"] = fill
                value = np.where(raw == np.array(fill).astype(dtype), np.nan, raw.astype("f8") * scale + offset)
            decoded.append(value)
            self.write(f"p{i}.nc", raw, np.arange(STEPS) + i * STEPS, options=options)
        for n in (0, 2):
            self.run_ok("max", "-d", "lat", self.path("p*.nc"), "-O", "-o", self.path("o.nc"), ranks=n)
            self.assertTrue(np.array_equal(support.values(self.path("o.nc"), "t2m"), np.nanmax(np.concatenate(decoded), 1)))

    def test_variables_in_some(self):
        extra = {"extra": (("time",), np.arange(3.0), {}), "static": (("lat",), np.arange(6.0), {})}
        self.write("a.nc", self.data[:3], np.arange(3))
        self.write("b.nc", self.data[3:6], np.arange(3, 6), extra=extra)
        result = self.run_ok("mean", "-d", "time", self.path("a.nc"), self.path("b.nc"), "-o", self.path("o.nc"))
        self.assertRegex(result.err, r"'extra' of .*b\.nc is left out: .*a\.nc does not have it along 'time'")
        with netCDF4.Dataset(self.path("o.nc")) as f:
            self.assertNotIn("extra", f.variables)
            self.assertEqual(list(f["static"][:]), list(range(6)))
        self.refused(support.varve("mean", "-v", "extra", self.path("a.nc"), self.path("b.nc"), "-q", "--log", "error"), (2, 3), "no variable 'extra'")

    def test_gap_and_attributes(self):
        self.write("a.nc", self.data[:3], np.arange(3), options={"attrs": {"standard_name": "air_temperature"}})
        self.write("b.nc", self.data[3:6], np.arange(10, 13), options={"attrs": {"standard_name": "sea_temperature"}}, attrs={"title": "other"})
        result = self.run_ok("mean", "--log", "info", "-d", "time", self.path("[ab].nc"), "-o", self.path("o.nc"))
        self.assertRegex(result.err, r"'time' has 1 gap between files, the longest from 2001-01-03 .*a\.nc\) to 2001-01-11 .*b\.nc")
        self.assertRegex(result.err, r"warn: variable 't2m': attribute 'standard_name' differs: .*a\.nc.*b\.nc")
        self.assertRegex(result.err, r"info: attribute 'title' differs")
        quiet = self.run_ok("mean", "-d", "time", self.series(), "-O", "-o", self.path("o.nc"))
        self.assertEqual(quiet.err, "")

    # --- what they may not ---

    def test_disagreements(self):
        a = self.write("a.nc", self.data[:3], np.arange(3))
        times = np.arange(3, 6)
        rows = [
            ("overlap", dict(times=np.arange(2, 5)), r"a\.nc and .*b\.nc overlap: 'time' .* begins at 2001-01-03, .* ends at 2001-01-03"),
            ("lat", dict(times=times, lat=np.linspace(-81, 80, LAT)), r"differ along two dimensions: .*'lat' differs at position 0: -80 in .*a\.nc, -81 in .*b\.nc"),
            ("units", dict(times=times, options={"attrs": {"units": "degC"}}), r"'t2m' has the units 'K' in .*a\.nc and 'degC' in .*b\.nc"),
            ("calendar", dict(times=times, calendar="noleap"), r"'time' has the calendar standard in .*a\.nc and noleap in .*b\.nc"),
            ("order", dict(times=[3, 5, 4]), r"b\.nc: 'time' does not go one way: 2001-01-05 at position 2 follows 2001-01-06"),
            ("ways", dict(times=[5, 4, 3]), r"'time' goes up in .*a\.nc and down in .*b\.nc"),
            ("nan", dict(times=[3, np.nan, 5]), r"b\.nc: 'time' is missing at position 1"),
            ("same", dict(times=np.arange(3)), r"have the same 'time' and do not differ along any other dimension"),
        ]
        for name, how, pattern in rows:
            with self.subTest(name):
                b = self.write("b.nc", self.data[3:6], **how)
                self.refused(support.varve("mean", "-d", "time", a, b, "-o", self.path("none.nc")), (2, 3), pattern)
        self.refused(support.varve("mean", a, b, "--concat", "tim"), (2, 3), "did you mean 'time'")
        self.refused(support.varve("mean", a, b, "--concat", "lat"), (2, 3), "cannot be joined along 'lat'|overlap")

    def test_a_file_that_cannot_be_opened(self):
        pattern = self.series()
        bad = self.path("s/x500.nc")
        os.makedirs(self.path("out"))
        for name, make, said in [("link", lambda: os.symlink(self.path("nowhere"), bad), "No such file"),
                                 ("directory", lambda: os.mkdir(bad), "is a directory"),
                                 ("text", lambda: Path(bad).write_text("hello"), "a text file"),
                                 ("truncated", lambda: Path(bad).write_bytes(Path(self.path("s/x001.nc")).read_bytes()[:3000]), "truncated")]:
            with self.subTest(name):
                make()
                for n in (0, 2):
                    self.refused(support.varve("mean", "-d", "time", pattern, "-o", self.path("out/o.nc"), ranks=n), (2, 3),
                                 r"x500\.nc", said, folder=self.path("out"), seconds=15)
                os.rmdir(bad) if os.path.isdir(bad) else os.remove(bad)
        self.refused(support.varve("mean", self.path("s/y*.nc")), (2, 3), "no file matches")

    def unprivileged(self):
        """What to put in front of a command that must obey permissions: root may read everything unless it gives that up."""
        if os.geteuid() != 0:
            return []
        power = "-dac_override,-dac_read_search"
        prefix = ["setpriv", "--bounding-set", power, "--inh-caps", power]
        if shutil.which("setpriv") is None or subprocess.run([*prefix, "test", "-x", support.binary()], capture_output=True).returncode:
            self.skipTest("root cannot give up reading what it may not")
        return prefix

    def test_permission_denied_on_the_57th_of_100(self):
        prefix = self.unprivileged()
        os.makedirs(self.path("many"))
        os.makedirs(self.path("out"))
        first = self.write("many/x000.nc", self.data[:1], [0])
        for i in range(1, 100):
            path = self.path(f"many/x{i:03}.nc")
            shutil.copy(first, path)
            with h5py.File(path, "r+") as f:
                f["time"][0] = i
        bad, pattern = self.path("many/x056.nc"), self.path("many/x*.nc")
        os.chmod(bad, 0)
        for ranks in (0, 1, 2, 4):
            argv = prefix + support.command(support.binary(), ["mean", "-d", "time", pattern, "-o", self.path("out/o.nc")], ranks)
            self.refused(support.run(argv), 3, r"x056\.nc", "Permission denied", folder=self.path("out"), seconds=15)
        self.refused(support.run([*prefix, support.binary(), "info", bad]), 3, r"x056\.nc", "Permission denied")
        os.chmod(bad, 0o400)
        self.done(support.run([*prefix, support.binary(), "mean", "-d", "time", pattern, "-o", self.path("out/o.nc")]))
        os.chmod(self.path("many"), 0)  # of a folder that may not be listed nobody knows what is missing
        try:
            self.refused(support.run([*prefix, support.binary(), "mean", pattern]), 3, "cannot be listed", "Permission denied")
        finally:
            os.chmod(self.path("many"), 0o700)

    # --- headers ---

    def test_each_header_once(self):
        pattern = self.series()
        self.run_ok("info", pattern, env={"VV_FAULT": f"open:{N + 1}"})
        self.assertNotEqual(support.varve("info", pattern, env={"VV_FAULT": f"open:{N}"}).code, 0)
        self.run_ok("info", pattern, ranks=2, env={"VV_FAULT": f"open:{N // 2 + 1}"})
        self.assertNotEqual(support.varve("info", pattern, ranks=2, env={"VV_FAULT": f"open:{N // 2}@1"}).code, 0)

    def test_few_descriptors(self):
        pattern, one = self.series(), self.one_file()
        argv = [support.binary(), "mean", "-d", "time", pattern, "-O", "-o", self.path("o.nc"), "--threads", "3"]
        self.done(support.run(["bash", "-c", "ulimit -n 24; exec \"$@\"", "bash", *argv]))
        self.run_ok("mean", "-d", "time", pattern, "-o", self.path("p.nc"))
        self.same(self.path("o.nc"), self.path("p.nc"))

    def settle(self):
        time.sleep(0.1)  # headers of files that changed just now are not kept

    def from_cache(self, pattern, cache, **how):
        result = self.run_ok("info", "--cache", cache, "--log", "debug", pattern, **how)
        return int(re.search(r"headers of \d+ files, (\d+) of them from", result.err)[1]), result

    def test_cache(self):
        pattern, cache = self.series(bounds=True), self.path("cache")
        self.settle()
        self.assertEqual(self.from_cache(pattern, cache, ranks=2)[0], 0)
        found, cached = self.from_cache(pattern, cache)
        self.assertEqual(found, N)
        plain = self.run_ok("info", pattern)
        self.assertEqual(cached.out, plain.out)
        self.run_ok("mean", "-d", "time", pattern, "-o", self.path("plain.nc"))
        self.run_ok("mean", "-d", "time", pattern, "-o", self.path("cached.nc"), env={"VARVE_CACHE": cache}, ranks=2)
        self.same(self.path("plain.nc"), self.path("cached.nc"))
        # nothing is opened any more, not even for what is carried over
        self.run_ok("mean", "-d", "lat,lon", pattern, "-o", self.path("none.nc"), "--cache", cache, env={"VV_FAULT": "open:1"})
        # one file changes in time, one in size, one is new, one has gone
        files = sorted(os.listdir(self.path("s")))
        os.utime(self.path("s/" + files[0]), ns=(1, 10**18))
        with open(self.path("s/" + files[1]), "ab") as f:
            f.write(b"\0" * 8)
        self.write("s/x900.nc", self.data[:3], np.arange(900, 903), bounds=True)
        os.remove(self.path("s/" + files[2]))
        self.settle()
        self.assertEqual(self.from_cache(pattern, cache)[0], N - 3)
        self.assertEqual(self.from_cache(pattern, cache)[0], N)
        self.assertEqual(len(os.listdir(cache)), 1)
        # a single file, by another path
        self.assertEqual(self.from_cache(self.path("s/../s/" + files[0]), cache)[0], 1)

    def test_damaged_cache(self):
        pattern, cache = self.series(), self.path("cache")
        self.settle()
        expected = self.from_cache(pattern, cache)[1].out
        kept = os.path.join(cache, os.listdir(cache)[0])
        good = Path(kept).read_bytes()
        rng = random.Random(5)
        damaged = [b"", b"varve", good[:30], good[:len(good) // 2], good[:-1], good[::-1], b"\xff" * 4096]
        for _ in range(12):
            at = rng.randrange(len(good))
            damaged.append(good[:at] + bytes([good[at] ^ (1 << rng.randrange(8))]) + good[at + 1:])
        for bytes_ in damaged:
            Path(kept).write_bytes(bytes_)
            found, result = self.from_cache(pattern, cache)
            self.assertEqual(result.out, expected)
            self.assertLess(found, N)
            self.assertEqual(self.from_cache(pattern, cache)[0], N, "it was replaced")
        # a sidecar that is a directory, a cache that cannot be made: a warning, and no more
        os.remove(kept)
        os.mkdir(kept)
        result = self.run_ok("info", "--cache", cache, pattern)
        self.assertEqual(result.out, expected)
        self.assertRegex(result.err, "warn: headers are not kept")
        result = self.run_ok("info", "--cache", self.path("s/x001.nc"), pattern)
        self.assertEqual(result.out, expected)
        self.assertRegex(result.err, "warn: headers are not kept")

    # --- the command line ---

    def test_inputs(self):
        pattern = self.series()
        names = [self.path("s/" + n) for n in sorted(os.listdir(self.path("s")))]
        self.run_ok("max", "-d", "time", *names, "-o", self.path("a.nc"))
        self.run_ok("max", "-d", "time", pattern + ":t2m", "-o", self.path("b.nc"))
        self.run_ok("max", "--concat", "time", "-d", "time", self.path("s/x00*.nc"), self.path("s/x0[12]*.nc"), "-o", self.path("c.nc"))
        self.same(self.path("a.nc"), self.path("b.nc"))
        self.same(self.path("a.nc"), self.path("c.nc"))
        self.assertIn(f"{N} files", self.run_ok("info", pattern).out)
        described = json.loads(self.run_ok("info", "--json", pattern).out)
        self.assertEqual(len(described["files"]), N)
        times = [float(support.values(f, "time")[0]) for f in described["files"]]
        self.assertEqual(times, sorted(times))
        self.refused(support.varve("max", pattern, names[0]), 2, "given twice")
        self.refused(support.varve("max", pattern, "-O", "-o", names[3]), (2, 5), "is the input")
        shutil.rmtree(self.path("s"))


if __name__ == "__main__":
    support.main()
