#!/usr/bin/python3
# cores: 1
# builds: release
"""CF semantics beside xarray's, netCDF4-python's and CDO's: what values mean, and what a reduction says of its time.

The maximum over a dimension of length 1 is the value itself, in the type that it decodes to.
"""
import itertools
import subprocess
import warnings

import netCDF4
import numpy as np
import xarray

import support
from support import make, values

TYPES = ("i1", "i2", "i4", "u1", "u2", "u4", "f4", "f8")
DATES = {"units": "days since 2000-01-01", "calendar": "standard", "axis": "T"}


def rule(stored, offset):
    """The type of unpacked or masked values: f32 where that is safe."""
    if stored.kind == "f":
        return stored
    return np.dtype("f4" if stored.itemsize <= 2 and not offset else "f8")


class Decode(support.Case):
    def decoded(self, path, names, ranks=0):
        out = self.path("out.nc")
        self.run_ok("max", "-d", "one", "-v", ",".join(names), path, "-O", "-o", out, ranks=ranks)
        return {name: values(out, name) for name in names}

    def test_as_xarray(self):
        """Every element type with every set of attributes, bit by bit; where xarray's older releases mask in f32 first, by the formula in f64."""
        rng = np.random.default_rng(8)
        made, variables = {}, {}
        for kind, fill, missing, packed in itertools.product(TYPES, (None, 3), (None, 5, (5, 7)), (None, (0.013, None), (None, -17.5), (0.013, 250.0))):
            x = rng.integers(0, 100, (1, 120)).astype(kind)
            attrs = {}
            if missing is not None:
                attrs["missing_value"] = np.array(missing, kind)
            scale, offset = packed or (None, None)
            attrs.update({k: v for k, v in (("scale_factor", scale), ("add_offset", offset)) if v is not None})
            name = f"v{len(made)}"
            variables[name] = (("one", "x"), x, {"attrs": attrs, **({"fill_value": np.array(fill, kind)[()]} if fill is not None else {})})
            made[name] = (x[0], fill, missing, scale, offset)
        path = make(self.path("in.nc"), {"one": 1, "x": 120}, variables)
        got = self.decoded(path, made)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # several missing values
            source = xarray.open_dataset(path)
        compared = 0
        for name, (x, fill, missing, scale, offset) in made.items():
            note = f"{name}: {x.dtype} fill {fill} missing {missing} scale {scale} offset {offset}"
            if fill is None and missing is None and scale is None and offset is None:
                self.assertEqual(got[name].dtype, x.dtype, note)
                np.testing.assert_array_equal(got[name], x, note)
                continue
            real = rule(x.dtype, offset is not None)
            self.assertEqual(got[name].dtype, real, note)
            want = x.astype(real) * real.type(1 if scale is None else scale) + real.type(0 if offset is None else offset) if packed_by(scale, offset) else x.astype(real)
            hidden = {v for v in (fill, *np.atleast_1d([] if missing is None else missing)) if v is not None}
            want = np.where(np.isin(x, list(hidden)), real.type(np.nan), want)
            np.testing.assert_array_equal(got[name], want, note)
            theirs = source[name].values[0]
            if theirs.dtype == real:
                np.testing.assert_array_equal(got[name], theirs, note)
                compared += 1
        source.close()
        self.assertGreater(compared, 120)

    def test_unsigned(self):
        x = np.array([[0, -1, -2, 127, -128, 5]], "i1")
        path = make(self.path("in.nc"), {"one": 1, "x": 6}, {
            "a": (("one", "x"), x, {"attrs": {"_Unsigned": "true"}}),
            "b": (("one", "x"), x, {"attrs": {"_Unsigned": "true", "scale_factor": 0.5}, "fill_value": np.int8(-1)}),
            "c": (("one", "x"), x.view("u1"), {"attrs": {"_Unsigned": "false"}})})
        got = self.decoded(path, ("a", "b", "c"))
        with xarray.open_dataset(path) as source:
            for name in got:
                np.testing.assert_array_equal(got[name], source[name].values[0], name)

    def test_valid_ranges(self):
        """What is outside is missing, as netCDF4-python and CF have it; bounds that are real where integers are packed speak of unpacked values."""
        x = np.array([[-500, -200, -199, -1, 0, 1, 199, 200, 201, 500]], "i2")
        both, low, high = {"valid_range": np.array([-200, 200], "i2")}, {"valid_min": np.int16(-200)}, {"valid_max": np.int16(200)}
        packed = {"scale_factor": 0.1, "add_offset": 5.0}
        variables = {"both": both, "low": low, "high": high, "pair": {**low, **high}, "packed": {**both, **packed}, "filled": both}
        path = make(self.path("in.nc"), {"one": 1, "x": x.size}, {
            **{n: (("one", "x"), x, {"attrs": a, **({"fill_value": np.int16(0)} if n == "filled" else {})}) for n, a in variables.items()},
            "real": (("one", "x"), x.astype("f4"), {"attrs": {"valid_min": np.float32(-200)}}),
            "unpacked": (("one", "x"), x, {"attrs": {"valid_range": np.array([-200 * 0.1 + 5, 200 * 0.1 + 5]), **packed}}),
            "falling": (("one", "x"), x, {"attrs": {"valid_min": 5 - 200 * 0.1, "scale_factor": -0.1, "add_offset": 5.0}}),
            "empty": (("one", "x"), x, {"attrs": {"valid_min": np.int16(5), "valid_max": np.int16(-5)}})})
        got = self.decoded(path, (*variables, "real", "unpacked", "falling", "empty"), ranks=2)
        with netCDF4.Dataset(path) as f:
            for name in (*variables, "real"):
                np.testing.assert_array_equal(np.isnan(got[name]), np.ma.getmaskarray(f[name][0]), name)
        inside = np.abs(x[0]) <= 200
        np.testing.assert_array_equal(got["unpacked"], np.where(inside, x[0] * 0.1 + 5.0, np.nan))
        np.testing.assert_array_equal(got["packed"], got["unpacked"])
        np.testing.assert_array_equal(got["falling"], np.where(x[0] <= 200, x[0] * -0.1 + 5.0, np.nan))
        np.testing.assert_array_equal(got["empty"], x[0])

    def test_packed_coordinate(self):
        """A coordinate is decoded where it is shown, and carried as it is stored."""
        path = make(self.path("in.nc"), {"one": 1, "lat": 5}, {
            "lat": (("lat",), np.arange(5, dtype="i2") * 10, {"attrs": {"units": "degrees_north", "scale_factor": 0.5, "add_offset": -10.0}}),
            "v": (("one", "lat"), np.ones((1, 5), "f4"))})
        self.assertRegex(self.run_ok("info", path).out, r"lat +i16 as f64 +-10 \.\. 10, step 5")
        out = self.path("out.nc")
        self.run_ok("max", "-d", "one", path, "-o", out)
        with xarray.open_dataset(out) as ds:
            self.assertEqual(ds.lat.values.tolist(), [-10, -5, 0, 5, 10])


