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


def runs_of(hit):
    """(first, length) of each run of a boolean series."""
    edges = np.flatnonzero(np.diff(np.r_[0, hit.astype("i1"), 0]))
    return list(zip(edges[::2], edges[1::2] - edges[::2]))


def run_lengths(x, condition, least=1):
    """What the five reductions make of a series, NaN where all of it is missing."""
    if np.isnan(x).all():
        return dict.fromkeys(RUNS, np.nan)
    found = [(a, n) for a, n in runs_of(condition(x)) if n >= least]
    return {"longest_run": max([n for _, n in found], default=0), "runs": len(found), "run_total": sum(n for _, n in found),
            "first_run": found[0][0] if found else np.nan, "last_run": sum(found[-1]) - 1 if found else np.nan}


RUNS = ("longest_run", "runs", "run_total", "first_run", "last_run")


class Runs(Case):
    def data(self, calendar="standard", n=1200):
        """Hot and cold spells, which go across chunks, months and years; missing values end some; one place has nothing else."""
        rng = np.random.default_rng(11)
        x = np.repeat(rng.normal(0, 1, (n // 8, 3, 5)), 8, axis=0) + rng.normal(0, 0.4, (n, 3, 5))
        x[rng.random(x.shape) < 0.02] = np.nan
        x[:, 2, 0] = np.nan
        time = (("time",), np.arange(n), {"attrs": {"units": "days since 2000-11-20", "calendar": calendar}})
        return make(self.path(f"runs_{calendar}.nc"), {"time": n, "lat": 3, "lon": 5},
                    {"time": time, "t": (("time", "lat", "lon"), x.astype("f4"), {"chunksizes": (37, 2, 5), "fill_value": np.float32(np.nan), **SQUEEZED}),
                     "series": (("lat", "lon", "time"), x.transpose(1, 2, 0), {"chunksizes": (3, 5, 200), "fill_value": np.nan})})

    def expected(self, x, groups, least, name):
        """Group by group of a (time, lat, lon) array."""
        out = np.full((len(groups), *x.shape[1:]), np.nan)
        for g, index in enumerate(groups):
            for at in np.ndindex(*x.shape[1:]):
                out[(g, *at)] = run_lengths(x[(index, *at)], lambda v: v > 0.3, least)[name]
        return out

    def test_all_of_the_time(self):
        path = self.data()
        x = self.open(path).t.values.astype("f8")
        for ranks, least, more in [(0, 1, []), (3, 6, ["--threads", "2"])]:
            for name in RUNS:
                with self.subTest(name=name, least=least):
                    ours = self.result(name, "-d", "time", "--when", ">0.3", "--least", least, path, *more, ranks=ranks if name == "runs" else 0)
                    right = self.expected(x, [slice(None)], least, name)[0]
                    np.testing.assert_array_equal(ours.t, right)
                    np.testing.assert_array_equal(ours.series, right)

    def test_by_period_and_group(self):
        for calendar in ("standard", "noleap", "360_day"):
            path = self.data(calendar)
            d = self.open(path)
            x = d.t.values.astype("f8")
            for args, labels in [(["resample", "-f", "YS"], d.time.dt.year.values), (["resample", "-f", "MS"], d.time.dt.year.values * 12 + d.time.dt.month.values)]:
                with self.subTest(calendar=calendar, args=args):
                    ours = self.result(*args, "-m", ",".join(RUNS), "--when", ">0.3", "--least", "3", path, ranks=2 if "MS" in args else 0)
                    groups = [labels == v for v in np.unique(labels)]
                    for name in RUNS:
                        right = self.expected(x, groups, 3, name)
                        np.testing.assert_array_equal(ours[f"t_{name}"], right)
                        np.testing.assert_array_equal(ours[f"series_{name}"].transpose("time", "lat", "lon"), right)
                    self.assertEqual(ours.t_runs.attrs["units"], "1")

    def test_neighbours_of_another_year_are_none(self):
        """January's last day and the next January's first are not one run."""
        path = make(self.path("ones.nc"), {"time": 800, "x": 1}, {"time": (("time",), np.arange(800), {"attrs": {"units": "days since 2001-01-01", "calendar": "noleap"}}),
                                                                 "t": (("time", "x"), np.ones((800, 1)), {"chunksizes": (50, 1)})})
        ours = self.result("clim", "-g", "month", "-m", "longest_run,runs,run_total", path, ranks=2)
        np.testing.assert_array_equal(ours.t_longest_run.squeeze(), [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
        np.testing.assert_array_equal(ours.t_runs.squeeze(), [3, 3, 3] + [2] * 9)
        self.assertEqual(float(ours.t_run_total.sum()), 800)

    def test_expressions(self):
        path = self.data()
        x = self.open(path).t.values.astype("f8")
        ours = self.result("eval", "a = longest_run(t > 0.3, time)", "b = (t > 0.3).run_total(time, least=4)", "c = runs(t, time, skipna=false)", path, ranks=2)
        empty = np.isnan(x).all(axis=0)
        np.testing.assert_array_equal(ours.a, np.where(empty, 0, self.expected(x, [slice(None)], 1, "longest_run")[0]))  # a comparison with what is missing is false
        np.testing.assert_array_equal(ours.b, np.where(empty, 0, self.expected(x, [slice(None)], 4, "run_total")[0]))
        np.testing.assert_array_equal(np.isnan(ours.c), np.isnan(x).any(axis=0))

    def test_refused(self):
        path = self.data(n=240)
        for args, *patterns in [(["longest_run", path], "along one dimension"), (["runs", "-d", "time,lat", path], "along one dimension"),
                                (["runs", "-d", "time", "--when", "25", path], "--when takes a comparison", "'>25'")]:
            with self.subTest(args=args):
                self.refused(support.varve(*args, "-o", self.path("refused.nc")), 2, *patterns)


if __name__ == "__main__":
    support.main()
