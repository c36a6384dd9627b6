#!/usr/bin/python3
# cores: 2
# builds: release
# timeout: 300
"""Every command under every condition, in one table: the three kinds of calendars (each with missing values, latitudes that descend, several variables, packed ones), and the real
files of ferret-datasets (COADS, Levitus, the Navy's winds), classic and as NetCDF-4 copies. Beside xarray or NumPy in f64, and beside CDO where it has the operator.

Tolerance: 1e-5 of the values' spread (results are f32; CDO computes them from f32 fields). Where CDO means something else: its std divides by n as varve's does, its running means and percentiles
differ in definition and are left out; anomalies are its ymonsub of ymonmean; series of one or two values have no line here, and one there.

    VARVE_CONDITIONS=all tests/run conditions      all commands on all files: a minute and a half; without it those that dates do not concern are tried on the standard calendar and on COADS, and some on the others
"""
import json
import os
import shutil
import subprocess
import warnings

import netCDF4
import numpy as np
import xarray as xr

import support
from support import make

FERRET = "/usr/share/ferret-vis/data"
CDO = shutil.which("cdo")
TOLERANCE = 1e-5
ALL = os.environ.get("VARVE_CONDITIONS") == "all"


class File:
    """A file, its names for the dimensions, and its values as xarray has them, in f64. along: the time, or what else comes first; twin: the same in another format."""

    def __init__(self, path, a, b, along, lat, lon, dates, twin=None):
        self.twin, self.path, self.a, self.b, self.along, self.lat, self.lon, self.dates = twin, path, a, b, along, lat, lon, dates
        with xr.open_dataset(path, use_cftime=True) if dates else xr.open_dataset(path, decode_times=False) as d:
            self.x = d[[a, b]].astype("f8").load()

    def each(self, function):
        return {name: function(self.x[name]) for name in (self.a, self.b)}


def lines(x, dim):
    """Least squares by steps, of what is there: slope, and value at the first step."""
    t = xr.DataArray(np.arange(x.sizes[dim], dtype="f8"), dims=dim).where(~np.isnan(x))
    n, mt, mx = t.count(dim), t.mean(dim), x.mean(dim)
    slope = ((t - mt) * (x - mx)).sum(dim) / ((t - mt)**2).sum(dim)
    return slope.where(n > 1), (mx - slope * mt).where(n > 1)


def detrended(x, dim):
    slope, begin = lines(x, dim)
    return x - (begin + slope * xr.DataArray(np.arange(x.sizes[dim], dtype="f8"), dims=dim))


def histogram(x, low, high):
    counts = np.histogram(x.values[~np.isnan(x.values)].astype("f4"), bins=np.linspace(low, high, 9))[0]
    return counts


def limits(f):
    return float(np.floor(f.x[f.a].min())), float(np.ceil(f.x[f.a].max()) + 1)


def suffixed(values, how):
    return {f"{name}_{how}": x for name, x in values.items()}


def months(f, function):
    return f.each(lambda x: function(x.groupby(f"{f.along}.month")))


