#!/usr/bin/python3
# timeout: 300
"""Trends, correlations, patterns and smoothed climatologies against NumPy, xarray and CDO, in every calendar, with missing values, latitudes that descend, several variables, one packed.

What is of f32 is compared to within its rounding; coordinates and counts are equal. CDO's trend and detrend count steps, as --per step does.
"""
import math
import os
import shutil
import subprocess
import unittest

import cftime
import netCDF4
import numpy as np
import xarray as xr

import support
from support import SQUEEZED, make

CALENDARS = ("standard", "noleap", "360_day")
REAL = "/usr/share/ferret-vis/data"
YEAR = {"standard": 365.2425, "noleap": 365, "360_day": 360}


def line(x, y):
    """slope, intercept, stderr, t, correlation and number of values of a straight line, by the definitions."""
    there = ~np.isnan(x) & ~np.isnan(y)
    x, y = x[there], y[there]
    n = len(x)
    if n < 2:
        return [np.nan] * 5 + [n]
    slope, intercept = np.polyfit(x - x.mean(), y, 1)
    intercept -= slope * x.mean()
    left = y - intercept - slope * x
    sxx = ((x - x.mean())**2).sum()
    error = np.sqrt((left**2).sum() / (n - 2) / sxx) if n > 2 else np.nan
    corr = (x - x.mean()) @ (y - y.mean()) / np.sqrt(sxx * ((y - y.mean())**2).sum())
    return [slope, intercept, error, slope / error, corr, n]


def student_p(t, freedom):
    """The two-sided probability, by integrating the density of the angle."""
    far = math.atan(abs(t) / math.sqrt(freedom))
    at, weight = np.polynomial.legendre.leggauss(100)
    density = np.cos((at + 1) / 2 * far)**(freedom - 1) * math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(math.pi)
    return 1 - far * (weight * density).sum()


