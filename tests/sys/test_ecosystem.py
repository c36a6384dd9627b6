#!/usr/bin/python3
# cores: 1
"""What varve writes is an ordinary NetCDF-4 file to everybody else: ncdump, xarray, CDO, NCO, and netCDF4-python that appends to it.

One input with everything a CF file may have: a calendar, bounds, auxiliary coordinates, a grid mapping, packed data, fill values, text in
UTF-8, attributes of every type. Two results, one without time and one with nothing but time, each plain and compressed.
"""
import os
import re
import shutil
import subprocess

import netCDF4
import numpy as np
import xarray

import support
from support import SQUEEZED, make

NT, NY, NX = 24, 9, 12
REGIONS = np.array([list("north"), list("south")], "S1")
LABELS = np.array(["north", "söuth"], object)


def rich(path):
    rng = np.random.default_rng(11)
    t2m = rng.normal(285, 10, (NT, NY, NX)).astype("f4")
    t2m[:, 2, 3] = 1e20
    t2m[5, :, :] = 1e20
    packed = rng.integers(0, 10000, (NT, NY, NX)).astype("i2")
    lat, lon, time = np.linspace(-80, 80, NY), np.arange(NX) * 30.0, 15.0 + 30.0 * np.arange(NT)

    def bounds(x, half):
        return np.stack([x - half, x + half], axis=1)

    fields = ("time", "lat", "lon")
    with_grid = {"coordinates": "height", "cell_measures": "area: area", "grid_mapping": "crs", "cell_methods": "area: mean"}
    return make(path, {"time": (NT,), "lat": NY, "lon": NX, "bnds": 2, "region": 2, "letters": 5, "station": 3}, {
        "time": (("time",), time, {"attrs": {"units": "days since 2000-01-01", "calendar": "noleap", "bounds": "time_bnds", "axis": "T",
                                             "standard_name": "time"}}),
        "lat": (("lat",), lat, {"attrs": {"units": "degrees_north", "bounds": "lat_bnds", "standard_name": "latitude", "axis": "Y"}}),
        "lon": (("lon",), lon, {"attrs": {"units": "degrees_east", "bounds": "lon_bnds", "standard_name": "longitude", "axis": "X"}}),
        "time_bnds": (("time", "bnds"), bounds(time, 15.0)),
        "lat_bnds": (("lat", "bnds"), bounds(lat, 10.0)),
        "lon_bnds": (("lon", "bnds"), bounds(lon, 15.0)),
        "area": (("lat", "lon"), rng.random((NY, NX)), {"attrs": {"units": "m2", "standard_name": "cell_area"}}),
        "height": ((), np.float64(2.0), {"attrs": {"units": "m", "positive": "up", "standard_name": "height"}}),
        "crs": ((), np.int32(7), {"attrs": {"grid_mapping_name": "latitude_longitude", "earth_radius": 6371229.0}}),
        "orog": (("lat", "lon"), rng.normal(300, 100, (NY, NX)).astype("f4"),
                 {"attrs": {"units": "m", "flag_values": np.array([1, 2, 3], "i2")}, **SQUEEZED, "chunksizes": (4, 5)}),
        "weights": (("station",), np.array([3, 1, 2], "i8")),
        "mask": (("lat", "lon"), rng.integers(0, 2, (NY, NX)).astype("i1"), {"attrs": {"flag_meanings": "sea land"}}),
        "region_name": (("region", "letters"), REGIONS),
        "region_label": (("region",), LABELS),
        "t2m": (fields, t2m, {"fill_value": np.float32(1e20), **SQUEEZED, "chunksizes": (5, 4, 7),
                              "attrs": {"units": "K", "long_name": "2 metre temperature, °K", "standard_name": "air_temperature",
                                        "valid_range": np.array([100, 400], "f4"), **with_grid}}),
        "pr": (fields, packed, {"fill_value": np.int16(-1), "attrs": {"units": "mm", "scale_factor": 0.01, "add_offset": 1.0, **with_grid}}),
    }, {"Conventions": "CF-1.8", "title": "A file with everything — ünïcode", "history": "yesterday: made by hand", "version": np.int32(3),
        "levels": np.array([1.5, 2.5]), "empty": ""})


def tool(*argv):
    return subprocess.run(list(map(str, argv)), capture_output=True, text=True, env=support.environment(), timeout=60)


