#!/usr/bin/python3
# timeout: 300
"""clim, anom, resample and rolling give xarray's numbers and xarray's labels, in every calendar, with missing values, for several variables.

Means are compared to within the rounding of f32 (xarray adds f32 up in f32, varve in f64), and so is what was packed with an offset (which this xarray
unpacks to f32); least and greatest values, counts and times are equal.
"""
import os
import shutil
import subprocess
import unittest

import netCDF4
import numpy as np
import xarray as xr

import support
from support import SQUEEZED, make

YEARS = {"standard": 1.7, "noleap": 1.2, "360_day": 1.1}


class Climate(support.Case):
    def data(self, calendar="standard", step=0.25, start="2001-02-10 00:00:00", years=1.6, unlimited=False, **options):
        """t2m and rain (packed) with missing values, latitudes that descend."""
        n = int(years * 365 / step)
        rng = np.random.default_rng(7)
        x = (280 + 10 * np.sin(np.arange(n) / 200)[:, None, None] + rng.normal(0, 5, (n, 5, 6))).astype("f4")
        x[rng.random(x.shape) < 0.01] = np.nan
        rain = rng.integers(-30000, 30000, x.shape).astype("i2")
        time = (("time",), np.arange(n) * step, {"attrs": {"units": f"days since {start}", "calendar": calendar, "axis": "T"}})
        return make(self.path(f"{calendar}.nc"), {"time": (n,) if unlimited else n, "lat": 5, "lon": 6},
                    {"time": time, "lat": (("lat",), np.linspace(60, -60, 5), {"attrs": {"units": "degrees_north"}}),
                     "t2m": (("time", "lat", "lon"), x, {"chunksizes": (100, 3, 6), "fill_value": np.float32(np.nan), "attrs": {"units": "K"}, **SQUEEZED, **options}),
                     "rain": (("time", "lat", "lon"), rain, {"attrs": {"scale_factor": 0.01, "add_offset": 5.0}, "fill_value": np.int16(-9999)})})

    def result(self, *args, ranks=0, **how):
        out = self.path("out.nc")
        self.run_ok(*args, "-o", out, "-O", ranks=ranks, **how)
        return out

    def open(self, path):
        d = xr.open_dataset(path, use_cftime=True)
        self.addCleanup(d.close)
        return d

    def same(self, ours, theirs, exact=False, tolerance=3e-6):
        a, b = np.asarray(ours, "f8"), np.asarray(theirs, "f8")
        self.assertEqual(a.shape, b.shape)
        if exact:
            np.testing.assert_array_equal(a, b)
        else:
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * 10)

    def test_climatology(self):
        for calendar, years in YEARS.items():
            path = self.data(calendar, years=years)
            x = self.open(path).load()
            for by, ranks in [("dayofyear", 3), ("month", 2), ("season", 0), ("hour", 1), ("year", 0)][:5 if calendar == "standard" else 2]:
                with self.subTest(calendar=calendar, by=by):
                    ours = self.open(self.result("clim", "-g", by, "-m", "mean,max,count", path, ranks=ranks))
                    groups = x.groupby(f"time.{by}")
                    for var in ("t2m", "rain"):
                        mean, most = groups.mean("time")[var], groups.max("time")[var]
                        if by == "season":
                            names = ["DJF", "MAM", "JJA", "SON"]
                            mean, most = mean.sel(season=names), most.sel(season=names)
                            self.assertEqual(ours.season.flag_meanings, " ".join(names))
                        else:
                            self.same(ours[by], mean[by], exact=True)
                        self.same(ours[f"{var}_mean"], mean.astype("f8"))
                        self.same(ours[f"{var}_max"], most, exact=var == "t2m")
                    self.assertEqual(ours.t2m_mean.dims, (by, "lat", "lon"))
                    self.assertIn(f"(by {by})", ours.t2m_mean.attrs["cell_methods"])
                    self.assertNotIn("time", ours.variables)

    def test_pairs(self):
        path = self.data("noleap", years=1.2)
        x = self.open(path)
        ours = self.open(self.result("clim", "-g", "month+hour", path, ranks=2))
        self.assertEqual(ours.t2m.dims, ("month", "hour", "lat", "lon"))
        np.testing.assert_array_equal(ours.month, np.arange(1, 13))
        np.testing.assert_array_equal(ours.hour, [0, 6, 12, 18])
        for hour in (0, 18):
            part = x.t2m[x.time.dt.hour == hour]
            self.same(ours.t2m.sel(hour=hour), part.groupby("time.month").mean("time"))

    def test_anomalies(self):
        path = self.data("standard", step=1, years=3)
        x = self.open(path).t2m.astype("f8")
        groups = x.groupby("time.month")
        with xr.set_options(keep_attrs=True):
            expected = groups - groups.mean("time")
        ours = self.open(self.result("anom", "-g", "month", path, ranks=3))
        self.same(ours.t2m, expected, tolerance=2e-5)
        self.assertEqual(ours.t2m.dims, x.dims)
        self.assertEqual(ours.t2m.attrs["units"], "K")
        for more in ([], ["--keepdims"], ["--keepdims", "-g", "month"]):
            all_of = expected if "-g" in more else x - x.mean("time")
            self.same(self.open(self.result("anom", *more, path)).t2m, all_of, tolerance=2e-5)
        standard = self.open(self.result("anom", "-g", "month", "--standardize", path, ranks=2)).t2m
        self.assertEqual(standard.attrs["units"], "1")
        self.same(standard, expected.groupby("time.month") / groups.std("time"), tolerance=2e-5)
        period = x.sel(time=slice("2001-03", "2002-02"))
        of = self.open(self.result("anom", "-g", "month", "--reference", "2001-03:2002-02", path)).t2m
        self.same(of, groups - period.groupby("time.month").mean("time"), tolerance=2e-5)
        clim = self.path("clim.nc")
        self.run_ok("clim", "-g", "month", path, "-o", clim)
        self.same(self.open(self.result("anom", "-g", "month", "--reference", clim, path)).t2m, expected, tolerance=2e-5)

    def test_resample(self):
        for calendar, years in YEARS.items():
            path = self.data(calendar, years=years, step=0.5)
            x = self.open(path).load()
            frequencies = [("1D", "1D"), ("5D", "5D"), ("12h", "12H"), ("1M", "1M"), ("MS", "MS"), ("2MS", "2MS"), ("Q", "Q"),
                                       ("QS-DEC", "QS-DEC"), ("Q-NOV", "Q-NOV"), ("1Y", "1A"), ("YS", "AS")]
            for ours_by, theirs_by in frequencies if calendar == "standard" else frequencies[1:8:2]:
                with self.subTest(calendar=calendar, by=ours_by):
                    path_out = self.result("resample", "-f", ours_by, "-m", "mean,min", path, ranks=2 if "D" in ours_by else 0)
                    ours = self.open(path_out)
                    periods = x.resample(time=theirs_by)
                    mean = periods.mean()
                    self.assertEqual([str(t) for t in ours.time.values], [str(t) for t in mean.time.values])
                    for var in ("t2m", "rain"):
                        self.same(ours[f"{var}_mean"], mean[var])
                        self.same(ours[f"{var}_min"], periods.min()[var], exact=var == "t2m")
                    self.assertEqual(ours.t2m_mean.attrs["cell_methods"], "time: mean")
                    self.bounds(path_out, x.time.values)

    def bounds(self, path, times):
        """Each period ends where the next one begins; every time lies in one."""
        with netCDF4.Dataset(path) as f:
            self.assertEqual(f["time"].bounds, "time_bnds")
            b = f["time_bnds"][:]
            np.testing.assert_array_equal(b[1:, 0], b[:-1, 1])
            first = netCDF4.date2num(times[0], f["time"].units, f["time"].calendar)
            last = netCDF4.date2num(times[-1], f["time"].units, f["time"].calendar)
            self.assertTrue(b[0, 0] <= first < b[0, 1] and b[-1, 0] <= last < b[-1, 1])

    def test_only_complete_periods(self):
        path = self.data("standard", years=1.3, unlimited=True)  # from the 10th of February
        out = self.result("resample", "-f", "MS", "--complete", path)
        ours = self.open(out)
        self.assertEqual(str(ours.time.values[0])[:10], "2001-03-01")
        self.assertEqual(str(ours.time.values[-1])[:10], "2002-04-01")
        self.assertEqual(ours.sizes["time"], 14)
        with netCDF4.Dataset(out) as f:
            self.assertTrue(f.dimensions["time"].isunlimited())
        months = self.path("months.nc")
        os.rename(out, months)
        again = self.open(self.result("resample", "-f", "1Y", months))
        self.assertEqual(again.sizes["time"], 2)
        quarters = self.run_ok("resample", "-f", "QS", "--complete", months, "-d", "time,lat,lon", "-v", "t2m").out
        self.assertEqual([w.split("  ")[0] for w in quarters.split("time=")[1:]], ["2001-04-01", "2001-07-01", "2001-10-01", "2002-01-01"])

    @unittest.skipUnless(shutil.which("cdo"), "no cdo")
    def test_cdo(self):
        path = self.data("standard", step=0.5, years=2.2)
        for args, operators in [(["clim", "-g", "month"], ["-ymonmean"]), (["clim", "-g", "season"], ["-yseasmean"]), (["resample", "-f", "MS"], ["-monmean"]),
                                (["resample", "-f", "1D"], ["-daymean"]), (["resample", "-f", "QS-DEC"], ["-seasmean"]),
                                (["anom", "-g", "month"], ["-ymonsub", path, "-ymonmean"])]:
            with self.subTest(args=args):
                theirs = self.path(f"cdo{operators[0]}.nc")
                subprocess.run(["cdo", "-s", "-L", "-O", "-b", "F32", *operators, path, theirs], check=True)
                ours = self.result(*args, path, ranks=2)
                for var in ("t2m", "rain"):
                    with xr.open_dataset(theirs, decode_times=False) as cdo:  # its bounds of seasons may be anything
                        self.same(self.open(ours)[var], cdo[var], tolerance=2e-5)

    def test_gaps(self):
        """A period without a time in it is missing, as xarray has it."""
        time = np.r_[0:10, 40:50].astype("f8")
        path = make(self.path("gap.nc"), {"time": 20}, {"time": (("time",), time, {"attrs": {"units": "days since 2001-01-01"}}),
                                                        "x": (("time",), np.arange(20.0), {})})
        ours = self.open(self.result("resample", "-f", "5D", path, ranks=2))
        self.same(ours.x, self.open(path).x.resample(time="5D").mean())

    def test_rolling(self):
        path = self.data("standard", step=1, years=1)
        x = self.open(path)
        for args, how in [(["-w", 30], {}), (["-w", 5, "--center"], {"center": True}), (["-w", 7, "--min-periods", 3], {"min_periods": 3})]:
            with self.subTest(args=args):
                ours = self.open(self.result("rolling", *args, "-m", "mean,max", path, ranks=2))
                window = x.t2m.astype("f8").rolling(time=args[1], **how)
                self.same(ours.t2m_mean, window.mean())
                self.same(ours.t2m_max, window.max(), exact=True)

    def test_printed_with_their_labels(self):
        path = self.data("standard", step=1, years=1)
        lines = self.run_ok("clim", "-g", "season", "-d", "time,lat,lon", "-v", "t2m", path).out.splitlines()
        self.assertEqual(len(lines), 4)
        self.assertIn("season=0", lines[0])
        self.assertEqual(lines, self.run_ok("clim", "-g", "season", "-d", "lat,time,lon", "-v", "t2m", path).out.splitlines())
        lines = self.run_ok("resample", "-f", "QS", "-d", "time,lat,lon", "-v", "t2m", path).out.splitlines()
        self.assertIn("time=2001-01-01", lines[0])

    def test_refused(self):
        path = self.data("standard", step=1, years=1)
        for args, code, *patterns in [
                (["clim", path], 2, "-g GROUP"), (["clim", "-g", "mnth", path], 2, "mnth", "did you mean 'month'"),
                (["clim", "-g", "month+year", path], 2, "a year comes first"), (["resample", path], 2, "-f FREQUENCY"),
                (["resample", "-f", "3X", path], 2, "3X", "no frequency"), (["resample", "-f", "MS-DEC", path], 2, "no frequency"),
                (["rolling", path], 2, "-w LENGTH"), (["resample", "-f", "1D", "-m", "maen", path], 2, "did you mean 'mean'"),
                (["anom", "-g", "month", "--standardize", "--reference", path, path], 2, "spread"),
                (["anom", "-g", "month", "--reference", "nope.nc", path], 2, "neither a file nor a period", "nope.nc"),
                (["rolling", "-w", "3", "-d", "lat,lon", path], 2, "one dimension"), (["clim", "-g", "month", "-d", "lat", path], (2, 3), "times")]:
            with self.subTest(args=args):
                self.refused(varve_out(self, args), code, *patterns)


def varve_out(case, args):
    return support.varve(*args, "-o", case.path("refused.nc"))


if __name__ == "__main__":
    support.main()