class Trends(support.Case):
    def data(self, calendar="standard", months=130):
        """Months, which are not equally long: t2m rises by 0.03 K a month, rain is packed."""
        rng = np.random.default_rng(5)
        time = xr.cftime_range("1990-01-15", periods=months, freq="MS", calendar=calendar)
        days = cftime.date2num(time, "days since 1985-01-01", calendar)
        t2m = 280 + 0.03 * np.arange(months)[:, None, None] + rng.normal(0, 2, (months, 5, 6))
        t2m[rng.random(t2m.shape) < 0.03] = np.nan
        t2m[:, 2, 3] = np.nan
        t2m[2:, 1, 1] = np.nan
        rain = np.round(3000 * (np.nan_to_num(t2m, nan=280) - 280) + rng.normal(0, 4000, t2m.shape)).clip(-32000, 32000).astype("i2")
        rain[rng.random(rain.shape) < 0.02] = -32767
        return make(self.path(f"{calendar}.nc"), {"time": months, "lat": 5, "lon": 6},
                    {"time": (("time",), np.asarray(days, "f8"), {"attrs": {"units": "days since 1985-01-01", "calendar": calendar}}),
                     "lat": (("lat",), np.linspace(60, -60, 5), {"attrs": {"units": "degrees_north"}}),
                     "t2m": (("time", "lat", "lon"), t2m.astype("f4"), {"chunksizes": (50, 3, 6), "fill_value": np.float32(np.nan), "attrs": {"units": "K"}, **SQUEEZED}),
                     "flux": (("lat", "time", "lon"), 140 + rng.normal(0, 2, (5, months, 6)) + 0.02 * np.arange(months)[:, None], {"attrs": {"units": "W m-2"}}),
                     "rain": (("time", "lat", "lon"), rain, {"attrs": {"scale_factor": 0.01, "add_offset": 5.0, "units": "mm"}, "fill_value": np.int16(-32767)})})

    def result(self, *args, ranks=0, **how):
        out = self.path("out.nc")
        self.run_ok(*args, "-o", out, "-O", ranks=ranks, **how)
        return out

    def open(self, path):
        d = xr.open_dataset(path, use_cftime=True)
        self.addCleanup(d.close)
        return d.load()

    def same(self, ours, theirs, tolerance=2e-6, floor=1e-9):
        np.testing.assert_allclose(np.asarray(ours, "f8"), np.asarray(theirs, "f8"), rtol=tolerance, atol=floor)

    def years(self, path, calendar, unit=1):
        with netCDF4.Dataset(path) as f:
            days = f["time"][:].data
        return (days - days[0]) / YEAR[calendar] / unit

    def test_lines(self):
        names = ["slope", "intercept", "stderr", "t", "corr", "n"]
        for calendar, ranks, per, unit in [("standard", 3, "year", 1), ("noleap", 0, "decade", 10), ("360_day", 2, "year", 1)]:
            with self.subTest(calendar=calendar):
                path = self.data(calendar)
                x, at = self.open(path), self.years(path, calendar, unit)
                ours = self.open(self.result("trend", "-m", ",".join(names + ["p"]), "--per", per, path, ranks=ranks))
                for var in ("t2m", "flux", "rain"):
                    y = x[var].transpose("time", "lat", "lon").values.astype("f8")
                    theirs = np.apply_along_axis(lambda v: np.array(line(at, v)), 0, y)
                    scale = np.nanmax(abs(theirs[1]))
                    for k, name in enumerate(names):
                        self.same(ours[f"{var}_{name}"], theirs[k], 2e-5 if var == "rain" else 2e-6, 1e-7 * scale if name == "intercept" else 1e-6)
                    p = [[student_p(theirs[3][j, i], theirs[5][j, i] - 2) if theirs[5][j, i] > 2 else np.nan for i in range(6)] for j in range(5)]
                    self.same(ours[f"{var}_p"], p, 2e-4, 1e-6)
                self.assertEqual(ours.t2m_slope.attrs["units"], f"K {per}-1")
                self.assertEqual(ours.t2m_slope.dims, ("lat", "lon"))
                self.assertIn(" 1990-02-01", ours.t2m_intercept.attrs["long_name"])
                self.assertNotIn("time", ours.variables)
                self.assertEqual(ours.t2m_n.values[2, 3], 0)
                self.assertEqual(ours.t2m_slope.dtype, "f4")

    def test_same_bits(self):
        path = self.data()
        first = None
        for ranks in (0, 1, 2, 4):
            d = self.open(self.result("trend", "-m", "slope,p", "--adjust", path, ranks=ranks, env={"VARVE_FUZZ": str(ranks)}))
            bits = {v: d[v].values.tobytes() for v in d.data_vars}
            first = first or bits
            self.assertEqual(bits, first)

    def test_adjusted(self):
        """Neighbours that go together count for less."""
        path = self.data()
        at, y = self.years(path, "standard"), np.cumsum(self.open(path).flux.values, 1)[0, :, 0]
        series = make(self.path("s.nc"), {"time": len(at)}, {"time": (("time",), at * YEAR["standard"], {"attrs": {"units": "days since 1990-01-15"}}), "y": (("time",), y)})
        slope, intercept, error, t, _, n = line(at, y)
        left = y - intercept - slope * at
        r = (left[1:] * left[:-1]).sum() / (left**2).sum()
        effective = min(n, n * (1 - r) / (1 + r))
        ours = self.open(self.result("trend", "-m", "slope,stderr,n,p", "--adjust", series))
        error *= np.sqrt((n - 2) / (effective - 2))
        self.same(ours.y_n, effective)
        self.same(ours.y_stderr, error)
        self.same(ours.y_slope, slope)
        self.same(ours.y_p, student_p(slope / error, effective - 2), 1e-5)

    def test_detrend(self):
        for calendar in CALENDARS:
            path = self.data(calendar)
            x, at = self.open(path), self.years(path, calendar)
            ours = self.open(self.result("detrend", path, ranks=2))
            for var in ("t2m", "flux", "rain"):
                y = x[var].astype("f8")
                theirs = y.copy()
                where = y.dims.index("time")
                theirs.values = np.apply_along_axis(lambda v: v - line(at, v)[1] - line(at, v)[0] * at, where, y.values)
                self.same(ours[var], theirs, 1e-5, 1e-4)
                self.assertEqual(ours[var].dims, x[var].dims)
            self.assertEqual(ours.t2m.attrs["units"], "K")
            self.same(ours.lat, x.lat)

    @unittest.skipUnless(shutil.which("cdo"), "no cdo")
    def test_cdo(self):
        path = self.data("noleap")
        subprocess.run(["cdo", "-s", "-L", "-O", "-b", "F64", "trend", "-selname,t2m,rain", path, self.path("a.nc"), self.path("b.nc")], check=True)
        subprocess.run(["cdo", "-s", "-L", "-O", "-b", "F64", "detrend", "-selname,t2m,rain", path, self.path("d.nc")], check=True)
        ours = self.open(self.result("trend", "--per", "step", "-m", "slope,intercept", path))
        left = self.open(self.result("detrend", "--per", "step", path))
        for var in ("t2m", "rain"):
            at = [self.open(self.path(f"{f}.nc"))[var] for f in "abd"]
            few = ours[f"{var}_slope"].copy(data=self.open(path)[var].count("time") > 2)  # of two values CDO makes what it likes
            self.same(ours[f"{var}_intercept"].where(few), at[0].squeeze().where(few), 1e-5)
            self.same(ours[f"{var}_slope"].where(few), at[1].squeeze().where(few), 1e-5, 1e-7)
            self.same(left[var].where(few), at[2].where(few), 1e-4, 1e-4)

    def test_pairs(self):
        for calendar in CALENDARS:
            path = self.data(calendar)
            x = self.open(path).astype("f8")
            ours = self.open(self.result("corr", "-m", "corr,cov,n,slope,p", "-v", "t2m,rain", path, ranks=2 if calendar == "standard" else 0))
            corr = xr.corr(x.t2m, x.rain, "time")
            self.same(ours.t2m_rain_corr, corr, 2e-5, 1e-5)
            self.same(ours.t2m_rain_cov, xr.cov(x.t2m, x.rain, "time"), 2e-5, 1e-4)
            n = (x.t2m + x.rain).count("time")
            np.testing.assert_array_equal(ours.t2m_rain_n, n)
            t = corr.values[0, 0] * np.sqrt((n.values[0, 0] - 2) / (1 - corr.values[0, 0]**2))
            self.same(ours.t2m_rain_p[0, 0], student_p(t, n.values[0, 0] - 2), 1e-3, 1e-6)
            self.assertEqual(ours.t2m_rain_cov.attrs["units"], "K mm")
        self.same(self.open(self.result("cov", "--ddof", "0", "-v", "t2m,rain", path)).t2m_rain_cov, xr.cov(x.t2m, x.rain, "time", ddof=0), 2e-5, 1e-4)

    def test_lags(self):
        path = self.data("noleap")
        x = self.open(path).astype("f8")
        ours = self.open(self.result("corr", "--lag=-12:12:6,1", "-v", "t2m,rain", path, ranks=3)).t2m_rain_corr
        np.testing.assert_array_equal(ours.lag, [-12, -6, 0, 6, 12, 1])
        for lag in (-12, 0, 1):
            self.same(ours.sel(lag=lag), xr.corr(x.t2m, x.rain.shift(time=-lag), "time"), 2e-5, 1e-5)

    def test_two_files(self):
        """What both have, whatever the units of time and the order of latitudes."""
        path = self.data("360_day")
        x = self.open(path).astype("f8")
        x.t2m[10:].to_dataset().to_netcdf(self.path("a.nc"), encoding={"time": {"units": "hours since 1900-01-01"}})
        x.flux.transpose("time", "lat", "lon")[:100, ::-1].to_dataset().to_netcdf(self.path("b.nc"))
        r = self.run_ok("corr", self.path("a.nc"), self.path("b.nc"), "-o", self.path("out.nc"), "-O")
        self.assertIn("90 of 120 positions of 't2m' along 'time' are in both", r.err)
        self.same(self.open(self.path("out.nc")).t2m_flux_corr, xr.corr(x.t2m[10:100], x.flux[:, 10:100], "time").transpose("lat", "lon"))
        x.t2m[:5].to_dataset().to_netcdf(self.path("c.nc"))
        self.refused(support.varve("corr", self.path("a.nc"), self.path("c.nc"), "-o", self.path("no.nc")), (2, 3), "time")

    def test_across_space(self):
        path = self.data()
        x = self.open(path).astype("f8")
        ours = self.open(self.result("corr", "-d", "lat,lon", "--weights", "cos(lat)", "-m", "corr,cov", "--ddof", "0", "-v", "t2m,flux", path, ranks=2))
        w = np.cos(np.radians(x.lat)) + 0 * x.t2m
        a, b = x.t2m.where(x.flux.notnull()), x.flux.where(x.t2m.notnull())
        w = w.where(a.notnull())
        mean = lambda v: (v * w).sum(["lat", "lon"]) / w.sum(["lat", "lon"])
        cov = mean((a - mean(a)) * (b - mean(b)))
        self.same(ours.t2m_flux_cov, cov, 2e-5, 1e-6)
        self.same(ours.t2m_flux_corr, cov / np.sqrt(mean((a - mean(a))**2) * mean((b - mean(b))**2)), 2e-5, 1e-6)

    @unittest.skipUnless(shutil.which("cdo"), "no cdo")
    def test_pairs_of_cdo(self):
        path = self.data()
        for operator, what in (("timcor", "corr"), ("timcovar", "cov")):  # CDO divides by the number of pairs
            subprocess.run(["cdo", "-s", "-L", "-O", "-b", "F64", operator, "-selname,t2m", path, "-selname,rain", path, self.path(f"{operator}.nc")], check=True)
            ours = self.open(self.result("corr", "-m", f"{what},n", "--ddof", "0", "-v", "t2m,rain", path))
            many = ours.t2m_rain_n > 2
            theirs = [v for v in self.open(self.path(f"{operator}.nc")).data_vars.values() if "lat" in v.dims][0].squeeze()
            self.same(ours[f"t2m_rain_{what}"].where(many), theirs.where(many), 3e-5, 1e-5)

    def field(self, months, rows, columns, gaps=False):
        rng = np.random.default_rng(11)
        waves = rng.normal(0, 1, (months, 3)) * [5, 3, 2]
        x = 280 + np.einsum("tk,kyx->tyx", waves, rng.normal(0, 1, (3, rows, columns))) + rng.normal(0, 0.3, (months, rows, columns))
        x[:, 1, 1] = np.nan
        if gaps:
            x[3, 0, 2] = np.nan
        return make(self.path(f"field{months}{gaps}.nc"), {"time": months, "lat": rows, "lon": columns},
                    {"time": (("time",), np.arange(months) * 30.0, {"attrs": {"units": "days since 1990-01-01", "calendar": "360_day"}}),
                     "lat": (("lat",), np.linspace(70, -70, rows), {"attrs": {"units": "degrees_north"}}),
                     "t2m": (("time", "lat", "lon"), x, {"attrs": {"units": "K"}, "fill_value": np.nan, "chunksizes": (months // 3, rows, 3)})}), x

    def patterns(self, x, weights=None, correlation=False, n=3):
        a = x - x.mean(0)
        if correlation:
            a = a / a.std(0)
        m = np.nan_to_num(a * (1 if weights is None else np.sqrt(weights)[:, None])).reshape(len(x), -1)
        u, s, _ = np.linalg.svd(m, full_matrices=False)
        series = u[:, :n] * np.sqrt(len(x))
        pattern = np.einsum("tk,tyx->kyx", series, a) / len(x)
        flat = np.nan_to_num(pattern).reshape(n, -1)
        sign = np.sign(flat[np.arange(n), abs(flat).argmax(1)])
        return pattern * sign[:, None, None], series * sign, s[:n]**2 / (s**2).sum(), s[:n]**2 / len(x)

    def test_eof(self):
        """With fewer times than points and the other way round; by area or not; of covariances and correlations."""
        for months, rows, columns, ranks in ((24, 5, 9, 3), (60, 4, 5, 0)):
            path, x = self.field(months, rows, columns)
            lat = np.cos(np.radians(np.linspace(70, -70, rows)))
            for args, how in (([], {"weights": lat}), (["--weights", "none", "--correlation"], {"correlation": True}))[:2 if ranks == 0 else 1]:
                with self.subTest(months=months, args=args):
                    ours = self.open(self.result("eof", "-n", "3", *args, path, ranks=ranks))
                    for name, theirs in zip(("eof", "pc", "fraction", "variance"), self.patterns(x, **how)):
                        self.same(ours[f"t2m_{name}"], theirs, 1e-8, 1e-8)
                    np.testing.assert_array_equal(ours.mode, [1, 2, 3])
                    self.assertEqual(ours.t2m_eof.attrs["units"], "1" if "--correlation" in args else "K")
                    self.assertEqual((ours.t2m_eof.dims, ours.t2m_pc.dims), (("mode", "lat", "lon"), ("time", "mode")))

    def test_gaps_of_patterns(self):
        path, x = self.field(24, 5, 9, gaps=True)
        self.refused(support.varve("eof", path, "-o", self.path("no.nc")), 3, "'t2m' is missing at some times, but not at all, at 1 of 45 points", "--gaps skip")
        ours = self.open(self.result("eof", "-n", "2", "--gaps", "skip", "--weights", "none", path))
        x[:, 0, 2] = np.nan
        self.same(ours.t2m_fraction, self.patterns(x, n=2)[2])
        self.assertTrue(np.isnan(ours.t2m_eof.values[:, 0, 2]).all())

    @unittest.skipUnless(shutil.which("cdo"), "no cdo")
    def test_eof_of_cdo(self):
        """The same patterns and parts of the variance; CDO's are scaled in another way."""
        path, x = self.field(24, 5, 9)
        env = dict(os.environ, CDO_WEIGHT_MODE="off")
        subprocess.run(["cdo", "-s", "-L", "-O", "-b", "F64", "eof,2", "-sub", path, "-timmean", path, self.path("value.nc"), self.path("pattern.nc")], check=True, env=env)
        ours = self.open(self.result("eof", "-n", "2", "--weights", "none", path))
        value = self.open(self.path("value.nc")).t2m.values.ravel()
        self.same(ours.t2m_fraction, (value / np.nansum(value))[:2], 1e-6)
        for k in range(2):
            a, b = (np.nan_to_num(v).ravel() for v in (ours.t2m_eof.values[k], self.open(self.path("pattern.nc")).t2m.values[k]))
            self.assertGreater(abs(a @ b) / np.sqrt((a @ a) * (b @ b)), 1 - 1e-9)

    def test_smooth_climatologies(self):
        for calendar, n in (("standard", 1200), ("noleap", 800), ("360_day", 800)):
            rng = np.random.default_rng(2)
            x = rng.normal(0, 1, (n, 3)).astype("f4") + 10 * np.cos(np.arange(n) / 58.1)[:, None].astype("f4")
            path = make(self.path(f"daily{calendar}.nc"), {"time": n, "lat": 3},
                        {"time": (("time",), np.arange(n, dtype="f8"), {"attrs": {"units": "days since 2000-01-01", "calendar": calendar}}), "x": (("time", "lat"), x)})
            data = self.open(path).x.astype("f8")
            days = data.groupby("time.dayofyear")
            mean = days.mean("time")
            m = mean.sizes["dayofyear"]
            window = mean.pad(dayofyear=(15, 15), mode="wrap").rolling(dayofyear=31, center=True).mean()[15:-15]
            self.same(self.open(self.result("clim", "-g", "dayofyear", "--smooth", "31", path, ranks=2 if calendar == "noleap" else 0)).x, window, 1e-5, 1e-5)
            waves = np.fft.rfft(mean.values, axis=0)
            waves[4:] = 0
            waves = mean.copy(data=np.fft.irfft(waves, m, axis=0))
            ours = self.open(self.result("clim", "-g", "dayofyear", "--harmonics", "3", path))
            self.same(ours.x, waves, 1e-5, 1e-5)
            np.testing.assert_array_equal(ours.dayofyear, mean.dayofyear)
            self.same(self.open(self.result("anom", "-g", "dayofyear", "--harmonics", "3", path)).x, days - waves, 1e-5, 1e-5)
        self.refused(support.varve("clim", "-g", "year", "--smooth", "3", path, "-o", self.path("no.nc")), 2, "dayofyear", "not year")

    def test_other_dimensions(self):
        """Per unit of any coordinate: xarray's polyfit."""
        path = self.data()
        x = self.open(path)
        ours = self.open(self.result("trend", "-d", "lat", "-m", "slope,intercept", "-v", "flux", path))
        fit = x.flux.polyfit("lat", 1).polyfit_coefficients
        self.same(ours.flux_slope, fit.sel(degree=1), floor=1e-7)
        self.same(ours.flux_intercept, fit.sel(degree=0))
        self.assertEqual(ours.flux_slope.attrs["units"], "W m-2 degrees_north-1")

    @unittest.skipUnless(os.path.isdir(REAL), "no ferret-datasets")
    def test_real_data(self):
        """The Navy's winds and COADS: classic files with missing values."""
        winds = xr.open_dataset(f"{REAL}/monthly_navy_winds.cdf", decode_times=False)
        self.addCleanup(winds.close)
        u, v = winds.UWND.astype("f8"), winds.VWND.astype("f8")
        path = f"{REAL}/monthly_navy_winds.cdf"
        self.same(xr.open_dataset(self.result("corr", "-v", "UWND,VWND", path, ranks=2), decode_times=False).UWND_VWND_corr, xr.corr(u, v, "TIME"), 1e-5, 1e-6)
        hours = (winds.TIME - winds.TIME[0]).values / 24 / 365.2425
        slope = u.assign_coords(TIME=hours).polyfit("TIME", 1).polyfit_coefficients.sel(degree=1)
        self.same(xr.open_dataset(self.result("trend", "-m", "slope", "-v", "UWND", path), decode_times=False).UWND_slope, slope, 1e-4, 1e-5)
        sea = f"{REAL}/coads_climatology.cdf"
        with xr.open_dataset(sea, decode_times=False) as d:
            x = d.SST.astype("f8")
            a = ((x - x.mean("TIME", skipna=False)) * np.sqrt(np.cos(np.radians(d.COADSY)))).values
        s = np.linalg.svd(np.nan_to_num(a).reshape(12, -1), compute_uv=False)**2
        ours = xr.open_dataset(self.result("eof", "-n", "3", "--gaps", "skip", "-v", "SST", sea, ranks=3), decode_times=False)
        self.same(ours.SST_fraction, s[:3] / s.sum(), 1e-6)

    def test_expressions(self):
        path = self.data()
        ours = self.open(self.result("eval", "a = trend(t2m, time, what=p)", "b = t2m.trend(time)", "c = detrend(t2m, time)", path))
        theirs = self.open(self.result("trend", "-m", "p,slope", "-v", "t2m", path))
        np.testing.assert_array_equal(ours.a, theirs.t2m_p)
        np.testing.assert_array_equal(ours.b, theirs.t2m_slope)
        self.assertLess(float(abs(ours.c.mean("time")).max()), 1e-4)

    def test_refused(self):
        path = self.data()
        for args, code, *patterns in [
                (["trend", "-m", "slpe", path], 2, "did you mean 'slope'"), (["trend", "--per", "yaer", path], 2, "did you mean 'year'"),
                (["trend", "--per", "year", "-d", "lat", path], 2, "is no time", "per step"), (["trend", "-d", "time,lat", path], 2, "one dimension"),
                (["trend", "-d", "tiem", path], (2, 3), "did you mean 'time'"), (["detrend", "-m", "slope", path], 2, "method"),
                (["trend", "--per", "unit", "-d", "lon", path], 2, "no coordinate along 'lon'", "per step"),
                (["corr", path], 2, "two variables"), (["corr", "-v", "t2m,rain,flux", path], 2, "two variables"), (["corr", path, path], 2, "several variables", ":"),
                (["corr", "--lag", "5:1", "-v", "t2m,rain", path], 2, "--lag", "5:1"), (["corr", "--lag", "500", "-v", "t2m,rain", path], 2, "500", "130"),
                (["corr", "-m", "cor", "-v", "t2m,rain", path], 2, "did you mean 'corr'"), (["corr", "-d", "lev", "-v", "t2m,rain", path], (2, 3), "lev"),
                (["corr", "-v", "t2m,rian", path], (2, 3), "did you mean 'rain'"), (["eof", "-n", "100", "-v", "flux", path], 2, "1 to 30"),
                (["eof", "-d", "lat,lon", path], 2, "one dimension"), (["clim", "-g", "month", "--harmonics", "9", path], 2, "harmonics")]:
            with self.subTest(args=args):
                self.refused(support.varve(*args, "-o", self.path("refused.nc")), code, *patterns)


if __name__ == "__main__":
    support.main()
