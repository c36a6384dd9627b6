#!/usr/bin/python3
# timeout: 300
"""Statistics of the globe: weights, masks, groups by labels, ensembles; selections by longitudes, seasons and points; operands whose labels lie in another order. Beside xarray and CDO."""
import os
import shutil
import subprocess
import unittest

import netCDF4
import numpy as np
import xarray as xr

import support
from support import make

N_TIME, N_LAT, N_LON = 40, 9, 12
NAMES = ["none", "North sea", "South sea", "Lake"]
CDO = shutil.which("cdo")


def close(ours, theirs, tolerance=2e-6):
    a, b = np.asarray(ours, "f8"), np.asarray(theirs, "f8")
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * 10)
    assert a.shape == b.shape


def fields():
    rng = np.random.default_rng(3)
    x = (280 + rng.normal(0, 5, (N_TIME, N_LAT, N_LON))).astype("f4")
    x[rng.random(x.shape) < 0.05] = np.nan
    x[3] = np.nan  # a step without any value
    rain = rng.integers(-3000, 3000, x.shape).astype("i2")
    sea = rng.integers(0, 4, (N_LAT, N_LON)).astype("i2")
    sea[sea == 0] = -99
    return x, rain, sea, (rng.random((N_LAT, N_LON)) * 100).astype("f4")


