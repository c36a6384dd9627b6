#!/usr/bin/python3
# cores: 1
# builds: release
"""Classic NetCDF files (CDF-1, CDF-2, CDF-5) of netCDF-C, PnetCDF and of times long gone, beside xarray and beside their NetCDF-4 copies."""
import os
import shutil
import subprocess
import unittest

import netCDF4
import numpy as np
import xarray

import support
from support import ulps, values

KINDS = {"NETCDF3_CLASSIC": ("i1", "i2", "i4", "f4", "f8"), "NETCDF3_64BIT_OFFSET": ("i1", "i2", "i4", "f4", "f8"),
         "NETCDF3_64BIT_DATA": ("i1", "i2", "i4", "f4", "f8", "u1", "u2", "u4", "i8", "u8")}
FERRET = "/usr/share/ferret-vis/data"


def fill(f, types, records, rng):
    """Variables of every type: with and without records, long and short ones; dimension `one` of length 1, so that a maximum over it is the value."""
    f.createDimension("time", None)
    f.createDimension("one", 1)
    for name, n in (("y", 5), ("x", 1201)):
        f.createDimension(name, n)
        f.createVariable(name, "f8", (name,))[:] = np.arange(n)
    t = f.createVariable("time", "f8", ("time",))
    t.units = "hours since 1990-01-01"
    f.createVariable("label", "S1", ("x",))[:] = b"c"
    made = {}
    for kind in types:
        for name, dims, shape in ((f"fixed_{kind}", ("one", "y", "x"), (1, 5, 1201)), (f"long_{kind}", ("time", "one", "y", "x"), (records, 1, 5, 1201)),
                                  (f"short_{kind}", ("time", "one", "y"), (records, 1, 5))):
            v = f.createVariable(name, kind, dims)
            x = rng.normal(0, 1000, shape) if kind[0] == "f" else rng.integers(0, 120, shape)
            made[name] = np.asarray(x).astype(kind)
            v[:] = made[name]
    t[:] = np.arange(records) * 6.0
    return made


