#!/usr/bin/python3
# builds: release asan
"""Strings and characters: names of stations, labels, flags of text. They are selected, joined, carried and appended like any other variable, and xarray,
netCDF4-python and ncdump read in the output what they read in the input at the same places.
"""
import os
import shutil
import subprocess
import unittest

import h5py
import netCDF4
import numpy as np
import xarray

import support
from support import make, varve

NAMES = ["OSLO", "ROMA", "KIEV", "Zürich", "", "a name that is longer than the others: 東京"]
ENGINES = ("netcdf4", "h5netcdf")


def text(*shape):
    """A string for each place, of many lengths; some are there more than once."""
    a = np.empty(shape, dtype=object)
    for i in np.ndindex(*shape):
        a[i] = f"{'-'.join(map(str, i))}" * (sum(i) % 3)
    return a


def chars(words, width=8):
    return np.array([list(w.ljust(width, "\0")) for w in words], dtype="S1")


def stations(path, names=NAMES, first=0, steps=12, **more):
    """x(time, station) with a coordinate of strings, strings and characters along every dimension and along none."""
    n, at = len(names), np.arange(first, first + steps)
    return make(path, {"time": (steps,), "station": n, "letters": 8}, {
        "time": (("time",), at * 1.0, {"attrs": {"units": "days since 2001-01-01"}}),
        "station": (("station",), np.array(names, dtype=object), {"attrs": {"long_name": "where", "cf_role": "timeseries_id"}}),
        "code": (("station", "letters"), chars([f"c{k}" for k in range(n)]), {"attrs": {"_Encoding": "utf-8"}}),
        "remark": (("time", "station"), text(40, n)[at]),
        "kind": (("time", "letters"), chars([f"kind {k}" for k in at]), {"zlib": True, "chunksizes": (5, 8)}),
        "note": ((), np.array("about all of it", dtype=object)),
        "x": (("time", "station"), np.random.default_rng(5).normal(size=(40, n)).astype("f4")[at], {"attrs": {"coordinates": "code remark"}}),
        **more})


def opened(path, engine="netcdf4"):
    with xarray.open_dataset(path, engine=engine, decode_times=False) as d:
        return d.load()