class Area(support.Case):
    x, rain, sea, land = fields()

    def data(self, name="data.nc", west=0, up=False, calendar="standard"):
        """Latitudes that descend (unless up), longitudes from `west` on, packed rain, basins with names, a land fraction."""
        lon = west + np.arange(N_LON) * 30.0
        roll = -int(west // 30)
        put = lambda a: np.roll(a[..., ::-1, :] if up else a, roll, axis=-1)
        lat = np.linspace(80, -80, N_LAT)[::-1 if up else 1]
        return make(self.path(name), {"time": (N_TIME,), "lat": N_LAT, "lon": N_LON, "bnds": 2},
                    {"time": (("time",), np.arange(N_TIME) * 12.0, {"attrs": {"units": "days since 2001-01-10", "calendar": calendar}}),
                     "lat": (("lat",), lat, {"attrs": {"units": "degrees_north"}}),
                     "lon": (("lon",), lon, {"attrs": {"units": "degrees_east", "bounds": "lon_bnds"}}),
                     "lon_bnds": (("lon", "bnds"), np.stack([lon - 15, lon + 15], 1)),
                     "t": (("time", "lat", "lon"), put(self.x), {"fill_value": np.float32(np.nan), "chunksizes": (10, 5, 12), "attrs": {"units": "K"}}),
                     "rain": (("time", "lat", "lon"), put(self.rain), {"attrs": {"scale_factor": 0.01, "add_offset": 5.0}, "fill_value": np.int16(-2999)}),
                     "sea": (("lat", "lon"), put(self.sea), {"fill_value": np.int16(-99), "attrs": {"flag_values": np.int16([1, 2, 3]), "flag_meanings": "North South Lake"}}),
                     "land": (("lat", "lon"), put(self.land), {"attrs": {"units": "%"}})})

    def result(self, *args, ranks=0):
        out = self.path("out.nc")
        self.run_ok(*args, "-o", out, "-O", ranks=ranks)
        return self.open(out)

    def open(self, path):
        d = xr.open_dataset(path, use_cftime=True)
        self.addCleanup(d.close)
        return d

    # --- weights and masks ---

    def test_weighted(self):
        path = self.data()
        x = self.open(path)
        w = np.cos(np.deg2rad(x.lat))
        ours = self.result("reduce", "-m", "mean,sum,std,var", "-d", "lat,lon", "--weights", "cos(lat)", path, ranks=2)
        for var in ("t", "rain"):
            of = x[var].astype("f8").weighted(w)
            for how in ("mean", "sum", "std", "var"):
                with self.subTest(var=var, how=how):
                    theirs = getattr(of, how)(("lat", "lon"))
                    if how == "sum":
                        theirs = theirs.where(~np.isnan(theirs), 0)
                    close(ours[f"{var}_{how}"], theirs, 1e-5)
        self.assertEqual(ours.t_mean.attrs["cell_methods"], "lat: lon: mean (weighted)")
        self.assertEqual(ours.t_var.attrs["units"], "K2")
        close(self.result("mean", "-d", "lat", "--weights", "cos(lat)", "-v", "t", path).t, x.t.astype("f8").weighted(w).mean("lat"))
        close(self.result("mean", "-d", "lat,lon", "--weights", "land", "-v", "t", path).t, x.t.astype("f8").weighted(x.land).mean(("lat", "lon")))
        close(self.result("mean", "-d", "lat,lon", "--weights", "land * cos(radians(lat))", "-v", "t", path).t,
              x.t.astype("f8").weighted(x.land * w).mean(("lat", "lon")))
        for how in ("mean", "std"):  # weights of one of three dimensions; a missing value says that all are missing
            close(self.result(how, "-d", "time,lat,lon", "--weights", "cos(lat)", "-v", "t", path).t, getattr(x.t.astype("f8").weighted(w), how)())
        whole = x.t.astype("f8").where(xr.DataArray(np.arange(N_TIME) > 20, dims="time"), 280 + x.lat)
        kept = self.result("eval", "k = mean(where(time > 20 * 12, t, 280 + lat), lat, lon, weights=cos(radians(lat)), skipna=0)", path)
        close(kept.k, whole.weighted(w).mean(("lat", "lon"), skipna=False))
        clim = self.result("clim", "-g", "month", "-d", "time,lat,lon", "--weights", "cos(lat)", "-v", "t", path)
        parts = [x.t[x.time.dt.month == m].astype("f8").weighted(w).mean() for m in clim.month.values]
        close(clim.t, parts)

    def test_weighted_quantiles(self):
        path = self.data()
        x = self.open(path)
        w = np.cos(np.deg2rad(x.lat))
        qs = [0, 0.1, 0.5, 0.83, 1]
        ours = self.result("quantile", "-q", ",".join(map(str, qs)), "-d", "lat,lon", "--weights", "cos(lat)", path, ranks=2)
        self.assertEqual(ours.t.dims, ("quantile", "time"))
        np.testing.assert_array_equal(ours["quantile"], qs)
        self.assertEqual(ours.t.attrs["units"], "K")
        for var in ("t", "rain"):
            close(ours[var], x[var].astype("f8").weighted(w).quantile(qs, dim=("lat", "lon"), skipna=True))
        half = x.t.astype("f8").weighted(w).quantile(0.5, dim=("lat", "lon"), skipna=True)
        close(self.result("median", "-d", "lon,lat", "--weights", "cos(lat)", "-v", "t", path).t, half)
        close(self.result("eval", "h = quantile(t, 0.5, lat, lon, weights=cos(lat))", path).h, half)
        close(self.result("eval", "h = t.weighted(cos(radians(lat))).quantile([0.5], lon, lat)", path).h[0], half)
        land = x.t.astype("f8").weighted(x.land)
        close(self.result("quantile", "-q", 0.25, "-d", "lat", "--weights", "land", "-v", "t", path).t, land.quantile(0.25, dim="lat", skipna=True))
        whole = self.result("quantile", "-q", "0.25,0.5", "-d", "lat,time", "--weights", "cos(lat)", "-v", "t", "--no-skipna", path).t
        self.assertTrue(np.isnan(whole).all())
        for method in ("linear", "hazen", "weibull", "median_unbiased", "normal_unbiased", "interpolated_inverted_cdf"):
            plain = x.t.astype("f8").quantile(0.3, "time", skipna=True, method=method)
            close(self.result("quantile", "-q", 0.3, "-m", method, "-d", "time", "--weights", "0 * time + 7", "-v", "t", path).t, plain)

    def test_quantiles_by_labels(self):
        path = self.data()
        x = self.open(path)
        ours = self.result("quantile", "-q", "0.2,0.9", "-d", "time,lat,lon", "--by", "sea", "-v", "t", path, ranks=2).t
        self.assertEqual(ours.dims, ("quantile", "sea"))
        for k, basin in enumerate(ours.sea.values):
            close(ours[:, k], x.t.astype("f8").where(x.sea == basin).quantile([0.2, 0.9], skipna=True))
        one = self.result("quantile", "-q", 0.5, "--by", "sea", "-v", "t", path).t
        self.assertEqual(one.dims, ("time", "sea"))
        close(one[5, 1], x.t[5].astype("f8").where(x.sea == one.sea[1]).quantile(0.5, skipna=True))
        for args, *words in [(["-g", "month", "--by", "sea"], "no --by"), (["-g", "month", "--weights", "land"], "no --weights"),
                             (["--by", "sea", "--weights", "land"], "not both"), (["-d", "lat", "--weights", "cos(lat)", "-m", "nearest"], "nearest", "linear"),
                             (["-d", "lat,lon", "--weights", "land - 50"], "negative", "rank"), (["-d", "time", "--weights", "land"], "not reduced over")]:
            with self.subTest(args=args):
                self.refused(support.varve("quantile", "-q", 0.5, *args, "-v", "t", path, "-o", self.path("no.nc")), (1, 2, 3), *words)

    def test_masks(self):
        path, other = self.data(), self.data("other.nc", west=-180, up=True)
        x = self.open(path)
        w = np.cos(np.deg2rad(x.lat))
        dry = x.t.astype("f8").where(x.land > 50)
        for mask in ("land > 50", f"{other}:land > 50", f"{other}:where(land > 50, 1, nan)"):
            with self.subTest(mask=mask):
                close(self.result("mean", "-d", "lat,lon", "--weights", "cos(lat)", "--mask", mask, "-v", "t", path).t, dry.weighted(w).mean(("lat", "lon")))
        close(self.result("max", "-d", "time", "--mask", "land > 50", "-v", "t", path).t, dry.max("time"))
        close(self.result("quantile", "-q", "0.5", "-d", "time", "--mask", "land > 50", "-v", "t", path).t, dry.quantile(0.5, "time", skipna=True))
        month = self.result("clim", "-g", "month", "--mask", "sea", "-v", "t", path)
        close(month.t, x.t.where(~np.isnan(x.sea)).astype("f8").groupby("time.month").mean("time"))
        self.assertEqual(month.t.attrs["units"], "K")
        self.assertNotIn("sea", self.result("mean", "-d", "lat,lon", "--mask", "sea", path))

    @unittest.skipUnless(CDO, "no cdo")
    def test_areas_beside_cdo(self):
        path = self.data()
        theirs, area = self.path("cdo.nc"), self.path("area.nc")
        subprocess.run(["cdo", "-s", "-O", "-b", "F64", "fldmean", "-selname,t,rain", path, theirs], check=True)
        subprocess.run(["cdo", "-s", "-O", "-b", "F64", "gridarea", path, area], check=True)
        ours = self.result("mean", "-d", "lat,lon", "--weights", f"{area}:cell_area", "-v", "t,rain", path, ranks=2)
        with xr.open_dataset(theirs, decode_times=False) as cdo:
            for var in ("t", "rain"):
                close(ours[var], cdo[var][:, 0, 0])
        # ours end at parallels, CDO's at great circles: of cells of 20 x 30 degrees these differ
        x = self.open(path)
        edge = np.deg2rad(np.linspace(90, -90, N_LAT + 1))
        band = xr.zeros_like(x.lat, "f8") + (np.sin(edge[:-1]) - np.sin(edge[1:]))
        ours = self.result("reduce", "-m", "mean,sum", "-d", "lat,lon", "--weights", "area", "-v", "t", path)
        close(ours.t_mean, x.t.astype("f8").weighted(band).mean(("lat", "lon")))
        total = x.t.astype("f8").weighted(band).sum(("lat", "lon")) * 6371000.0 ** 2 * np.pi / 6
        close(ours.t_sum / 1e15, total.where(~np.isnan(total), 0) / 1e15)

    def test_zonal_and_meridional(self):
        path = self.data()
        x = self.open(path)
        zonal = self.result("mean", "-d", "lon", "-v", "t", path)
        close(zonal.t, x.t.astype("f8").mean("lon"))
        self.assertEqual(zonal.t.attrs["cell_methods"], "lon: mean")
        close(self.result("mean", "-d", "lat", "-v", "t", path).t, x.t.astype("f8").mean("lat"))

    # --- groups ---

    def test_by_labels(self):
        path, other = self.data(), self.data("other.nc", west=-180, up=True)
        x = self.open(path)
        w = np.cos(np.deg2rad(x.lat))
        for by, how, ranks in [("sea", "mean", 2), ("sea", "max", 0), (f"{other}:sea", "std", 3), ("sea", "count", 0)]:
            with self.subTest(by=by, how=how):
                ours = self.result(how, "--by", by, "-v", "t,rain", path, ranks=ranks)
                np.testing.assert_array_equal(ours.sea, [1, 2, 3])
                self.assertEqual(ours.sea.attrs["flag_meanings"], "North South Lake")
                for var in ("t", "rain"):
                    self.assertEqual(ours[var].dims, ("time", "sea"))
                    expected = np.stack([getattr(x[var].astype("f8").where(x.sea == k), how)(("lat", "lon")) for k in (1, 2, 3)], 1)
                    close(ours[var], expected, 2e-5)
        ours = self.result("mean", "-g", "sea", "-d", "time,lat,lon", "--weights", "cos(lat)", "-v", "t", path)
        close(ours.t, [x.t.astype("f8").where(x.sea == k).weighted(w).mean() for k in (1, 2, 3)])
        self.assertIn("(by sea)", ours.t.attrs["cell_methods"])
        both = self.result("eval", "a = mean(t.group(sea))", "b = t.group(sea).max(time)", path)
        close(both.a, np.stack([x.t.where(x.sea == k).astype("f8").mean(("lat", "lon")) for k in (1, 2, 3)], 1))

    def test_by_names(self):
        n = 50
        rng = np.random.default_rng(1)
        county = np.array([NAMES[k] for k in rng.integers(0, 4, n)], object)
        x = rng.normal(0, 1, (7, n))
        path = make(self.path("stations.nc"), {"time": 7, "station": n},
                    {"x": (("time", "station"), x), "county": (("station",), county)})
        ours = self.result("mean", "--by", "county", path, ranks=2)
        names = list(ours.county.values)
        self.assertEqual(sorted(names), sorted(set(county)))
        close(ours.x, np.stack([x[:, county == name].mean(1) for name in names], 1), 1e-12)
        with netCDF4.Dataset(self.path("chars.nc"), "w") as f:
            for name, length in (("time", 7), ("station", n), ("letters", 12)):
                f.createDimension(name, length)
            f.createVariable("x", "f8", ("time", "station"))[:] = x
            f.createVariable("county", "S1", ("station", "letters"))[:] = netCDF4.stringtochar(county.astype("S12"))
        chars = self.result("max", "--by", "county", self.path("chars.nc"))
        self.assertEqual(list(chars.county.values.astype(str)), names)
        close(chars.x, np.stack([x[:, county == name].max(1) for name in names], 1), 1e-12)

    def test_ensembles(self):
        files = [self.data("a.nc"), self.data("b.nc", west=-180), self.data("c.nc", up=True)]
        ours = self.result("reduce", "-m", "mean,std", "-d", "member", "-v", "t", *files, ranks=2)
        x = self.open(files[0]).t.astype("f8")
        self.assertEqual(ours.t_mean.dims, ("time", "lat", "lon"))
        close(ours.t_mean, x)
        close(ours.t_std, xr.zeros_like(x).where(~np.isnan(x)))
        close(self.result("mean", "-d", "run,time", "--stack", "run", "-v", "t", *files).t, x.mean("time"))

    # --- selections ---

    def test_longitudes(self):
        for west in (0, -180):
            path = self.data(f"from{west}.nc", west=west)
            x = self.open(path)
            east = self.x if west == 0 else self.x
            for what, first, n in [("170:-170", 180, 1), ("350:10", 360, 1), ("-30:30", -30, 3), ("330:390", 330, 3), ("90:-90", 90, 7), ("-180:179", -180, 12), ("0:359", 0, 12)]:
                with self.subTest(west=west, what=what):
                    ours = self.result("select", f"lon={what}", "-v", "t", path)
                    lon = first + 30.0 * np.arange(n)
                    np.testing.assert_allclose(ours.lon, lon)
                    column = np.round(lon / 30).astype(int) % N_LON
                    np.testing.assert_array_equal(ours.t, east[:, :, column])
            one = self.result("select", "lon=-60,lat=~43", path)
            np.testing.assert_array_equal(one.t[:, 0, 0], self.x[:, 2, 10])
            self.assertEqual(float(one.lon), -60)
            np.testing.assert_array_equal(self.result("select", "lon=~-14,time=#0:3", path).t, self.x[0:3, :, :1])
            bounds = self.result("select", "lon=-30:30", path)
            np.testing.assert_allclose(bounds.lon_bnds, np.stack([bounds.lon - 15, bounds.lon + 15], 1))
        self.refused(support.varve("select", "lon=35:55", path, "-o", self.path("n.nc")), 3, "no element with lon=35:55")

    def test_dates(self):
        for calendar in ("standard", "noleap", "360_day"):
            path = self.data(f"{calendar}.nc", calendar=calendar)
            x = self.open(path)
            month = x.time.dt.month
            for what, keep in [("season=DJF", month.isin([12, 1, 2])), ("season=JJAS", month.isin([6, 7, 8, 9])), ("month=6:8", month.isin([6, 7, 8])),
                               ("month=11:1", month.isin([11, 12, 1])), ("month=1,4", month.isin([1, 4])), ("year=2002", x.time.dt.year == 2002)]:
                with self.subTest(calendar=calendar, what=what):
                    ours = self.result("select", what, "-v", "t", path)
                    np.testing.assert_array_equal(ours.t, x.t[keep])
                    self.assertEqual([str(t) for t in ours.time.values], [str(t) for t in x.time.values[keep]])
        both = self.result("eval", 'a = sel(t, season="JJA").mean(time)', "b = t.sel(month=11:1, year=2001:2002).mean(time)", path)
        close(both.a, x.t.astype("f8")[month.isin([6, 7, 8])].mean("time"))
        close(both.b, x.t.astype("f8")[month.isin([11, 12, 1])].mean("time"))
        several = self.result("select", "month=6,lat=80,-80,20:40,lon=0", "-v", "t", path)
        np.testing.assert_array_equal(several.lat, [80, -80, 40, 20])
        for args, code, *patterns in [(["season=XYZ"], 2, "first letters"), (["season=JA,month=1"], 3, "no times"), (["month=a"], 2, "month=a"), (["hour=3"], 3, "no times along 'time' with hour=3"),
                                      (["mnth=3"], (2, 3), "no dimension 'mnth'"), (["year=2002:2001"], 2, "year=")]:
            with self.subTest(args=args):
                self.refused(support.varve("select", *args, path, "-o", self.path("n.nc")), code, *patterns)

    def test_points(self):
        points = [(10, 42), (-44, -79), (359, 1), (181, 88), (100, -61), (-180, 0)]
        words = ";".join(f"{a},{b}" for a, b in points)
        for west in (0, -180):
            path = self.data(f"from{west}.nc", west=west)
            x = self.open(path).isel(time=slice(4, None))
            rows = [int(np.abs(x.lat.values - b).argmin()) for _, b in points]
            columns = [int(np.abs((x.lon.values - a + 180) % 360 - 180).argmin()) for a, _ in points]
            ours = self.result("select", "time=#4:", "--points", words, path, ranks=2)
            with self.subTest(west=west):
                self.assertEqual(ours.t.dims, ("time", "station"))
                np.testing.assert_array_equal(ours.t, x.t.values[:, rows, columns])
                close(ours.rain, x.rain.values[:, rows, columns])
                np.testing.assert_array_equal(ours.lat, x.lat.values[rows])
                self.assertEqual(ours.lat.dims, ("station",))
                self.assertLess(float(ours.distance[5]), 1)
                self.assertNotIn("lon_bnds", ours)
            between = self.result("select", "--points", words, "--interpolate", "bilinear", "-v", "rain", path)
            ring = self.open(path).rain.astype("f8")
            ring = xr.concat([ring.assign_coords(lon=ring.lon + k) for k in (-360, 0, 360)], "lon").sortby("lat")
            inside = [k for k, p in enumerate(points) if abs(p[1]) <= 80]
            at = xr.DataArray([points[k][0] for k in inside], dims="s"), xr.DataArray([points[k][1] for k in inside], dims="s")
            close(between.rain[:, inside], ring.interp(lon=at[0], lat=at[1]), 1e-5)
            across = 0.4 * ring.sel(lat=80).interp(lon=1.0) + 0.6 * ring.sel(lat=80).interp(lon=181.0)
            close(between.rain[:, 3], across, 1e-5)
        with open(self.path("towns.txt"), "w") as f:
            f.write("# towns\n10.7 59.9 Oslo\n12.5, 41.9, Roma\n")
        named = self.result("select", "--points", self.path("towns.txt"), "-v", "t", path)
        self.assertEqual(list(named.station.values), ["Oslo", "Roma"])
        for args, *patterns in [(["--points", "1,95"], "not on the globe"), (["--points", "1"], "no point"), (["--points", "1,2", "--interpolate", "cubic"], "cubic")]:
            self.refused(support.varve("select", *args, path, "-o", self.path("n.nc")), 2, *patterns)

    def test_points_of_a_curvilinear_grid(self):
        rng = np.random.default_rng(5)
        y, x = np.mgrid[0:30, 0:40]
        lat, lon = 60 + 0.9 * y + 0.2 * np.sin(x / 5), 170 + 0.7 * x + 0.1 * y
        lon = (lon + 180) % 360 - 180
        t = rng.normal(0, 1, (3, 30, 40))
        path = make(self.path("curved.nc"), {"time": 3, "y": 30, "x": 40},
                    {"lat": (("y", "x"), lat, {"attrs": {"units": "degrees_north"}}), "lon": (("y", "x"), lon, {"attrs": {"units": "degrees_east"}}),
                     "t": (("time", "y", "x"), t, {"attrs": {"coordinates": "lat lon"}})})
        points = [(-179, 70), (175, 85), (183, 62)]
        vec = lambda lon, lat: np.stack([np.cos(np.radians(lat)) * np.cos(np.radians(lon)), np.cos(np.radians(lat)) * np.sin(np.radians(lon)), np.sin(np.radians(lat))], -1)
        cell = [int(((vec(lon, lat) - vec(*map(np.float64, p))) ** 2).sum(-1).argmin()) for p in points]
        ours = self.result("select", "--points", ";".join(f"{a},{b}" for a, b in points), path)
        np.testing.assert_array_equal(ours.t, t.reshape(3, -1)[:, cell])
        np.testing.assert_array_equal(ours.lat, lat.ravel()[cell])

    # --- counting; what would be done; completion ---

    def test_histograms(self):
        path = self.data()
        x = self.open(path).t
        edges = [260, 270, 275, 280, 281.5, 300]
        ours = self.result("histogram", "-b", ",".join(map(str, edges)), "-d", "lat,lon", "-v", "t", path, ranks=2)
        expected = np.stack([np.histogram(step[~np.isnan(step)], edges)[0] for step in x.values])
        np.testing.assert_array_equal(ours.t_histogram, expected)
        np.testing.assert_array_equal(ours.t_bin_edges, edges)
        values = x.values[~np.isnan(x.values)]
        for args, theirs in [(["-b", "12"], np.histogram(values, 12)), (["-b", "10", "--range", "270:290"], np.histogram(values, 10, (270, 290))),
                             (["-b", "7", "--density"], np.histogram(values, 7, density=True))]:
            with self.subTest(args=args):
                ours = self.result("histogram", *args, "-v", "t", path)
                np.testing.assert_allclose(ours.t_histogram, theirs[0], rtol=1e-12)
                np.testing.assert_allclose(ours.t_bin_edges, theirs[1], rtol=1e-12)
        w = xr.zeros_like(x.astype("f8")).fillna(0) + np.cos(np.deg2rad(x.lat))
        heavy = self.result("histogram", "-b", "5", "--range", "270:290", "--weights", "cos(lat)", "--mask", "land > 50", "-v", "t", path)
        there = (~np.isnan(x) & (self.open(path).land > 50)).values
        np.testing.assert_allclose(heavy.t_histogram, np.histogram(x.values[there], 5, (270, 290), weights=w.values[there])[0], rtol=1e-12)
        lines = self.run_ok("histogram", "-b", "4", "-v", "t", path).out.splitlines()
        self.assertEqual(sum(int(line.split()[-1]) for line in lines), values.size)
        for args, pattern in [([], "needs -b"), (["-b", "3,2"], "ascending"), (["-b", "0"], "number of bins"), (["-b", "3", "--range", "5"], "LOW:HIGH")]:
            self.refused(support.varve("histogram", *args, path), 2, pattern)

    def test_dry_run(self):
        path, out = self.data(), self.path("dry.nc")
        for args in (["mean", "-d", "time"], ["clim", "-g", "month"], ["select", "season=DJF"], ["eval", "a = t.mean(time)"], ["rechunk", "-c", "time=1"], ["histogram", "-b", "3"],
                     ["quantile", "-q", "0.5", "-d", "time"], ["resample", "-f", "MS"], ["concat", "-d", "time"]):
            with self.subTest(args=args):
                said = self.run_ok(*args, path, "-o", out, "--dry-run").out
                for pattern in ("would read .* of .*data.nc", "would write", "memory per rank", "dry.nc: "):
                    self.assertRegex(said, pattern)
                self.assertFalse(os.path.exists(out))
        with open(out, "w") as f:
            f.write("x")
        self.refused(support.varve("mean", path, "-o", out, "--dry-run"), 5, "exists")
        self.assertIn("write nothing", self.run_ok("info", path, "--dry-run").out)
        self.refused(support.varve("mean", path, "-d", "tiem", "--dry-run"), (2, 3), "did you mean 'time'")

    def test_completion(self):
        script = self.path("varve.bash")
        with open(script, "w") as f:
            f.write(self.run_ok("completion", "bash").out)
        def complete(*words):
            text = f"source {script}; COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; _varve; echo ${{COMPREPLY[@]}}"
            return subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=True).stdout.split()
        self.assertEqual(complete("varve", "hist"), ["histogram"])
        self.assertEqual(complete("varve", "mean", "--wei"), ["--weights"])
        self.assertEqual(complete("varve", "rechunk", "--wei"), [])
        self.assertEqual(complete("varve", "mean", "--progress", "o"), ["on", "off"])
        self.assertIn("clim", complete("varve", "help", "c"))
        zsh = self.run_ok("completion", "zsh").out
        self.assertTrue(zsh.startswith("#compdef varve\n"))
        if shutil.which("zsh"):
            subprocess.run(["zsh", "-n"], input=zsh, text=True, check=True)
        self.refused(support.varve("completion", "fish"), 2, "unknown shell 'fish'")

    # --- operands ---

    def test_labels_in_another_order(self):
        a, b = self.data("a.nc"), self.data("b.nc", west=-180, up=True)
        x = self.open(a)
        anomaly = self.result("anom", "-v", "t", a).t
        self.run_ok("clim", "-g", "month", "-v", "t", b, "-o", self.path("clim.nc"))
        against = self.result("anom", "-g", "month", "--reference", self.path("clim.nc"), "-v", "t", a).t
        groups = x.t.astype("f8").groupby("time.month")
        close(against, groups - groups.mean("time"), 2e-5)
        self.assertEqual(anomaly.dims, against.dims)

    def test_inner(self):
        path = self.data()
        x = self.open(path)
        with xr.set_options(arithmetic_join="inner"):
            expected = x.t.isel(time=slice(0, 30)) - x.t.isel(time=slice(10, None), lat=slice(0, 5))
        for args in (["r = subtract(t[0:30], t[10:, 0:5], align=inner)"], ["--align", "inner", "r = t[0:30] - t[10:, 0:5]"]):
            with self.subTest(args=args):
                ours = self.result("eval", *args, path)
                close(ours.r, expected)
                np.testing.assert_array_equal(ours.lat, expected.lat)
        turned = self.result("eval", "r = t - flip(t, lat)", path)
        close(turned.r, xr.zeros_like(x.t).where(~np.isnan(x.t)))
        self.refused(support.varve("eval", "r = t[0:30] - t[10:]", path, "-o", self.path("n.nc")), (2, 3), "along 'time' differ")

    def test_refused(self):
        path = self.data()
        for args, code, *patterns in [
                (["mean", "-d", "time", "--weights", "cos(lat)"], 2, "lie along 'lat', which is not reduced over"), (["max", "-d", "lat", "--weights", "cos(lat)"], 2, "no weighted max"),
                (["mean", "-d", "lat,lon", "--weights", "cos(lta)"], (2, 3), "did you mean 'lat'"), (["mean", "-d", "lat", "--mask", "lnad > 2"], (2, 3), "did you mean 'land'"),
                (["mean", "--by", "see"], (2, 3), "did you mean 'sea'"), (["mean", "--by", "sea", "-d", "lat"], 2, "along 'lon', which is not reduced"),
                (["mean", "-d", "lat", "--weights", "nofile.nc:w"], (2, 3), "nofile")]:
            with self.subTest(args=args):
                self.refused(support.varve(*args, path, "-o", self.path("n.nc")), code, *patterns)


