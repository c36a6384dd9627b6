#!/usr/bin/python3
# timeout: 300
"""Quantiles by group of the calendar, run lengths and climate indices: xarray's and NumPy's numbers, and CDO's where it has the operator, in every calendar, with missing values, for several
variables, packed ones and such whose time is not the first dimension, on any number of ranks.
"""
import shutil
import subprocess
import unittest
import warnings

import numpy as np
import xarray as xr

import support
from support import SQUEEZED, make

METHODS = ["linear", "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull", "median_unbiased",
           "normal_unbiased"]


class Case(support.Case):
    def setUp(self):
        super().setUp()
        warnings.simplefilter("ignore", RuntimeWarning)  # of lanes without any value

    def result(self, *args, ranks=0, **how):
        out = self.path("out.nc")
        self.run_ok(*args, "-o", out, "-O", ranks=ranks, **how)
        d = xr.open_dataset(out, use_cftime=True).load()
        d.close()
        return d

    def open(self, path):
        with xr.open_dataset(path, use_cftime=True) as d:
            return d.load()

    def same(self, ours, theirs, tolerance=1e-6):
        theirs = theirs.transpose(*ours.dims)
        np.testing.assert_allclose(np.asarray(ours, "f8"), np.asarray(theirs, "f8"), rtol=tolerance, atol=tolerance)