# name: (arguments, what it should be, CDO's operators or None); of the file f. Those that need dates are in DATED.
COMMANDS = {
    "mean": (lambda f: ["mean", "-d", f.along], lambda f: f.each(lambda x: x.mean(f.along)), "timmean"),
    "reduce": (lambda f: ["reduce", "-m", "std,min,max,sum,count", "-d", f.along],
               lambda f: {k: v for how in ("std", "min", "max", "count") for k, v in suffixed(f.each(lambda x: getattr(x, how)(f.along)), how).items()}, None),
    "std": (lambda f: ["std", "-d", f.along], lambda f: f.each(lambda x: x.std(f.along)), "timstd"),
    "area": (lambda f: ["mean", "-d", f"{f.lat},{f.lon}", "--weights", f"cos({f.lat})"],
             lambda f: f.each(lambda x: x.weighted(np.cos(np.deg2rad(x[f.lat]))).mean((f.lat, f.lon))), None),
    "quantile": (lambda f: ["quantile", "-q", "0.1,0.9", "-d", f"{f.lat},{f.lon}"],
                 lambda f: f.each(lambda x: x.quantile([0.1, 0.9], (f.lat, f.lon), skipna=True)), None),
    "median": (lambda f: ["median", "-d", f.lon], lambda f: f.each(lambda x: x.median(f.lon)), None),
    "rolling": (lambda f: ["rolling", "-w", 3, "--center", "-d", f.along], lambda f: f.each(lambda x: x.rolling({f.along: 3}, center=True).mean()), None),
    "trend": (lambda f: ["trend", "-d", f.along, "--per", "step", "-m", "slope,intercept"],
              lambda f: {**suffixed(f.each(lambda x: lines(x, f.along)[0]), "slope"), **suffixed(f.each(lambda x: lines(x, f.along)[1]), "intercept")}, None),
    "detrend": (lambda f: ["detrend", "-d", f.along, "--per", "step"], lambda f: f.each(lambda x: detrended(x, f.along)), "detrend"),
    "corr": (lambda f: ["corr", "-d", f.along, "-v", f"{f.a},{f.b}"], lambda f: {f"{f.a}_{f.b}_corr": xr.corr(f.x[f.a], f.x[f.b], f.along)}, None),
    "cov": (lambda f: ["cov", "-d", f.along, "-v", f"{f.a},{f.b}"], lambda f: {f"{f.a}_{f.b}_cov": xr.cov(f.x[f.a], f.x[f.b], f.along)}, None),
    "histogram": (lambda f: ["histogram", "-b", 8, "--range", "{}:{}".format(*limits(f)), "-v", f.a], lambda f: {f"{f.a}_histogram": histogram(f.x[f.a], *limits(f))}, None),
    "select": (lambda f: ["select", f"{f.lat}=-30:30,{f.lon}=100:200"],
               lambda f: f.each(lambda x: x.where((abs(x[f.lat]) <= 30) & (x[f.lon] >= 100) & (x[f.lon] <= 200), drop=True)), "sellonlatbox,100,200,-30,30"),
    "eval": (lambda f: ["eval", f"apart = abs({f.a} - {f.a}.mean({f.along})) + {f.b}^2", f"more = where({f.a} > {f.b}, {f.a}, {f.b})"],
             lambda f: {"apart": abs(f.x[f.a] - f.x[f.a].mean(f.along)) + f.x[f.b]**2, "more": xr.where(f.x[f.a] > f.x[f.b], f.x[f.a], f.x[f.b])}, None),
    "rechunk": (lambda f: ["rechunk", "-c", f"{f.along}=-1,{f.lat}=2"], lambda f: f.each(lambda x: x), None),
    "stack": (lambda f: ["stack", "-d", "member", f.path], lambda f: f.each(lambda x: xr.concat([x, x], "member")), None),
    "anom": (lambda f: ["anom", "-d", f.along], lambda f: f.each(lambda x: x - x.mean(f.along)), None),
}
DATED = {
    "clim": (lambda f: ["clim", "-g", "month"], lambda f: months(f, lambda g: g.mean(f.along)), "ymonmean"),
    "seasons": (lambda f: ["clim", "-g", "season", "-m", "max"], lambda f: f.each(lambda x: x.groupby(f"{f.along}.season").max(f.along).sel(season=["DJF", "MAM", "JJA", "SON"])),
                "yseasmax"),
    "anom by month": (lambda f: ["anom", "-g", "month"], lambda f: months(f, lambda g: g - g.mean(f.along)), "ymonsub {0} -ymonmean"),
    "resample": (lambda f: ["resample", "-f", "MS"], lambda f: f.each(lambda x: x.resample({f.along: "MS"}).mean()), "monmean"),
    "resample to seasons": (lambda f: ["resample", "-f", "QS-DEC"], lambda f: f.each(lambda x: x.resample({f.along: "QS-DEC"}).mean()), "seasmean"),
    "select a season": (lambda f: ["select", "season=JJA"], lambda f: f.each(lambda x: x.sel({f.along: x[f.along].dt.month.isin([6, 7, 8])})), "selseason,JJA"),
    "quantile by month": (lambda f: ["quantile", "-g", "month", "-q", 0.5], lambda f: months(f, lambda g: g.median(f.along)), None),
}


