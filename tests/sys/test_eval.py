#!/usr/bin/python3
# timeout: 300
# cores: 2
# builds: release
"""Expressions: what `varve eval` writes is what NumPy and xarray make of the same, on several ranks, with missing values, packed and integer variables,
a latitude that descends and names that are no words; and what the command does with scripts, files, metadata and mistakes.
"""
import os
import subprocess
import unittest

import netCDF4
import numpy as np
import xarray as xr

import support
from support import make, values

NT, NY, NX = 96, 7, 10
DIMS = ("time", "lat", "lon")


def data_file(path):
    rng = np.random.default_rng(7)
    t2m = rng.normal(280, 10, (NT, NY, NX)).astype("f4")
    t2m[rng.random(t2m.shape) < 0.03] = 1e20
    t2m[:, 2, 3] = 1e20
    packed = rng.integers(-3000, 3000, (NT, NY, NX)).astype("i2")
    packed[5, :, :] = -32767
    chunks = {"chunksizes": (20, 4, 10), **support.SQUEEZED}
    return make(path, {"time": (NT,), "lat": NY, "lon": NX, "bnds": 2}, {
        "time": (("time",), np.arange(NT) * 6.0, {"attrs": {"units": "hours since 2001-02-20", "calendar": "standard", "bounds": "time_bnds"}}),
        "time_bnds": (("time", "bnds"), np.arange(NT)[:, None] * 6.0 + [0, 6]),
        "lat": (("lat",), np.linspace(60, -60, NY), {"attrs": {"units": "degrees_north"}}),
        "lon": (("lon",), np.arange(NX) * 36.0, {"attrs": {"units": "degrees_east"}}),
        "t2m": (DIMS, t2m, {"fill_value": np.float32(1e20), "attrs": {"units": "K", "long_name": "temperature"}, **chunks}),
        "u": (DIMS, rng.normal(0, 5, (NT, NY, NX)), {"attrs": {"units": "m s-1"}}),
        "v": (DIMS, rng.normal(0, 5, (NT, NY, NX)), {"attrs": {"units": "m s-1"}}),
        "rain": (DIMS, packed, {"fill_value": np.int16(-32767), "attrs": {"scale_factor": 0.01, "add_offset": 20.0, "units": "mm"}, **chunks}),
        "flags": (DIMS, rng.integers(-20, 20, (NT, NY, NX)).astype("i2"), chunks),
        "2t mean": (("lat", "lon"), rng.normal(280, 1, (NY, NX))),
    }, {"title": "a test", "history": "made"})


def month(x):
    return x.groupby("time.month")


def cos_lat(d):
    return np.cos(np.radians(d.lat))