class Quantiles(Case):
    def data(self, calendar, n=1500, start="2001-02-03"):
        """t with missing values (one place has none but them), of which some are equal; the same in another order of dimensions and in f64; packed ones."""
        rng = np.random.default_rng(3)
        x = np.round(280 + rng.normal(0, 9, (n, 3, 7)), 1).astype("f4")
        x[rng.random(x.shape) < 0.03] = np.nan
        x[:, 1, 2] = np.nan
        time = (("time",), np.arange(n) + 0.5, {"attrs": {"units": f"days since {start}", "calendar": calendar}})
        return make(self.path(f"{calendar}.nc"), {"time": n, "lat": 3, "lon": 7},
                    {"time": time, "lat": (("lat",), np.array([50.0, 0.0, -50.0]), {"attrs": {"units": "degrees_north"}}),
                     "t": (("time", "lat", "lon"), x, {"chunksizes": (100, 2, 7), "fill_value": np.float32(np.nan), **SQUEEZED}),
                     "late": (("lat", "lon", "time"), x.transpose(1, 2, 0).astype("f8") ** 3, {"fill_value": np.nan}),
                     "packed": (("time", "lat", "lon"), rng.integers(-300, 300, x.shape).astype("i2"),
                                {"attrs": {"scale_factor": 0.5, "add_offset": 100.0}, "fill_value": np.int16(-299)})})

    def test_by_group(self):
        for calendar, by, ranks in [("standard", "month", 2), ("noleap", "season", 0), ("360_day", "year", 3)]:
            with self.subTest(calendar=calendar, by=by):
                path = self.data(calendar)
                x = self.open(path).astype("f8")
                ours = self.result("quantile", "-g", by, "-q", "0.1,0.5,0.97", path, ranks=ranks)
                theirs = x.groupby(f"time.{by}").quantile([0.1, 0.5, 0.97], dim="time")
                if by == "season":
                    theirs = theirs.sel(season=["DJF", "MAM", "JJA", "SON"])
                for var in ("t", "late", "packed"):
                    self.same(ours[var], theirs[var])
                self.assertEqual(ours.t.dims, ("quantile", by, "lat", "lon"))
                self.assertEqual(ours.late.dims, ("quantile", "lat", "lon", by))
                np.testing.assert_array_equal(ours["quantile"], [0.1, 0.5, 0.97])
                np.testing.assert_array_equal(ours.lat, x.lat)
                medians = self.result("clim", "-g", by, "-m", "median", path, "-v", "t", ranks=ranks)
                self.same(medians.t, theirs.t.sel(quantile=0.5))
                self.assertEqual(medians.t.attrs["cell_methods"], f"time: median (by {by})")

    def test_windows_around_days_of_the_year(self):
        for calendar, ranks, window in [("standard", 3, 5), ("360_day", 0, 4)]:
            with self.subTest(calendar=calendar):
                path = self.data(calendar)
                x = self.open(path)[["t"]].astype("f8")
                around = x.rolling(time=window, center=True).construct("window")
                theirs = around.groupby("time.dayofyear").quantile(0.9, dim=["time", "window"])
                ours = self.result("quantile", "-g", "dayofyear", "-w", window, "-q", "0.9", path, ranks=ranks)
                self.same(ours.t, theirs.t)
                self.assertEqual(ours.t.dims, ("dayofyear", "lat", "lon"))
                np.testing.assert_array_equal(ours.dayofyear, theirs.dayofyear)

    def test_every_definition(self):
        path = self.data("standard", n=500)
        x = self.open(path).t.astype("f8")
        for method in METHODS:
            with self.subTest(method=method):
                theirs = x.groupby("time.month").quantile(0.3, dim="time", method=method)
                self.same(self.result("quantile", "-g", "month", "-q", "0.3", "-m", method, "-v", "t", path).t, theirs)

    def test_periods_and_pairs(self):
        path = self.data("noleap", n=800)
        x = self.open(path).astype("f8")
        ours = self.result("quantile", "-f", "MS", "-q", "0.75", path, ranks=2)
        theirs = x.t.resample(time="MS").quantile(0.75)
        self.same(ours.t, theirs)
        self.assertEqual([str(t) for t in ours.time.values], [str(t) for t in theirs.time.values])
        pairs = self.result("quantile", "-g", "month+weekday", "-q", "0.5", path).t
        self.assertEqual(pairs.dims, ("month", "weekday", "lat", "lon"))
        some = x.t[(x.time.dt.month == 5) & (x.time.dt.dayofweek == 3)]
        self.same(pairs.sel(month=5, weekday=3), some.quantile(0.5, dim="time"))
        over = self.result("quantile", "-g", "month", "-q", "0.5", "-d", "time,lon", path, ranks=2).late
        self.same(over, x.late.groupby("time.month").quantile(0.5, dim=["time", "lon"]))

    def test_missing_values_that_count(self):
        path = self.data("standard", n=300)
        x = self.open(path).t.astype("f8")
        ours = self.result("quantile", "-g", "month", "-q", "0.2", "--no-skipna", path).t
        self.same(ours, x.groupby("time.month").quantile(0.2, dim="time", skipna=False))

    def test_large_groups(self):
        """Of many elements: selected in another way."""
        rng = np.random.default_rng(5)
        x = np.round(rng.normal(0, 5, (40000, 3)), 2)
        path = make(self.path("hours.nc"), {"time": 40000, "x": 3}, {"time": (("time",), np.arange(40000) / 24, {"attrs": {"units": "days since 1999-12-01"}}),
                                                                     "t": (("time", "x"), x, {})})
        ours = self.result("quantile", "-g", "season", "-q", "0.01,0.9", path, ranks=2).t
        self.same(ours, self.open(path).t.groupby("time.season").quantile([0.01, 0.9], dim="time").sel(season=["DJF", "MAM", "JJA", "SON"]))

    def test_expressions(self):
        path = self.data("standard", n=900)
        x = self.open(path).t.astype("f8")
        ours = self.result("eval", "a = quantile(t.group(month), 0.9)", "b = t.group(dayofyear).quantile([0.1, 0.9], time, window=5)",
                           "c = resample(t, \"1M\").quantile(0.5, method=hazen)", "d = median(t.group(month))", path, ranks=2)
        less = self.result("eval", "e = t.group(month) - quantile(t.group(month), 0.9)", path)
        by_month = x.groupby("time.month")
        self.same(ours.a, by_month.quantile(0.9, dim="time"))
        self.same(ours.b, x.rolling(time=5, center=True).construct("w").groupby("time.dayofyear").quantile([0.1, 0.9], dim=["time", "w"]))
        self.same(ours.c, x.resample(time="1M").quantile(0.5, method="hazen"))
        self.same(ours.d, by_month.median("time"))
        self.same(less.e, by_month - by_month.quantile(0.9, dim="time"), tolerance=1e-4)

    def test_same_bits(self):
        path = self.data("standard", n=1000)
        args = ["quantile", "-g", "dayofyear", "-w", "5", "-q", "0.1,0.9", path]
        outs = []
        for ranks, more in [(0, []), (2, ["--threads", "2"]), (3, ["--memory", "48MB"]), (0, ["--memory", "36MB"])]:
            ours = self.result(*args, *more, ranks=ranks)
            outs.append(b"".join(ours[v].values.tobytes() for v in ("t", "late", "packed")))
        self.assertEqual(len(set(outs)), 1)

    def test_refused(self):
        path = self.data("standard", n=200)
        for args, code, *patterns in [(["-g", "mnth", "-q", "0.5"], 2, "did you mean 'month'"), (["-w", "5", "-q", "0.5"], 2, "--window", "-g dayofyear"),
                                      (["-g", "month", "-f", "1M", "-q", "0.5"], 2, "not both"), (["-g", "month", "-q", "2"], 2, "0 to 1"),
                                      (["-g", "month", "-w", "500", "-q", "0.5"], 2, "window of 500")]:
            with self.subTest(args=args):
                self.refused(support.varve("quantile", *args, path, "-o", self.path("refused.nc")), code, *patterns)


if __name__ == "__main__":
    support.main()