class Classic(support.Case):
    def over_one(self, path, names, ranks=0):
        out = self.path("out.nc")
        self.run_ok("max", "-d", "one", "-v", ",".join(names), path, "-O", "-o", out, ranks=ranks)
        return out

    def test_every_type(self):
        for kind, types in KINDS.items():
            path = self.path(kind + ".nc")
            with netCDF4.Dataset(path, "w", format=kind) as f:
                made = fill(f, types, 7, np.random.default_rng(4))
            for ranks in (0, 3):
                out = self.over_one(path, made, ranks)
                for name, x in made.items():
                    got = values(out, name)
                    self.assertEqual(got.dtype, x.dtype, f"{kind} {name}")
                    np.testing.assert_array_equal(got, np.squeeze(x, axis=x.shape.index(1)), f"{kind} {name}")
                self.assertEqual(raw(out, "time").tolist(), [6.0 * i for i in range(7)], kind)
            self.assertIn("CDF-5" if "DATA" in kind else "64-bit" if "OFFSET" in kind else "classic", self.run_ok("info", path).out)

    def test_same_bits_as_netcdf4(self):
        """One layout is like the other: contiguous, or every so many bytes."""
        x = np.random.default_rng(5).normal(0, 10, (60, 40, 70)).astype("f4")
        out, answers = self.path("out.nc"), []
        for kind, unlimited, also in (("NETCDF4", False, False), ("NETCDF3_CLASSIC", False, False), ("NETCDF3_64BIT_OFFSET", True, False),
                                      ("NETCDF3_64BIT_DATA", True, True)):
            path = self.path("in.nc")
            with netCDF4.Dataset(path, "w", format=kind) as f:
                for name, n in (("time", 60), ("y", 40), ("x", 70)):
                    f.createDimension(name, None if unlimited and name == "time" else n)
                v = f.createVariable("v", "f4", ("time", "y", "x"), fill_value=-999.0, **({"contiguous": True} if kind == "NETCDF4" else {}))
                w = f.createVariable("w", "i2", ("time",)) if also else None
                v[:] = x
                if also:
                    w[:] = np.arange(60)
            got = []
            for how in (["mean", "-d", "time"], ["std", "-d", "y,x"], ["mean", "-d", "time,y,x"]):
                for ranks in (0, 2):
                    self.run_ok(*how, "-v", "v", path, "-O", "-o", out, ranks=ranks)
                    got.append(values(out, "v").tobytes())
            answers.append(got)
        for other in answers[1:]:
            self.assertEqual(answers[0], other)

    def test_moved_as_stored(self):
        """Bytes are copied from file to file only where they lie together: records do not."""
        path, out = self.path("in.nc"), self.path("out.nc")
        with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as f:
            made = fill(f, ("i1", "u1", "f4"), 9, np.random.default_rng(4))
        for ranks in (0, 2):
            self.run_ok("select", "time=#2:7", path, "-O", "-o", out, ranks=ranks)
            for name, x in made.items():
                np.testing.assert_array_equal(raw(out, name), x[2:7] if x.shape[0] == 9 else x, name)

    @unittest.skipUnless(shutil.which("ncmpigen"), "there is no ncmpigen")
    def test_pnetcdf(self):
        cdl = """netcdf p {
dimensions: time = UNLIMITED ; y = 3 ; one = 1 ;
variables: double time(time) ; time:units = "days since 2000-01-01" ;
  float a(time, one, y) ; a:_FillValue = -1.f ; short b(one, y) ; byte c(time, one) ; char d(time, y) ;
  :title = "made by PnetCDF" ;
data: time = 1, 2, 3, 4 ; a = 1, 2, 3, 4, -1, 6, 7, 8, 9, 10, 11, 12 ; b = 5, -6, 7 ; c = 1, -2, 3, -4 ; d = "abcdefghijkl" ; }
"""
        with open(self.path("p.cdl"), "w") as f:
            f.write(cdl)
        for version in (1, 2, 5):
            path = self.path(f"p{version}.nc")
            subprocess.run(["ncmpigen", "-v", str(version), "-o", path, self.path("p.cdl")], check=True, env=support.environment(), capture_output=True)
            with open(path, "rb") as f:
                self.assertEqual(f.read(4), b"CDF" + bytes([version]))
            out = self.over_one(path, ("a", "b", "c"))
            a = values(out, "a")
            self.assertTrue(np.isnan(a[1, 1]))
            self.assertEqual(np.nan_to_num(a).ravel().tolist(), [1, 2, 3, 4, 0, 6, 7, 8, 9, 10, 11, 12])
            self.assertEqual(raw(out, "b").tolist(), [5, -6, 7])
            self.assertEqual(raw(out, "c").tolist(), [1, -2, 3, -4])
            self.assertEqual(raw(out, "d").tobytes(), b"abcdefghijkl")
            with netCDF4.Dataset(out) as f:
                self.assertEqual(f.title, "made by PnetCDF")

    @unittest.skipUnless(os.path.isdir(FERRET), "the package ferret-datasets is not there")
    def test_real_data(self):
        """COADS, Levitus, Navy winds, topography: against xarray, and against their NetCDF-4 copies."""
        files = ["coads_climatology.cdf", "levitus_climatology.cdf", "monthly_navy_winds.cdf", "ocean_atlas_subset.nc", "esku_heat_budget.cdf", "etopo20.cdf"]
        for name in files:
            path, copy, out, other = os.path.join(FERRET, name), self.path(name + "4"), self.path("out.nc"), self.path("other.nc")
            subprocess.run(["nccopy", "-4", path, copy], check=True)
            with xarray.open_dataset(path, decode_times=False) as source:
                dim = next(v for v in source.data_vars.values() if v.ndim > 1).dims[0]
                chosen = [v for v in source.data_vars if source[v].dims[:1] == (dim,) and source[v].ndim > 1]
                self.run_ok("mean", "-d", dim, "-v", ",".join(chosen), path, "-O", "-o", out)
                self.run_ok("mean", "-d", dim, "-v", ",".join(chosen), copy, "-O", "-o", other, ranks=2)
                for v in chosen:
                    want = source[v].astype("f8").mean(dim).astype("f4").values
                    for file in (out, other):
                        self.assertLessEqual(ulps(values(file, v), want).max(), 1, f"{name} {v} {file}")
                table = {v: x for v, x in support.raw_bytes(out).items() if v not in chosen}
                self.assertEqual(table, {v: x for v, x in support.raw_bytes(other).items() if v not in chosen}, name)

    def test_trouble(self):
        path, out = self.path("whole.nc"), self.path("folder/out.nc")
        os.mkdir(self.path("folder"))
        with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as f:
            fill(f, ("f4",), 7, np.random.default_rng(4))
        cut = self.path("cut.nc")
        size = os.path.getsize(path)
        for part in (3, 20, 400, size // 2):
            shutil.copy(path, cut)
            os.truncate(cut, part)
            for ranks in (0, 3):
                self.refused(support.varve("mean", "-d", "time", "-v", "long_f4", cut, "-o", out, ranks=ranks), 3, r"cut\.nc", "truncated|not NetCDF",
                             folder=self.path("folder"), seconds=20)
        with netCDF4.Dataset(self.path("claims.nc"), "w", format="NETCDF3_64BIT_DATA") as f:
            f.createDimension("x", 8)
            f.createVariable("v", "f4", ("x",))[:] = 1
        with open(self.path("claims.nc"), "r+b") as f:
            f.seek(f.read().index((8).to_bytes(8, "big")))  # the length of x
            f.write((10**18).to_bytes(8, "big"))
        self.refused(support.varve("mean", "-d", "x", self.path("claims.nc"), "-o", out), 3, "claims.nc", "v", "truncated", folder=self.path("folder"))


def raw(path, name):
    with netCDF4.Dataset(path) as f:
        f.set_auto_maskandscale(False)
        return np.asarray(f[name][...])


if __name__ == "__main__":
    support.main()