def packed_by(scale, offset):
    return scale is not None or offset is not None


class Cells(support.Case):
    def times(self, name, t, attrs=DATES, bounds=None, dtype="f8", extra=None):
        """x(time, lat, lon) with these times, and bounds where given."""
        x = np.random.default_rng(2).normal(0, 1, (len(t), 3, 4)).astype("f4")
        more = {"time_bnds": (("time", "bnds"), np.asarray(bounds, "f8"))} if bounds is not None else {}
        attrs = {**attrs, **({"bounds": "time_bnds"} if bounds is not None else {})}
        return make(self.path(name), {"time": (len(t),), "lat": 3, "lon": 4, **({"bnds": 2} if more else {})}, {
            "time": (("time",), np.asarray(t, dtype), {"attrs": attrs}), **more, "lat": (("lat",), np.arange(3.0), {"attrs": {"units": "degrees_north"}}),
            "lon": (("lon",), np.arange(4.0), {"attrs": {"units": "degrees_east"}}),
            "x": (("time", "lat", "lon"), x, {"attrs": {"units": "K", **(extra or {})}})})

    def cell(self, path):
        with netCDF4.Dataset(path) as f:
            return f["time"][...].item(), f["time_bnds"][...].ravel().tolist(), f["time"].dimensions, f["time_bnds"].dimensions

    def test_time_of_a_mean(self):
        """With bounds and without, in the middle of its bounds, as CDO has it."""
        for name, t, bounds in (("bounds", [0.5, 1.5, 2.5, 3.5], [[0, 1], [1, 2], [2, 3], [3, 4]]), ("plain", [0.0, 1.0, 2.0, 7.0], None),
                                ("odd", [3.0, 0.25, 9.0], None), ("one", [5.0], [[4.0, 7.0]])):
            path, ours, theirs, kept = self.times(f"{name}.nc", t, bounds=bounds), self.path("ours.nc"), self.path("theirs.nc"), self.path("kept.nc")
            self.run_ok("mean", "-d", "time", path, "-O", "-o", ours)
            self.run_ok("mean", "-d", "time", "--keepdims", path, "-O", "-o", kept, ranks=2)
            x = np.asarray(bounds if bounds is not None else t)
            at = (x.min() + x.max()) / 2 if len(t) > 1 else t[0]
            self.assertEqual(self.cell(ours), (at, [x.min(), x.max()], (), ("bnds",)), name)
            self.assertEqual(self.cell(kept), (at, [x.min(), x.max()], ("time",), ("time", "bnds")), name)
            if sorted(t) == t:
                subprocess.run(["cdo", "-s", "timmean", path, theirs], check=True, capture_output=True)
                self.assertEqual(self.cell(theirs)[1], self.cell(kept)[1], name)
                if bounds is not None:  # else CDO takes the time of the middle step
                    self.assertEqual(self.cell(theirs)[0], self.cell(kept)[0], name)
            dates = subprocess.run(["cdo", "-s", "showtimestamp", ours], capture_output=True, text=True)
            self.assertEqual((dates.returncode, dates.stderr), (0, ""))
            self.assertEqual(dates.stdout, subprocess.run(["cdo", "-s", "showtimestamp", kept], capture_output=True, text=True).stdout)
            with xarray.open_dataset(ours) as ds:
                self.assertIn("time", ds.coords)
                self.assertEqual(ds.time.attrs["bounds"] if "bounds" in ds.time.attrs else ds.time.encoding["bounds"], "time_bnds")

    def test_integer_times(self):
        path, out = self.times("in.nc", [0, 1, 2, 3], dtype="i4"), self.path("out.nc")
        self.run_ok("max", "-d", "time", path, "-o", out)
        self.assertEqual(self.cell(out)[:2], (1.5, [0, 3]))

    def test_methods(self):
        path, out = self.times("in.nc", [0.0, 1.0], extra={"cell_methods": "time: mean", "ancillary_variables": "x_error", "coordinates": "label height"}), self.path("out.nc")
        for how, dims, want in (("mean", "time", "time: mean"), ("max", "time", "time: mean time: maximum"), ("mean", "lat,lon", "time: mean lat: lon: mean"),
                                ("std", "lon", "time: mean lon: standard_deviation")):
            self.run_ok(how, "-d", dims, path, "-O", "-o", out)
            with netCDF4.Dataset(out) as f:
                self.assertEqual(f["x"].cell_methods, want)
                self.assertNotIn("ancillary_variables", f["x"].ncattrs())
                self.assertNotIn("coordinates", f["x"].ncattrs())
                self.assertEqual("time_bnds" in f.variables, dims == "time")

    def test_no_times(self):
        """A dimension called time whose units are no dates is a plain dimension."""
        for units in ("K", "day as %Y%m%d.%f", ""):
            path, out = self.times("in.nc", [0.0, 1.0], attrs={"units": units}), self.path("out.nc")
            self.run_ok("mean", "-d", "time", path, "-O", "-o", out)
            with netCDF4.Dataset(out) as f:
                self.assertNotIn("time", f.variables)
            self.run_ok("info", path)

    def test_unusual_times(self):
        """Neither strange units nor missing, repeated or unordered times keep a mean from being taken."""
        for t, attrs in (([3.0, 1.0, 1.0], DATES), ([0.0, np.nan, 4.0], DATES), ([0.0, 1.0], {"units": "months since 1990-01-01"}),
                         ([0.0, 1.0], {**DATES, "calendar": "mayan"}), ([np.nan, np.nan], DATES)):
            path, out = self.times("in.nc", t, attrs=attrs), self.path("out.nc")
            self.run_ok("mean", "-d", "time", path, "-O", "-o", out)
            with netCDF4.Dataset(out) as f:
                if np.isfinite(t).any():
                    self.assertEqual(f["time_bnds"][:].tolist(), [np.nanmin(t), np.nanmax(t)])
                else:
                    self.assertNotIn("time", f.variables)
            self.run_ok("info", path)


if __name__ == "__main__":
    support.main()