TIMED = ("anom",)  # the dimension has to be the time
EVERY = tuple(COMMANDS)


class Conditions(support.Case):
    def setUp(self):
        super().setUp()
        warnings.simplefilter("ignore", RuntimeWarning)  # of series without any value

    def calendar(self, name):
        """450 days of two variables with missing values, one of them packed; latitudes descend."""
        n, rng = 450, np.random.default_rng(12)
        t = (280 + 10 * np.sin(np.arange(n) / 58)[:, None, None] + rng.normal(0, 4, (n, 5, 6))).astype("f4")
        t[rng.random(t.shape) < 0.05] = np.nan
        t[:, 0, 0] = np.nan
        rain = rng.integers(-3000, 3000, t.shape).astype("i2")
        return make(self.path(f"{name}.nc"), {"time": (n,), "lat": 5, "lon": 6},
                    {"time": (("time",), np.arange(n) + 0.5, {"attrs": {"units": "days since 2000-11-20", "calendar": name, "axis": "T"}}),
                     "lat": (("lat",), np.linspace(60, -60, 5), {"attrs": {"units": "degrees_north", "axis": "Y"}}),
                     "lon": (("lon",), np.arange(6) * 60.0, {"attrs": {"units": "degrees_east", "axis": "X"}}),
                     "t": (("time", "lat", "lon"), t, {"chunksizes": (100, 3, 6), "fill_value": np.float32(np.nan), "zlib": True, "attrs": {"units": "K"}}),
                     "rain": (("time", "lat", "lon"), rain, {"attrs": {"scale_factor": 0.01, "add_offset": 40.0, "units": "mm"}, "fill_value": np.int16(2999)})})

    def same(self, ours, theirs, what):
        a, b = np.asarray(ours, "f8"), np.asarray(theirs, "f8")
        self.assertEqual(a.shape, b.shape, what)
        self.assertTrue((np.isnan(a) == np.isnan(b)).all(), f"{what}: other values are missing")
        spread = np.nanmax(np.abs(b)) if np.isfinite(b).any() else 1
        np.testing.assert_allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE * spread, err_msg=str(what))

    def ordered(self, ours, theirs):
        """xarray's result with our dimensions' order, where both have names."""
        return theirs.transpose(*ours.dims) if hasattr(theirs, "transpose") and set(getattr(theirs, "dims", ())) == set(ours.dims) else theirs

    def one(self, f, name, entry):
        args, right, operators = entry
        out = self.path("out.nc")
        words, expected = args(f), right(f)
        chosen = [] if words[0] == "eval" or "-v" in words else ["-v", f"{f.a},{f.b}"]
        self.run_ok(*words, *chosen, f.path, "-o", out, "-O")
        with xr.open_dataset(out, decode_times=False) as ours:
            for var, x in expected.items():
                self.assertIn(var, ours)
                self.same(ours[var], self.ordered(ours[var], x), (name, var))
            if CDO and operators and (name == "select" or not f.along.startswith("Z")):
                self.beside_cdo(f, ours, operators)
        if f.twin:
            self.same_of_twin(words, chosen, f, out, expected)

    def same_of_twin(self, words, chosen, f, out, names):
        """The NetCDF-4 copy gives the same bits."""
        other = self.path("twin.nc")
        self.run_ok(*[f.twin if w == f.path else w for w in words], *chosen, f.twin, "-o", other, "-O")
        for var in names:
            np.testing.assert_array_equal(support.values(other, var), support.values(out, var), (words[0], var))

    def beside_cdo(self, f, ours, operators):
        theirs = self.path("cdo.nc")
        first, *more = operators.format(f.path).split()
        subprocess.run(["cdo", "-s", "-L", "-O", "-b", "F32", f"-{first}", *more, f"-selname,{f.a},{f.b}", f.path, theirs], check=True, stderr=subprocess.DEVNULL)
        with xr.open_dataset(theirs, decode_times=False) as d:
            for var in (f.a, f.b):
                x, y = ours[var].squeeze(), d[var].squeeze()
                self.same(x, np.where(np.isnan(x), np.nan, y) if first == "detrend" else y, (first, var))

    def all_of(self, path, a, b, *how, tried=EVERY):
        f = File(path, a, b, *how)
        commands = [c for c in COMMANDS.items() if (ALL or c[0] in tried) and not (c[0] in TIMED and f.along.startswith("Z"))]
        for name, entry in [*commands, *(DATED.items() if f.dates else [])]:
            with self.subTest(file=os.path.basename(path), command=name):
                self.one(f, name, entry)
        with self.subTest(file=os.path.basename(path), command="concat"):
            self.halves(f)
        with self.subTest(file=os.path.basename(path), command="info"):
            told = json.loads(self.run_ok("info", "--json", path).out)
            for var in (a, b):
                self.assertEqual(told["variables"][var]["dimensions"], list(f.x[var].dims))
        with self.subTest(file=os.path.basename(path), command="plot"):
            picture = self.path("p.png")
            self.run_ok("plot", f"{path}:{a}", "-o", picture, "-O", "--size", 300)
            with open(picture, "rb") as p:
                self.assertEqual(p.read(8), b"\x89PNG\r\n\x1a\n")

    def halves(self, f):
        """What is cut in two and put together again is what it was, to the bit."""
        n, parts, out = f.x.sizes[f.along], [self.path("first.nc"), self.path("second.nc")], self.path("whole.nc")
        for part, which in zip(parts, (f"#:{n // 2}", f"#{n // 2}:")):
            self.run_ok("select", f"{f.along}={which}", "-v", f"{f.a},{f.b}", f.path, "-o", part, "-O")
        self.run_ok("concat", "-d", f.along, *parts, "-o", out, "-O")
        with netCDF4.Dataset(f.path) as x, netCDF4.Dataset(out) as y:
            for var in (f.a, f.b):
                x[var].set_auto_maskandscale(False)
                y[var].set_auto_maskandscale(False)
                np.testing.assert_array_equal(y[var][:], x[var][:])

    def test_standard(self):
        self.all_of(self.calendar("standard"), "t", "rain", "time", "lat", "lon", True)

    def test_noleap(self):
        self.all_of(self.calendar("noleap"), "t", "rain", "time", "lat", "lon", True, tried=("trend",))

    def test_360_day(self):
        self.all_of(self.calendar("360_day"), "t", "rain", "time", "lat", "lon", True, tried=("trend",))

    def real(self, name, *how, tried=EVERY):
        """The file and its NetCDF-4 copy."""
        path, copy = f"{FERRET}/{name}.cdf", self.path(f"{name}.nc4")
        if not os.path.isfile(path):
            self.skipTest("no ferret-datasets")
        subprocess.run(["nccopy", "-k", "nc4", "-d", "1", path, copy], check=True)
        self.all_of(path, *how, copy, tried=tried)

    def test_coads(self):
        self.real("coads_climatology", "SST", "AIRT", "TIME", "COADSY", "COADSX", False)

    def test_levitus(self):
        self.real("levitus_climatology", "TEMP", "SALT", "ZAXLEVITR", "YAXLEVITR", "XAXLEVITR", False, tried=("mean", "area", "quantile", "select", "eval"))

    def test_navy(self):
        self.real("monthly_navy_winds", "UWND", "VWND", "TIME", "FNOCY", "FNOCX", True, tried=("trend", "corr"))


if __name__ == "__main__":
    support.main(2)
