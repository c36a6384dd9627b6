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
        least = lambda ranks: support.suggested_budget(support.varve(*args, "--memory", "1MB", "-o", self.path("none.nc"), ranks=ranks).messages[0])
        for ranks, more in [(0, []), (2, ["--threads", "2"]), (3, ["--memory", least(3)]), (0, ["--memory", least(0)])]:
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


def spells(hit, least=1):
    return [n for _, n in runs_of(hit) if n >= least]


def periods_of(time, freq):
    """Which days are in each year, month or season, the season of December being that of the next year's January."""
    year, month = time.dt.year.values, time.dt.month.values
    label = {"year": year, "month": year * 12 + month, "season": (year * 12 + month) // 3}[freq]
    return [np.flatnonzero(label == v) for v in np.unique(label)]


class Indices(Case):
    def data(self, calendar="standard", n=1500, units="K", rain="kg m-2 s-1", **changed):
        """Four years and some days of temperatures in the north and in the south, and of precipitation, with missing days; one place has nothing else."""
        rng = np.random.default_rng(17)
        day = np.arange(n)
        year = np.cos(2 * np.pi * (day + 30) / 365)[:, None, None] * np.array([-14.0, -6, 14])[:, None]
        weather = np.repeat(rng.normal(0, 3, (n // 5 + 1, 3, 4)), 5, axis=0)[:n]
        tx = 18 + year + weather + rng.normal(0, 2, (n, 3, 4))
        tn = tx - rng.uniform(4, 12, tx.shape)
        pr = np.where(rng.random(tx.shape) < 0.55, 0, rng.gamma(0.8, 9, tx.shape))
        for x in (tx, tn, pr):
            x[rng.random(x.shape) < 0.01] = np.nan
            x[:, 1, 3] = np.nan
        offset = {"K": 273.15, "degC": 0.0}[units]
        time = (("time",), day + 0.5, {"attrs": {"units": "days since 2000-11-24", "calendar": calendar, "standard_name": "time"}})
        how = {"chunksizes": (90, 2, 4), "fill_value": np.float32(1e20), **SQUEEZED}
        fill = lambda x: np.where(np.isnan(x), 1e20, x).astype("f4")
        tenths = np.where(np.isnan(tn), -9999, np.round((tn + offset - 250.003) * 100)).astype("i2")
        self.assertLess(np.abs(tenths).max(), 32000)
        depth = pr / (86400 if rain == "kg m-2 s-1" else 1)
        return make(self.path("daily.nc"), {"time": n, "lat": 3, "lon": 4},
                    {"time": time, "lat": (("lat",), np.array([60.0, 10.0, -45.0]), {"attrs": {"units": "degrees_north"}}),
                     "lon": (("lon",), np.arange(4) * 10.0, {"attrs": {"units": "degrees_east"}}),
                     "tasmax": (("time", "lat", "lon"), fill(tx + offset), {"attrs": {"units": units, "standard_name": "air_temperature"}, **how}),
                     "tasmin": (("time", "lat", "lon"), tenths, {"attrs": {"units": units, "scale_factor": 0.01, "add_offset": 250.003}, "fill_value": np.int16(-9999)}),
                     "pr": (("time", "lat", "lon"), fill(depth), {"attrs": {"units": rain, "standard_name": "precipitation_flux"}, **how}), **changed})

    def result(self, *args, ranks=0, **how):
        out = self.path("out.nc")
        self.run_ok(*args, "-o", out, "-O", ranks=ranks, **how)
        with xr.open_dataset(out, use_cftime=True, decode_timedelta=False) as d:
            return d.load()

    def arrays(self, path):
        """The series as varve sees them: tx, tn in their units, pr in mm."""
        d = self.open(path)
        pr = d.pr.values if d.pr.units == "mm" else d.pr.values * np.float32(86400)
        return d.time, d.tasmax.values, d.tasmin.values.astype("f8"), pr

    def limits(self, x, time, q, base):
        """Percentiles around each day of the year, for each day: as xarray's rolling, construct and groupby make them."""
        a = xr.DataArray(x, dims=("time", "lat", "lon"), coords={"time": time})
        part = (a.sel(time=base) if base else a).rolling(time=5, center=True).construct("w")
        by_day = part.groupby("time.dayofyear").quantile(q, dim=["time", "w"], method="median_unbiased")
        return by_day.sel(dayofyear=time.dt.dayofyear.values).transpose("dayofyear", "lat", "lon").values.astype(x.dtype)

    def by_period(self, periods, f, *series):
        """f of each place's days in each period, NaN where all of the first series is missing."""
        out = np.full((len(periods), *series[0].shape[1:]), np.nan)
        for g, days in enumerate(periods):
            for at in np.ndindex(*out.shape[1:]):
                one = [x[(days, *at)] for x in series]
                if not np.isnan(one[0]).all():
                    out[(g, *at)] = f(*one)
        return out

    def references(self, path, freq, base=None):
        time, tx, tn, pr = self.arrays(path)
        periods = periods_of(time, freq)
        c = 273.15 if tx[~np.isnan(tx)].mean() > 150 else 0.0
        hot, cold = np.float32(c + 25), np.float32(c)
        five = np.full(pr.shape, np.nan)
        five[4:] = sum(pr[i:len(pr) - 4 + i].astype("f8") for i in range(5))
        x90, n10 = self.limits(tx, time, 0.9, base), self.limits(tn, time, 0.1, base)
        part = pr[np.isin(time.dt.year.values, np.arange(int(base.start), int(base.stop) + 1))] if base else pr
        p95 = np.nanquantile(np.where(part >= 1, part, np.nan), 0.95, axis=0, method="median_unbiased").astype("f4") + 0 * pr
        each = lambda f, *x: self.by_period(periods, f, *x)
        longest = lambda hit: max(spells(hit), default=0)
        total = lambda x: np.nansum(x, dtype="f8")
        return {"TXx": each(np.nanmax, tx), "TNn": each(np.nanmin, tn), "TNx": each(np.nanmax, tn), "TXn": each(np.nanmin, tx),
                "DTR": each(lambda d: np.nanmean(d), tx - tn), "ETR": each(lambda a, b: np.nanmax(a) - np.nanmin(b), tx, tn),
                "FD": each(lambda x: (x < c).sum(), tn), "ID": each(lambda x: (x < cold).sum(), tx), "SU": each(lambda x: (x > hot).sum(), tx),
                "TR": each(lambda x: (x > c + 20).sum(), tn), "CFD": each(lambda x: longest(x < c), tn), "CSU": each(lambda x: longest(x > hot), tx),
                "Rx1day": each(np.nanmax, pr), "Rx5day": each(np.nanmax, five), "RR1": each(lambda x: (x >= 1).sum(), pr), "R10mm": each(lambda x: (x >= 10).sum(), pr),
                "R20mm": each(lambda x: (x >= 20).sum(), pr), "CDD": each(lambda x: longest(x < 1), pr), "CWD": each(lambda x: longest(x >= 1), pr),
                "SDII": each(lambda x: np.nanmean(np.where(x >= 1, x, np.nan)), pr), "PRCPTOT": each(lambda x: total(x[x >= 1]), pr),
                "R95p": each(lambda x, limit: total(x[x > limit]), pr, p95), "R95pTOT": each(lambda x, limit: 100 * total(x[x > limit]) / total(x[x >= 1]), pr, p95),
                "TX90p": each(lambda x, limit: 100 * (x > limit).sum() / (~np.isnan(x)).sum(), tx, x90),
                "TN10p": each(lambda x, limit: 100 * (x < limit).sum() / (~np.isnan(x)).sum(), tn, n10),
                "WSDI": each(lambda x, limit: sum(spells(x > limit, 6)), tx, x90), "CSDI": each(lambda x, limit: sum(spells(x < limit, 6)), tn, n10)}

    def test_every_index(self):
        for calendar, freq, units, rain, ranks, base in [("standard", "year", "K", "kg m-2 s-1", 2, None), ("noleap", "season", "degC", "mm", 0, slice("2001", "2003")),
                                                         ("360_day", "month", "K", "mm", 3, None)]:
            path = self.data(calendar, units=units, rain=rain)
            right = self.references(path, freq, base)
            ours = self.result("index", ",".join(right), "--freq", freq, path, *(["--base-period", f"{base.start}:{base.stop}"] if base else []), ranks=ranks)
            for name, theirs in right.items():
                with self.subTest(calendar=calendar, freq=freq, name=name):
                    np.testing.assert_allclose(ours[name].values, theirs, rtol=2e-5, atol=1e-4)
                    self.assertEqual(ours[name].dims, ("time", "lat", "lon"))
                    self.assertTrue(ours[name].attrs["comment"].startswith(f"{name} (ETCCDI)"))
            self.assertEqual(ours.SU.attrs["units"], "days")
            self.assertEqual(ours.TXx.attrs["units"], units)
            self.assertEqual(ours.TXx.attrs["standard_name"], "air_temperature")
            self.assertEqual(ours.Rx5day.attrs["units"], "mm")
            self.assertEqual(ours.TX90p.attrs["units"], "%")
            starts = self.open(path).tasmax.resample(time={"year": "AS", "season": "QS-DEC", "month": "MS"}[freq]).max().time.values
            self.assertEqual([str(t) for t in ours.time.values], [str(t) for t in starts])
            np.testing.assert_array_equal(ours.lat, [60, 10, -45])

    def test_in_expressions(self):
        """The same by the language's function, in one plan with others."""
        path = self.data("standard")
        ours = self.result("index", "SU,DTR,WSDI,Rx5day", "--freq", "season", "--base-period", "2001:2002", path)
        made = self.result("eval", "SU = climate_index(tasmax, SU, freq=season)", "let n = tasmin", "DTR = tasmax.climate_index(n, dtr, freq=season)",
                           "Rx5day = pr.climate_index(name=Rx5day, freq=\"QS-DEC\")", "WSDI = climate_index(tasmax, WSDI, freq=season, base=2001:2002)", path, ranks=2)
        for name in ("SU", "DTR", "WSDI", "Rx5day"):
            np.testing.assert_array_equal(made[name], ours[name], name)
            self.assertEqual(made[name].attrs["units"], ours[name].attrs["units"])
        hot = self.result("eval", "h = mean(climate_index(tasmax, SU, threshold=30), time)", path)
        np.testing.assert_array_equal(hot.h, self.result("index", "SU", "--threshold", 30, path).SU.mean("time").astype("f4"))
        for text, *words in [("climate_index(tasmax, SUU)", "no climate index 'SUU'; did you mean 'SU'"), ("climate_index(tasmax, DTR)", "DTR is of daily maximum temperature, daily minimum"),
                             ("climate_index(SU)", "wants daily values and the name"), ("climate_index(tasmax, SU, frq=month)", "did you mean 'freq'"),
                             ("climate_index(pr, SU)", "its units must be K"), ("climate_index(tasmax, SU, base=2001:2002)", "no base period")]:
            with self.subTest(text=text):
                self.refused(support.varve("eval", f"a = {text}", path, "-o", self.path("n.nc")), 2, *words)

    @unittest.skipUnless(shutil.which("cdo"), "no cdo")
    def test_cdo(self):
        """Of one year, which is what these operators are of."""
        path = self.data(rain="mm")
        ours = self.result("index", "FD,ID,SU,TR,CFD,CSU,CDD,CWD,RR1,R10mm,R20mm,Rx1day,SDII", path).sel(time="2002").squeeze("time")
        for names, var in [("FD TR CFD", "tasmin"), ("ID SU CSU", "tasmax"), ("CDD CWD RR1 R10mm R20mm Rx1day SDII", "pr")]:
            for name in names.split():
                with self.subTest(name=name):
                    out = self.path(f"{name}.nc")
                    subprocess.run(["cdo", "-s", "-L", "-O", f"-eca_{name.lower()}", "-selyear,2002", f"-selname,{var}", path, out], check=True, stderr=subprocess.DEVNULL)
                    with xr.open_dataset(out, decode_times=False) as cdo:
                        theirs = next(v for v in cdo.data_vars.values() if v.dims[-2:] == ("lat", "lon"))
                        there = ~np.isnan(ours[name].values)  # of no days at all CDO has 0 or nothing, as the operator has it
                        np.testing.assert_allclose(ours[name].values[there], theirs.squeeze().values[there], rtol=1e-5)

    def test_thresholds_files_and_names(self):
        path = self.data()
        time, tx, tn, pr = self.arrays(path)
        years = periods_of(time, "year")
        ours = self.result("index", "su", "--threshold", "30", path)
        np.testing.assert_array_equal(ours.SU, self.by_period(years, lambda x: (x > np.float32(303.15)).sum(), tx))
        self.assertIn("with 30 degC", ours.SU.attrs["comment"])
        night, day = self.path("night.nc"), self.path("day.nc")
        self.run_ok("select", "time=#0:700", "-v", "tasmin", path, "-o", night)
        self.run_ok("select", "time=#0:700", "-v", "tasmax", path, "-o", day)
        part = self.result("index", "DTR", day, night, ranks=2)
        some = [d[d < 700] for d in years if d[0] < 700]
        np.testing.assert_allclose(part.DTR, self.by_period(some, np.nanmean, tx - tn), rtol=2e-5, atol=1e-4)
        other = self.result("index", "FD", "--series", "tn=tasmax", path)
        np.testing.assert_array_equal(other.FD, self.by_period(years, lambda x: (x < np.float32(273.15)).sum(), tx))
        np.testing.assert_array_equal(self.result("index", "FD", "-v", "tasmax", path).FD, other.FD)
        listed = self.run_ok("index", "--list").out
        for name in ("TXx", "WSDI", "R95p", "CDD"):
            self.assertIn(name, listed)

    def test_refused(self):
        path = self.data(n=400)
        hours = make(self.path("hours.nc"), {"time": 60}, {"time": (("time",), np.arange(60.0), {"attrs": {"units": "hours since 2001-01-01"}}),
                                                         "tasmax": (("time",), np.arange(60.0), {"attrs": {"units": "K"}})})
        months = make(self.path("months.nc"), {"time": 60}, {"time": (("time",), np.arange(60.0) * 30, {"attrs": {"units": "days since 2001-01-01"}}),
                                                           "tasmax": (("time",), np.arange(60.0), {"attrs": {"units": "K"}})})
        odd = make(self.path("odd.nc"), {"time": 60}, {"time": (("time",), np.arange(60.0), {"attrs": {"units": "days since 2001-01-01"}}),
                                                     "tasmax": (("time",), np.arange(60.0), {"attrs": {"units": "furlong"}}), "pr": (("time",), np.arange(60.0), {})})
        for args, code, *patterns in [(["SUU", path], 2, "SUU", "did you mean 'SU'"), (["SU", hours], 2, "more than one value a day", "resample -f 1D"),
                                      (["SU", months], 2, "less than one value a day"), (["SU", odd], 2, "furlong", "K, degC or degF"), (["CDD", odd], 2, "no units", "mm/day"),
                                      (["FD", hours], 3, "daily minimum temperature", "tasmin", "--series tn=VAR"), (["SU", "--base-period", "2001:2001", path], 2, "no base period"),
                                      (["TXx", "--threshold", "3", path], 2, "no threshold"), (["WSDI", "--threshold", "30", path], 2, "0 to 1"), ([path], 2, "--list"),
                                      (["FD", "--series", "tm=x", path], 2, "tx=VAR")]:
            with self.subTest(args=args):
                self.refused(support.varve("index", *args, "-o", self.path("refused.nc")), code, *patterns)


if __name__ == "__main__":
    support.main()