class Ecosystem(support.Case):
    def setUp(self):
        super().setUp()
        self.input = rich(self.path("in.nc"))
        self.outputs = {}
        for form, more in [("plain", []), ("deflate", ["--deflate", "4"])]:
            for name, dims in [("map", "time"), ("series", "lat,lon")]:
                out = self.path(f"{name}_{form}.nc")
                self.run_ok("mean", "-d", dims, self.input, "-o", out, *more, ranks=2)
                self.outputs[name, form] = out

    def each(self, *names):
        return [path for (name, _), path in self.outputs.items() if not names or name in names]

    def tool_ok(self, *argv):
        r = tool(*argv)
        self.assertEqual(r.returncode, 0, (argv, r.stdout, r.stderr))
        said = [line for line in r.stderr.splitlines() if "skipped variable region_" not in line]  # CDO leaves out all text
        for word in ("rror", "arning"):
            self.assertNotIn(word, "\n".join(said), (argv, r.stderr))
        return r.stdout

    def test_ncdump(self):
        for path in self.each():
            with self.subTest(os.path.basename(path)):
                head = self.tool_ok("ncdump", "-h", path)
                self.assertIn("t2m(", head)
                self.assertIn('t2m:units = "K"', head)
                self.assertIn("2 metre temperature, °K", head)
                self.assertIn('crs:grid_mapping_name = "latitude_longitude"', head)
                self.assertIn("t2m:_FillValue = 1.e+20f", head)
                self.assertNotIn("netCDF dimension but not", head)
                self.tool_ok("ncdump", path)
        self.assertIn("netCDF-4", self.tool_ok("ncdump", "-k", self.outputs["map", "plain"]))

    def test_dimensions_and_coordinates(self):
        with netCDF4.Dataset(self.input) as source:
            for path in self.each("map"):
                with self.subTest(os.path.basename(path)):
                    with netCDF4.Dataset(path) as f:
                        self.assertEqual(f["t2m"].dimensions, ("lat", "lon"))
                        self.assertEqual(f["pr"].dimensions, ("lat", "lon"))
                        self.assertEqual((f["time"].dimensions, f["time_bnds"].dimensions), ((), ("bnds",)))
                        self.assertEqual(f["time_bnds"][:].tolist(), [source["time_bnds"][:].min(), source["time_bnds"][:].max()])
                        self.same_variables(source, f, ["lat", "lon", "lat_bnds", "lon_bnds", "area", "height", "crs", "orog", "weights", "mask"])
            for path in self.each("series"):
                with self.subTest(os.path.basename(path)):
                    with netCDF4.Dataset(path) as f:
                        self.assertEqual(f["t2m"].dimensions, ("time",))
                        self.assertTrue(f.dimensions["time"].isunlimited())
                        self.assertNotIn("lat_bnds", f.variables)
                        self.same_variables(source, f, ["time", "time_bnds", "height", "crs", "weights"])

    def same_variables(self, source, f, names):
        for name in names:
            self.assertIn(name, f.variables)
            a, b = source[name], f[name]
            a.set_auto_maskandscale(False)
            b.set_auto_maskandscale(False)
            self.assertEqual((a.dtype, a.dimensions, a.shape), (b.dtype, b.dimensions, b.shape), name)
            self.assertTrue(np.array_equal(a[...], b[...]), name)
            self.assertEqual(sorted(a.ncattrs()), sorted(b.ncattrs()), name)
            for key in a.ncattrs():
                x, y = a.getncattr(key), b.getncattr(key)
                self.assertEqual(np.asarray(x).dtype.kind, np.asarray(y).dtype.kind, f"{name}:{key}")
                self.assertTrue(np.array_equal(x, y), f"{name}:{key} {x} {y}")

    def test_text_variables(self):
        """Characters and strings are carried over."""
        for path in self.each():
            with self.subTest(os.path.basename(path)), netCDF4.Dataset(path) as f:
                f["region_name"].set_auto_chartostring(False)
                self.assertEqual(f["region_name"][:].tobytes(), REGIONS.tobytes())
                self.assertEqual(f["region_label"][:].tolist(), LABELS.tolist())

    def test_attributes_of_results(self):
        for path in self.each():
            with self.subTest(os.path.basename(path)):
                with netCDF4.Dataset(path) as f:
                    v = f["t2m"]
                    for key, want in [("units", "K"), ("standard_name", "air_temperature"), ("grid_mapping", "crs")]:
                        self.assertEqual(v.getncattr(key), want)
                    self.assertEqual(v.getncattr("_FillValue"), np.float32(1e20))
                    self.assertRegex(v.getncattr("cell_methods"), r"area: mean (time|lat: lon|lon: lat|lat: mean lon): mean")
                    pr = f["pr"]
                    self.assertEqual(pr.dtype.kind, "f")
                    self.assertFalse({"scale_factor", "add_offset"} & set(pr.ncattrs()), "unpacked data must not be scaled again")
                    self.assertIn("_FillValue", pr.ncattrs())

    def test_no_attribute_names_what_is_not_there(self):
        """CDO warns of each; only cell_measures may name a variable of another file, by CF's rules."""
        for path in self.each():
            with self.subTest(os.path.basename(path)), netCDF4.Dataset(path) as f:
                for v in f.variables.values():
                    for key in ("coordinates", "grid_mapping", "bounds", "ancillary_variables"):
                        for name in v.__dict__.get(key, "").split():
                            self.assertIn(name, f.variables, f"{v.name}:{key}")

    def test_global_attributes_and_history(self):
        for path in self.each():
            with self.subTest(os.path.basename(path)):
                with netCDF4.Dataset(path) as f:
                    self.assertEqual(f.getncattr("Conventions"), "CF-1.8")
                    self.assertEqual(f.getncattr("title"), "A file with everything — ünïcode")
                    self.assertEqual(f.getncattr("version"), 3)
                    self.assertTrue(np.array_equal(f.getncattr("levels"), [1.5, 2.5]))
                    lines = f.getncattr("history").splitlines()
                    self.assertRegex(lines[0], r"^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}: (\S*/)?varve.* mean -d \S+ .*in\.nc -o ")
                    self.assertEqual(lines[1], "yesterday: made by hand")

    def test_xarray(self):
        source = xarray.open_dataset(self.input)
        for path in self.each():
            with self.subTest(os.path.basename(path)):
                found = {}
                for engine in ("netcdf4", "h5netcdf"):
                    with xarray.open_dataset(path, engine=engine) as ds:
                        found[engine] = ds.load()
                    self.assertEqual(ds.t2m.attrs["units"], "K")
                self.assertTrue(found["netcdf4"].equals(found["h5netcdf"]))
                ds = found["netcdf4"]
                over = "time" if "time" not in ds.t2m.dims else ("lat", "lon")
                for name in ("t2m", "pr"):
                    want = source[name].astype("f8").mean(over)
                    np.testing.assert_allclose(ds[name].values, want.values, rtol=3e-7)
                if over == "time":
                    self.assertTrue(np.isnan(ds.t2m.values[2, 3]))
                else:
                    self.assertEqual(str(ds.time.values[0]), str(source.time.values[0]))
                    self.assertTrue(np.isnan(ds.t2m.values[5]))
        source.close()

    def test_cdo(self):
        for path in self.each():
            with self.subTest(os.path.basename(path)):
                text = self.tool_ok("cdo", "sinfon", path)
                self.assertIn("t2m", text)
                self.assertIn("orog" if "map" in path else "t2m", text)
        for path in self.each("map"):
            with self.subTest(os.path.basename(path)):
                info = self.tool_ok("cdo", "-s", "infon", "-selname,t2m", path)
                self.assertRegex(info, r"108\s+1\s*:", "one of 9 x 12 values is missing")
                self.assertIn("lonlat", self.tool_ok("cdo", "-s", "griddes", "-selname,t2m", path))
        for path in self.each("series"):
            with self.subTest(os.path.basename(path)):
                self.assertIn("365_day", self.tool_ok("cdo", "sinfon", path))

    def test_cdo_computes_the_same(self):
        simple, ours, theirs = self.path("simple.nc"), self.path("ours.nc"), self.path("theirs.nc")
        support.climate(simple, (30, 10, 12))
        self.run_ok("mean", "-d", "time", simple, "-o", ours)
        self.tool_ok("cdo", "-s", "-b", "F64", "timmean", simple, theirs)
        with netCDF4.Dataset(theirs) as f:
            want = np.asarray(f["t2m"][0])
        np.testing.assert_allclose(support.values(ours, "t2m"), want, rtol=1e-7)
        # and the file is good input: CDO reads it without complaint and gives the difference of zero
        self.tool_ok("cdo", "-s", "sub", ours, ours, self.path("zero.nc"))

    def test_nco(self):
        for path in self.each():
            with self.subTest(os.path.basename(path)):
                self.assertIn("air_temperature", self.tool_ok("ncks", "-m", path))
                self.assertIn("Conventions", self.tool_ok("ncks", "-M", path))
                copy = self.path("copy.nc")
                self.tool_ok("ncks", "-O", "-v", "t2m", path, copy)
                np.testing.assert_array_equal(support.values(path, "t2m"), support.values(copy, "t2m"))

    def test_append(self):
        for path in self.each():
            with self.subTest(os.path.basename(path)):
                copy = self.path("append.nc")
                shutil.copy(path, copy)
                with netCDF4.Dataset(copy, "a") as f:
                    dims = f["t2m"].dimensions
                    f.createDimension("extra", 4)
                    v = f.createVariable("added", "f8", (*dims, "extra"), zlib=True)
                    v[...] = 1.5
                    v.units = "1"
                    f["t2m"].setncattr("comment", "seen")
                    f.setncattr("history", f.getncattr("history") + "\nappended")
                    if dims == ("time",):
                        f["time"][NT] = 900.0
                with netCDF4.Dataset(copy) as f:
                    self.assertEqual(f["t2m"].getncattr("comment"), "seen")
                    self.assertEqual(float(f["added"][...].min()), 1.5)
                    if f["t2m"].dimensions == ("time",):
                        self.assertEqual(f["t2m"].shape, (NT + 1,))
                self.tool_ok("ncdump", copy)

    def test_compression_is_real(self):
        path, plain, squeezed = self.path("smooth.nc"), self.path("plain.nc"), self.path("squeezed.nc")
        x = np.add.outer(np.arange(3), np.add.outer(np.arange(300), np.arange(400)) // 16).astype("f4")
        make(path, {"time": 3, "lat": 300, "lon": 400}, {"x": (("time", "lat", "lon"), x)})
        self.run_ok("mean", "-d", "time", path, "-o", plain)
        self.run_ok("mean", "-d", "time", path, "-o", squeezed, "--deflate", "4")
        self.assertLess(os.path.getsize(squeezed) * 5, os.path.getsize(plain))
        with netCDF4.Dataset(squeezed) as f:
            filters = f["x"].filters()
            self.assertTrue(filters["zlib"] and filters["shuffle"], filters)
            self.assertEqual(filters["complevel"], 4)
            self.assertNotEqual(f["x"].chunking(), "contiguous")
        with netCDF4.Dataset(plain) as f:
            self.assertEqual(f["x"].chunking(), "contiguous")

    def test_file_is_readable_by_its_owner_rules(self):
        """The output gets the permissions that the umask gives, not those of a private temporary file."""
        old = os.umask(0o022)
        try:
            out = self.path("modes.nc")
            self.run_ok("mean", "-d", "time", self.input, "-o", out)
            self.assertEqual(os.stat(out).st_mode & 0o777, 0o644)
        finally:
            os.umask(old)

    def test_output_is_input_again(self):
        first, second = self.outputs["map", "deflate"], self.path("second.nc")
        self.run_ok("mean", "-d", "lat", first, "-o", second)
        self.assertEqual(support.values(second, "t2m").shape, (NX,))
        with netCDF4.Dataset(second) as f:
            self.assertEqual(len(re.findall("varve", f.getncattr("history"))) >= 2, True)

    def test_dimension_without_variable(self):
        path, out = self.path("bare.nc"), self.path("bare_out.nc")
        make(path, {"t": 5, "a": 4, "b": 3}, {"x": (("t", "a", "b"), np.ones((5, 4, 3)))})
        self.run_ok("sum", "-d", "t", path, "-o", out)
        with netCDF4.Dataset(out) as f:
            self.assertEqual({n: len(d) for n, d in f.dimensions.items()}, {"a": 4, "b": 3})
            self.assertEqual(list(f.variables), ["x"])
        xarray.open_dataset(out, engine="h5netcdf").close()
        self.tool_ok("ncdump", out)


if __name__ == "__main__":
    support.main()