REAL = "/usr/share/ferret-vis/data"


@unittest.skipUnless(os.path.isdir(REAL), "no ferret-datasets")
class Real(support.Case):
    """COADS, the Navy's winds and Levitus: classic files, longitudes from 20 to 380, missing values; and copies of them as NetCDF-4, packed, in another calendar."""

    FILES = {"coads_climatology.cdf": ("SST", "COADSX", "COADSY", "TIME"), "monthly_navy_winds.cdf": ("UWND", "FNOCX", "FNOCY", "TIME"),
             "levitus_climatology.cdf": ("TEMP", "XAXLEVITR", "YAXLEVITR", "ZAXLEVITR")}

    def copies(self, name):
        """The file itself; and squeezed, with i16 values, latitudes that descend, longitudes from -180 on, in a calendar without leap days."""
        var, lon, lat, first = self.FILES[name]
        path = os.path.join(REAL, name)
        yield path
        with netCDF4.Dataset(path) as f:
            x = np.ma.filled(f[var][:].astype("f8"), np.nan)
            stored = np.where(np.isnan(x), -32767, np.round((x - np.nanmean(x)) / np.nanmax(np.abs(x - np.nanmean(x))) * 32000)).astype("i2")
            scale, offset = np.nanmax(np.abs(x - np.nanmean(x))) / 32000, np.nanmean(x)
            east = (f[lon][:] + 180) % 360 - 180
            order = np.argsort(east)
            along = {"units": "hours since 1982-01-16 20:00:00", "calendar": "noleap"} if first == "TIME" else {"units": "m"}
            along_values = np.round(f[first][:] - f[first][0]) if first == "TIME" else f[first][:]
            yield make(self.path(name + ".nc"), {first: len(f[first]), lat: len(f[lat]), lon: len(f[lon])},
                       {first: ((first,), along_values, {"attrs": along}), lat: ((lat,), f[lat][::-1], {"attrs": {"units": "degrees_north"}}),
                        lon: ((lon,), east[order], {"attrs": {"units": "degrees_east"}}),
                        var: ((first, lat, lon), stored[:, ::-1][:, :, order], {"fill_value": np.int16(-32767), "chunksizes": (5, 40, 50), **support.SQUEEZED, "attrs": {"scale_factor": scale, "add_offset": offset}})})

    def result(self, *args, ranks=0):
        self.run_ok(*args, "-o", self.path("out.nc"), "-O", ranks=ranks)
        d = xr.open_dataset(self.path("out.nc"), decode_times=False)
        self.addCleanup(d.close)
        return d

    def test_all(self):
        for name, (var, lon, lat, first) in self.FILES.items():
            for path in self.copies(name):
                with self.subTest(path=path), xr.open_dataset(path, decode_times=False) as d:
                    x = d[var].astype("f8").load()
                    w = np.cos(np.deg2rad(x[lat]))
                    self.globe(path, x, w, var, lon, lat, first)
                    if first == "TIME" and not name.startswith("coads"):  # whose year 0 xarray does not decode
                        self.times(path, var)
                    elif first == "TIME":
                        close(self.result("clim", "-g", "month", "-v", var, path)[var], x)  # twelve months

    def globe(self, path, x, w, var, lon, lat, first):
        ours = self.result("reduce", "-m", "mean,std", "-d", f"{lat},{lon}", "--weights", f"cos({lat})", "-v", var, path, ranks=2)
        close(ours[f"{var}_mean"], x.weighted(w).mean((lat, lon)), 1e-5)
        close(ours[f"{var}_std"], x.weighted(w).std((lat, lon)), 1e-5)
        box = self.result("select", f"{lon}=-40:50,{lat}=-30:30", "-v", var, path)
        inside = x.sel({lat: (x[lat] >= -30) & (x[lat] <= 30)})
        east = (inside[lon] + 180) % 360 - 180
        inside = inside.assign_coords({lon: east}).sortby(lon)
        inside = inside.sel({lon: (inside[lon] >= -40) & (inside[lon] <= 50)})
        close(box[var], inside, 1e-5)
        np.testing.assert_allclose(box[lon], inside[lon])
        band = self.result("mean", "--by", f"floor({lat} / 30)", "-v", var, path)
        close(band[var], np.stack([x.sel({lat: np.floor(x[lat] / 30) == k}).mean(lat) for k in np.unique(np.floor(x[lat] / 30))], -2), 1e-5)
        one = self.result("select", "--points", "-30.3,20.2;178.7,-10.2", "-v", var, path)
        cells = [x.isel({lat: int(np.abs(x[lat] - b).argmin()), lon: int(np.abs((x[lon] - a + 180) % 360 - 180).argmin())}) for a, b in ((-30.3, 20.2), (178.7, -10.2))]
        close(one[var], np.stack(cells, -1), 1e-5)

    def times(self, path, var):
        with xr.open_dataset(path, use_cftime=True) as d:
            x = d[var].astype("f8").load()
        groups = x.groupby("TIME.month")
        close(self.result("clim", "-g", "month", "-v", var, path, ranks=2)[var], groups.mean("TIME"), 1e-5)
        close(self.result("anom", "-g", "month", "-v", var, path)[var], groups - groups.mean("TIME"), 1e-4)
        winter = self.result("select", "season=DJF", "-v", var, path)
        close(winter[var], x.sel(TIME=x.TIME.dt.month.isin([12, 1, 2])), 1e-5)
        close(self.result("resample", "-f", "QS-DEC", "-v", var, path)[var], x.resample(TIME="QS-DEC").mean(), 1e-5)


if __name__ == "__main__":
    support.main(2)