# (expression, what xarray makes of it, tolerance in relative terms: 0 the same bits)
CASES = [
    ("t2m - 273.15", lambda d: d.t2m - np.float32(273.15), 0),
    ("-t2m * 2 + u / 3 - v", lambda d: -d.t2m * 2 + d.u / 3 - d.v, 0),
    ("sqrt(u^2 + v**2)", lambda d: np.sqrt(d.u**2 + d.v**2), 0),
    ("-u ** 2", lambda d: -(d.u**2), 0),
    ("abs(u) ** 3 ^ 0.5", lambda d: np.power(np.abs(d.u), 3**0.5), 1e-14),
    ("u // 2 + u % 3", lambda d: d.u // 2 + d.u % 3, 0),
    ("exp(-u) + log(abs(v)) + sin(u) * cos(v) - arctan2(u, v)", lambda d: np.exp(-d.u) + np.log(np.abs(d.v)) + np.sin(d.u) * np.cos(d.v) - np.arctan2(d.u, d.v), 1e-12),
    ("flags + 1", lambda d: d.flags + 1, 0),
    ("flags * 3 // 2 - flags % 5", lambda d: d.flags * 3 // 2 - d.flags % 5, 0),
    ("flags / 4", lambda d: d.flags / 4, 0),
    ("flags & 3 | 8", lambda d: d.flags & 3 | 8, 0),
    ("flags << 2 >> 1", lambda d: np.right_shift(np.left_shift(d.flags, 2), 1), 0),
    ("~flags", lambda d: ~d.flags, 0),
    ("(flags > 2) & ~(flags < 5)", lambda d: (d.flags > 2) & ~(d.flags < 5), 0),
    ("flags > 2 and not flags < 5 or flags == -3", lambda d: (d.flags > 2) & ~(d.flags < 5) | (d.flags == -3), 0),
    ("-5 < flags <= 5 != 3", lambda d: (-5 < d.flags) & (d.flags <= 5), 0),
    ("flags >= 0 ? u : v > 0 ? v : nan", lambda d: xr.where(d.flags >= 0, d.u, xr.where(d.v > 0, d.v, np.nan)), 0),
    ("where(isnan(t2m), -1, t2m)", lambda d: d.t2m.fillna(np.float32(-1)), 0),
    ("fillna(rain, 0)", lambda d: d.rain.fillna(0), 1e-6),
    ("clip(u, -1, 2) + maximum(u, v) - fmin(u, 0)", lambda d: d.u.clip(-1, 2) + np.maximum(d.u, d.v) - np.fmin(d.u, 0), 0),
    ("u + `2t mean`", lambda d: d.u + d["2t mean"], 0),
    ("lat * u", lambda d: (d.lat * d.u), 0),
    ("t2m[0:10, :, ::2]", lambda d: d.t2m[0:10, :, ::2], 0),
    ("t2m[-1]", lambda d: d.t2m[-1], 0),
    ("u[..., -1][5:1:-2]", lambda d: d.u[..., -1][5:1:-2], 0),
    ("u[time=3, lon=[9, 0, 0]]", lambda d: d.u[3].isel(lon=[9, 0, 0]), 0),
    ("sel(u, lat=-30:30, lon=72)", lambda d: d.u.sel(lat=slice(30, -30), lon=72), 0),
    ("u.sel(time=\"2001-03\", lat=~25)", lambda d: d.u.sel(time="2001-03").sel(lat=25, method="nearest"), 0),
    ("u.sel(time=\"2001-02-22\":\"2001-02-24\", lon=[36, 0])", lambda d: d.u.sel(time=slice("2001-02-22", "2001-02-24"), lon=[36, 0]), 0),
    ("mean(t2m, time)", lambda d: d.t2m.mean("time", dtype="f8").astype("f4"), 1e-6),
    ("t2m.mean(lat, lon)", lambda d: d.t2m.mean(["lat", "lon"], dtype="f8").astype("f4"), 1e-6),
    ("std(u, time, ddof=1)", lambda d: d.u.std("time", ddof=1), 1e-12),
    ("var(u)", lambda d: d.u.var(), 1e-12),
    ("max(rain, lat, lon) - min(rain, lat, lon)", lambda d: d.rain.max(["lat", "lon"]) - d.rain.min(["lat", "lon"]), 1e-5),
    ("sum(t2m, time, skipna=false)", lambda d: d.t2m.sum("time", skipna=False, dtype="f8").astype("f4"), 1e-6),
    ("count(t2m, lon)", lambda d: d.t2m.count("lon"), 0),
    ("mean(t2m, lat, lon, weights=cos(lat))", lambda d: d.t2m.astype("f8").weighted(cos_lat(d)).mean(["lat", "lon"]), 1e-6),
    ("u.weighted(cos(radians(lat))).mean(lat)", lambda d: d.u.weighted(cos_lat(d)).mean("lat"), 1e-12),
    ("mean(sqrt(u*u + v*v), time)", lambda d: np.sqrt(d.u * d.u + d.v * d.v).mean("time"), 1e-12),
    ("median(u, lat, lon)", lambda d: d.u.median(["lat", "lon"]), 1e-15),
    ("quantile(u, 0.9, time)", lambda d: d.u.quantile(0.9, "time"), 1e-14),
    ("quantile(u, [0.25, 0.5], lat, lon)", lambda d: d.u.quantile([0.25, 0.5], ["lat", "lon"]), 1e-14),
    ("percentile(u, 90, time)", lambda d: d.u.quantile(0.9, "time"), 1e-14),
    ("mean(u.group(month))", lambda d: month(d.u).mean(), 1e-12),
    ("u.group(time.hour).max(time)", lambda d: d.u.groupby("time.hour").max(), 0),
    ("u.group(month) - mean(u.group(month))", lambda d: month(d.u) - month(d.u).mean(), 1e-11),
    ("(u.group(month) - u.group(month).mean()) / u.group(month).std()", lambda d: (month(d.u) - month(d.u).mean()).groupby("time.month") / month(d.u).std(), 1e-10),
    ("resample(u, \"1D\").mean()", lambda d: d.u.resample(time="1D").mean(), 1e-12),
    ("u.resample(\"5D\").max()", lambda d: d.u.resample(time="5D").max(), 0),
    ("rolling(u, time=5).mean()", lambda d: d.u.rolling(time=5).mean(), 1e-10),
    ("rolling(t2m, time=5, center=true, min_periods=2).max()", lambda d: d.t2m.rolling(time=5, center=True, min_periods=2).max(), 0),
    ("coarsen(u, time=4, lon=5).mean()", lambda d: d.u.coarsen(time=4, lon=5).mean(), 1e-12),
    ("cumsum(u, time)", lambda d: d.u.cumsum("time"), 1e-10),
    ("diff(u, time)", lambda d: d.u.diff("time"), 0),
    ("drop_labels(u[1:], time) - drop_labels(u[:-1], time)", lambda d: d.u[1:].drop_vars("time") - d.u[:-1].drop_vars("time"), 0),
    ("shift(u, time=2)", lambda d: d.u.shift(time=2), 0),
    ("roll(u, lon=3, lat=-1)", lambda d: d.u.roll(lon=3, lat=-1), 0),
    ("transpose(u, lon, lat, time)", lambda d: d.u.transpose("lon", "lat", "time"), 0),
    ("concat(u, v, dim=lon)", lambda d: np.concatenate([d.u, d.v], 2), 0),
    ("stack(u[0], v[0], dim=part)", lambda d: np.stack([d.u[0], d.v[0]]), 0),
    ("corr(u, v, time)", lambda d: xr.corr(d.u, d.v, "time"), 1e-9),
    ("cov(u, v, time)", lambda d: xr.cov(d.u, d.v, "time"), 1e-9),
    ("dot(u, v, time)", lambda d: xr.dot(d.u, d.v, dims="time"), 1e-11),
    ("pad(u, lon, 1, 2, wrap)", lambda d: np.pad(d.u, ((0, 0), (0, 0), (1, 2)), "wrap"), 0),
    ("astype(u, int32) + arange(lon, 10)", lambda d: d.u.astype("i4") + np.arange(10), 0),
    ("argmax(u, time)", lambda d: d.u.argmax("time"), 0),
    ("rechunk(u, time=-1) * 1", lambda d: d.u * 1, 0),
    ("1 + 2 * 3 - 2^0.5", lambda d: np.float64(7 - 2**0.5), 0),
    ("7 // 2", lambda d: np.int64(3), 0),
]


def statement(i, d):
    """The result r<i>; dimensions that are not as in the file get names of their own, so that all results fit into one file."""
    text, reference, _ = CASES[i]
    want = reference(d)
    own = [n for n in getattr(want, "dims", DIMS if getattr(want, "ndim", 0) == 3 else ()) if n in DIMS]
    moved = not isinstance(want, xr.DataArray) or "roll(" in text
    names = [n for n in own if moved or want.sizes[n] != d.sizes[n]]
    return f"r{i} = " + (f"rename({text}, {', '.join(f'{n}={n}{i}' for n in names)})" if names and "stack(" not in text else text)


class Eval(support.Case):
    def setUp(self):
        super().setUp()
        self.file = data_file(self.path("in.nc"))
        self.out = self.path("out.nc")

    def saved(self, *words, ranks=0):
        self.run_ok("eval", *words, self.file, "-o", self.out, "-O", ranks=ranks)
        self.no_parts(self.dir)

    def compare(self, i, got, d):
        text, reference, tolerance = CASES[i]
        want = np.asarray(reference(d))
        self.assertEqual(got.shape, want.shape, text)
        if got.dtype == np.int8:  # truth values
            want = want.astype("i1")
        if want.dtype.kind in "iu" and got.dtype.kind in "iu":
            self.assertEqual(got.dtype.itemsize, want.dtype.itemsize, f"{text}: {got.dtype} for {want.dtype}")
        if tolerance == 0:
            self.assertTrue(np.array_equal(got, want.astype(got.dtype), equal_nan=got.dtype.kind == "f"), text)
        else:
            np.testing.assert_allclose(got.astype("f8"), want.astype("f8"), rtol=tolerance, atol=tolerance * 10, equal_nan=True, err_msg=text)

    def test_beside_xarray(self):
        with open(self.path("all.vv"), "w") as f, xr.open_dataset(self.file) as d:
            f.write("# every expression of the test\n" + "\n".join(statement(i, d) for i in range(len(CASES))))
        before = None
        for ranks in (0, 2, 3, 4):
            self.saved("-f", self.path("all.vv"), ranks=ranks)
            now = support.raw_bytes(self.out)
            if before is None:
                with xr.open_dataset(self.file) as d:
                    for i in range(len(CASES)):
                        with self.subTest(CASES[i][0]):
                            self.compare(i, values(self.out, f"r{i}"), d)
            else:
                self.assertEqual(before.keys(), now.keys())
                for name in before:
                    self.assertEqual(before[name], now[name], f"{name}: other bits on {ranks} ranks")
            before = now

    def test_once(self):
        """What statements share is read once."""
        words = ["let s = sqrt(u^2 + v^2)", "a = s.mean(time)", "b = max(s, time); c = s.std(time)", "d = s.mean(time) + b"]
        stats = self.run_ok("eval", *words, self.file, "-o", self.out, "--stats").stats
        self.assertLess(stats["read"], 2 * 8 * NT * NY * NX + 5000)
        plan = self.run_ok("eval", *words, self.file, "-o", self.out, "-O", "--explain").out
        self.assertIn("read", plan)

    def test_metadata(self):
        self.saved("let x = t2m", "warm = where(x > 280, x, nan)", "anom = x.group(month) - x.group(month).mean()", "both = u * v", "t2m = x - 273.15",
                   "diff_u = u - v")
        with netCDF4.Dataset(self.out) as f:
            self.assertEqual((f["warm"].units, f["warm"].long_name), ("K", "temperature"))
            self.assertEqual(f["anom"].units, "K")
            self.assertNotIn("units", f["both"].ncattrs())
            self.assertEqual(f["diff_u"].units, "m s-1")
            self.assertEqual(f.title, "a test")
            self.assertRegex(f.history, r"(?s)varve eval 'let x = t2m'.*made")
            self.assertEqual(f["time"].units, "hours since 2001-02-20")
            self.assertEqual(f["time_bnds"].shape, (NT, 2))
            self.assertEqual(f["lat"][0], 60)
            self.assertEqual({"time", "time_bnds", "lat", "lon", "warm", "anom", "both", "t2m", "diff_u"}, set(f.variables))
            self.assertTrue(f.dimensions["time"].isunlimited())

    def test_printed(self):
        result = self.run_ok("eval", "a = mean(u)", "b = u.group(month).max()[:, 0, 0]", "n = 2^10", self.file)
        lines = [l.split() for l in result.out.splitlines()]
        with xr.open_dataset(self.file) as d:
            self.assertAlmostEqual(float(lines[0][1]), float(d.u.mean()), 12)
        self.assertEqual([l[:2] for l in lines[1:3]], [["b", "month=2"], ["b", "month=3"]])
        self.assertEqual(lines[3], ["n", "1024"])
        self.assertEqual(self.run_ok("eval", "x = zeros(n=2) + 1").out.split(), ["x", "n=#0", "1", "x", "n=#1", "1"])

    def test_scripts(self):
        script = self.path("s.vv")
        with open(script, "w") as f:
            f.write("# comment\nlet a = (u +\n   v)   # goes on\n\nr = a \\\n  * 2; q = a.mean(\n)\n")
        self.saved("-f", script, "z = r - q")
        with xr.open_dataset(self.file) as d:
            np.testing.assert_allclose(values(self.out, "z"), ((d.u + d.v) * 2 - (d.u + d.v).mean()).values, rtol=1e-12, atol=1e-12)
        piped = subprocess.run([support.binary(), "eval", "-f", "-", self.file], input=b"x = 6 * 7", stdout=subprocess.PIPE, timeout=60, check=True)
        self.assertEqual(piped.stdout.split(), [b"x", b"42"])

    def test_several_files(self):
        with netCDF4.Dataset(self.file) as f:
            u = f["u"][:]
        for k in range(2):
            half = slice(k * NT // 2, (k + 1) * NT // 2)
            make(self.path(f"h{k}.nc"), {"time": (NT // 2,), "x": NX}, {
                "time": (("time",), np.arange(NT)[half] * 6.0, {"attrs": {"units": "hours since 2001-02-20"}}), "u": (("time", "x"), u[half, 0, :])})
        for ranks in (0, 2):
            self.run_ok("eval", "m = mean(u, time)", self.path("h*.nc"), "-o", self.out, "-O", ranks=ranks)
            np.testing.assert_allclose(values(self.out, "m"), u[:, 0, :].mean(0), rtol=1e-12)

    def test_mistakes(self):
        for words, code, *patterns in [
            (["r = t2n"], 3, r"there is no 't2n'; did you mean 't2m'\?"),
            (["r = mean(t2m, tim)"], 3, "no dimension 'tim'"),
            (["r = u[1:] - u[:-1]"], 2, "coordinates along 'time' differ: element 0 is at 2001-02-20 06:00:00"),
            (["r = (u"], 2, "not closed"),
            (["let a = u"], 2, "no result"),
            (["mean(u)"], 2, "has no name"),
            ([], 2, "needs statements"),
            (["-f", self.path("none.vv")], 3, "none.vv"),
            (["r = " + "(" * 5000], 2, "nested"),
            (["time = u"], 2, "is a dimension"),
        ]:
            self.refused(support.varve("eval", *words, self.file, "-o", self.out), code, *patterns)
            self.assertFalse(os.path.exists(self.out))
        result = support.varve("eval", "ok = u; r = sqrt(t2n) + 1", self.file, "-o", self.out, ranks=2)
        self.assertIn("\n    ok = u; r = sqrt(t2n) + 1\n                     ^~~\n", result.err)
        self.assertEqual(result.err.count("t2n"), 2)

    def test_degrees(self):
        self.assertRegex(self.run_ok("eval", "r = max(cos(lat))", self.file).err, r"degrees_north, and cos takes radians: write cos\(radians\(lat\)\)")
        self.assertEqual(self.run_ok("eval", "r = mean(u, weights=cos(lat))", self.file).err, "")

    def test_grammar(self):
        """The manual has the grammar that the parser says it follows."""
        header, manual = ((support.ROOT / name).read_text() for name in ("src/expr/tree.h", "README.md"))
        rules = [line[3:].rstrip() for line in header.split("#ifndef")[0].splitlines() if line.startswith(" *     ")]
        self.assertGreater(len(rules), 10)
        self.assertIn("\n".join(rules), manual)

    def test_help(self):
        text = self.run_ok("eval", "--help").out
        for name in ("rolling", "arctan2", "kurtosis", "transpose", "fillna"):
            self.assertIn(name, text)


if __name__ == "__main__":
    support.main()