class Strings(support.Case):
    def setUp(self):
        super().setUp()
        self.input = stations(self.path("in.nc"))
        self.out = self.path("out.nc")

    def same(self, path, want, note=""):
        """Every variable and what it says of itself; the history and what it lies along are the output's own business."""
        for engine in ENGINES:
            got = opened(path, engine)
            self.assertEqual(sorted(got.variables), sorted(want.variables), note)
            for name in want.variables:
                a, b = got[name], want[name]
                self.assertEqual((a.dims, a.dtype.kind), (b.dims, b.dtype.kind), f"{name} {engine} {note}")
                self.assertEqual(a.values.tolist(), b.values.tolist(), f"{name} {engine} {note}")
                self.assertEqual(a.attrs, b.attrs, f"{name} {engine} {note}")

    def test_selections(self):
        d = opened(self.input)
        for what, want in [("station=ROMA", d.isel(station=[1])),
                           ("station=ROMA:Zürich", d.isel(station=slice(1, 4))),
                           ("station=#::-1,time=#2:9:3", d.isel(station=slice(None, None, -1), time=slice(2, 9, 3))),
                           ("time=2001-01-05:2001-01-09", d.isel(time=slice(4, 9))),
                           ("letters=#:3", d.isel(letters=slice(3)) if "letters" in d.dims else None)]:
            with self.subTest(what):
                self.run_ok("select", what, self.input, "-O", "-o", self.out)
                if want is not None:
                    self.same(self.out, want)

    def test_same_on_any_number_of_ranks(self):
        for ranks in (1, 3):
            self.run_ok("select", "station=#4:1:-1,time=#3:", self.input, "-O", "-o", self.out, ranks=ranks)
            self.same(self.out, opened(self.input).isel(station=slice(4, 1, -1), time=slice(3, None)), f"{ranks} ranks")

    def test_reductions_keep_labels(self):
        self.run_ok("mean", "-d", "time", self.input, "-o", self.out)
        d, want = opened(self.out), opened(self.input)
        for name in ("station", "code", "note"):
            self.assertEqual(d[name].values.tolist(), want[name].values.tolist(), name)
        self.assertNotIn("remark", d.variables)
        self.run_ok("mean", "-d", "station", self.input, "-O", "-o", self.out)
        self.assertEqual(opened(self.out)["kind"].values.tolist(), want["kind"].values.tolist())
        self.assertNotIn("station", opened(self.out).variables)

    def test_rechunk_carries_them(self):
        self.run_ok("rechunk", "-c", "time=6", "--deflate", "1", self.input, "-o", self.out)
        self.same(self.out, opened(self.input))

    def test_netcdf_and_ncdump_read_them(self):
        """The types are netCDF's own: NC_STRING and NC_CHAR, compressed where they were; and netCDF4-python can write into the file."""
        self.run_ok("select", "time=#3:10", self.input, "-o", self.out)
        with netCDF4.Dataset(self.out, "a") as f:
            self.assertEqual(f["station"].dtype, str)
            self.assertEqual((f["kind"].dtype, f["kind"].filters()["complevel"]), (np.dtype("S1"), 4))
            f["remark"][7] = np.array(["new"] * 6, dtype=object)
            f["station"][2] = "Kyjiw"
        with netCDF4.Dataset(self.out) as f:
            self.assertEqual(f["remark"][7].tolist(), ["new"] * 6)
            self.assertEqual(f["remark"][6].tolist(), text(40, 6)[9].tolist())
            self.assertEqual(f["station"][:].tolist(), NAMES[:2] + ["Kyjiw"] + NAMES[3:])
        if shutil.which("ncdump"):
            shown = subprocess.run(["ncdump", "-v", "station,kind", self.out], capture_output=True, text=True, check=True).stdout
            self.assertIn('station = "OSLO", "ROMA", "Kyjiw"', shown)
            self.assertIn('"kind 9"', shown)

    def test_joined_along_time(self):
        a, b = stations(self.path("a.nc"), steps=5), stations(self.path("b.nc"), first=5, steps=7)
        self.run_ok("concat", "-d", "time", b, a, "-o", self.out)
        self.same(self.out, opened(self.input))
        self.run_ok("mean", "-d", "station", a, b, "-O", "-o", self.out)
        self.assertEqual(opened(self.out)["kind"].values.tolist(), opened(self.input)["kind"].values.tolist())
        self.run_ok("select", "station=KIEV,time=#3:8", a, b, "-O", "-o", self.out)
        self.same(self.out, opened(self.input).isel(station=[2], time=slice(3, 8)))

    def test_joined_along_stations(self):
        a, b = stations(self.path("a.nc"), NAMES[:2]), stations(self.path("b.nc"), ["BERN", "OSLO", "RIGA"])
        self.run_ok("concat", "-d", "station", a, b, "-o", self.out)
        d, parts = opened(self.out), [opened(a), opened(b)]
        self.assertEqual(d["station"].values.tolist(), ["OSLO", "ROMA", "BERN", "OSLO", "RIGA"])
        for name in ("code", "remark", "x"):
            along = d[name].dims.index("station")
            self.assertEqual(d[name].values.tolist(), np.concatenate([p[name].values for p in parts], along).tolist(), name)
        self.run_ok("select", "station=OSLO", a, b, "--concat", "station", "-O", "-o", self.out)  # twice there
        self.assertEqual(opened(self.out)["remark"].values.tolist(), d["remark"].isel(station=[0, 3]).values.tolist())

    def test_other_stations_are_not_joined(self):
        a, b = stations(self.path("a.nc"), steps=5), stations(self.path("b.nc"), NAMES[:2] + NAMES[2:4][::-1] + NAMES[4:], first=5, steps=7)
        self.refused(varve("concat", "-d", "time", a, b, "-o", self.out), (1, 2, 3), "'station' differs at position 2: 'KIEV' in .*a.nc, 'Zürich' in .*b.nc")

    def test_stacked(self):
        a, b = stations(self.path("a.nc"), steps=3, tag=(("station",), text(6))), stations(self.path("b.nc"), steps=3, tag=(("station",), text(9)[3:]))
        self.run_ok("stack", "-d", "member", "-v", "tag,x", a, b, "-o", self.out)
        self.assertEqual(opened(self.out)["tag"].values.tolist(), [text(6).tolist(), text(9)[3:].tolist()])

    def test_appended(self):
        a, b = stations(self.path("a.nc"), steps=5), stations(self.path("b.nc"), first=5, steps=7)
        for how in (["select", "time=#0:"], ["concat", "-d", "time"]):
            with self.subTest(how):
                shutil.copy(a, self.out)
                self.run_ok(*how, b, "--append", "-o", self.out)
                self.same(self.out, opened(self.input))

    def test_other_writers(self):
        """h5py's strings of fixed length, padded in all ways; a string that was never written; more than one dimension."""
        path = self.path("h5.nc")
        fixed = h5py.h5t.C_S1.copy()
        fixed.set_size(6)
        fixed.set_strpad(h5py.h5t.STR_SPACEPAD)
        with h5py.File(path, "w") as f:
            f["y"] = np.arange(3.0)
            f["y"].make_scale("y")
            variables = {"null": f.create_dataset("null", data=np.array([b"ab", b"", b"cdefg"], dtype="S5")),
                         "long": f.create_dataset("long", data=["eins", "zwei", "drei"], dtype=h5py.string_dtype()),
                         "never": f.create_dataset("never", shape=(3,), dtype=h5py.string_dtype()),
                         "x": f.create_dataset("x", data=np.arange(3.0))}
            space = h5py.h5s.create_simple((3,))
            blank = h5py.h5d.create(f.id, b"blank", fixed, space)
            blank.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([b"a     ", b"bb    ", b"cccccc"], dtype="S6"), mtype=fixed)
            for v in [*variables.values(), h5py.Dataset(blank)]:
                v.dims[0].attach_scale(f["y"])
        self.run_ok("select", "y=#::-1", path, "-o", self.out)
        with netCDF4.Dataset(self.out) as f:
            for name, want in [("null", ["cdefg", "", "ab"]), ("long", ["drei", "zwei", "eins"]), ("never", ["", "", ""]), ("blank", ["cccccc", "bb", "a"])]:
                self.assertEqual((f[name].dtype, f[name][:].tolist()), (str, want), name)

    def test_never_written_steps(self):
        """A variable that is shorter than its unlimited dimension."""
        with netCDF4.Dataset(self.input, "a") as f:
            f.createVariable("late", str, ("time", "station"), chunksizes=(1, 6))[:3] = text(3, 6)
        self.run_ok("select", "time=#1:5,station=#:3", self.input, "-o", self.out)
        self.same(self.out, opened(self.input).isel(time=slice(1, 5), station=slice(3)))

    def test_chunks_that_hdf5_does_not_read(self):
        """HDF5 1.10 fails where a chunk of strings was never written (netCDF4-python and ncdump fail with it): the rest of the file is not lost for that."""
        with netCDF4.Dataset(self.input, "a") as f:
            f.createVariable("holes", str, ("time", "station"), chunksizes=(1, 6))[11] = text(1, 6)[0]
        try:
            want = opened(self.input)
        except RuntimeError:
            want = opened(stations(self.path("without.nc")))
        run = self.run_ok("select", "time=#2:5", self.input, "-o", self.out)
        self.same(self.out, want.isel(time=slice(2, 5)), run)

    def test_too_much_text(self):
        path = self.path("big.nc")
        with netCDF4.Dataset(path, "w") as f:
            f.createDimension("y", 2)
            f.createVariable("x", "f8", ("y",))[:] = [1, 2]
        with h5py.File(path, "a") as f:
            f.create_dataset("essay", shape=(2,), dtype="S50000000", chunks=(1,)).dims[0].attach_scale(f["y"])
        for command in (["mean", "-d", "y"], ["select", "y=#0"]):
            run = self.run_ok(*command, "-v", "x", path, "-O", "-o", self.out)
            self.assertEqual(list(opened(self.out).variables), ["x"], run)
        run = self.run_ok("select", "y=#1", path, "-O", "-o", self.out)
        self.assertRegex(run.err, "essay.*too much text; it is left out")
        run = self.run_ok("rechunk", "-c", "y=1", path, "-O", "-o", self.out)
        self.assertRegex(run.err, "variable 'essay': 2 strings of more than 64 MiB together are too much text; it is not carried over")
        self.refused(varve("select", "y=#0", "-v", "essay", path, "-O", "-o", self.out), (1, 2, 3), "essay.*too much text")

    def test_nothing_is_computed_with_them(self):
        self.refused(varve("mean", "-d", "station", "-v", "remark", self.input, "-o", self.out), (1, 2, 3), "remark.*string")
        self.refused(varve("select", "station=NOWHERE", self.input, "-o", self.out), (1, 2, 3), "no element is called 'NOWHERE'")

    def test_classic_files(self):
        """Characters of the older formats, as xarray writes strings there."""
        path = self.path("old.nc")
        d = xarray.Dataset({"name": (("station",), np.array(["OSLO", "ROMA", "KIEV"])), "x": (("station",), np.arange(3.0))})
        d.to_netcdf(path, format="NETCDF3_CLASSIC", engine="scipy" if os.environ.get("SCIPY") else "netcdf4")
        self.run_ok("select", "station=#2:0:-1", path, "-o", self.out)
        for engine in ENGINES:
            self.assertEqual([str(s) for s in np.char.decode(opened(self.out, engine)["name"].values, "utf-8")] if opened(self.out, engine)["name"].dtype.kind == "S"
                             else opened(self.out, engine)["name"].values.tolist(), ["KIEV", "ROMA"], engine)


if __name__ == "__main__":
    support.main()
