#!/usr/bin/python3
# timeout: 600
# cores: 1
# builds: release asan
"""Commands that only move data: select, concat, stack, rechunk. What they write is compared value by value, as stored, with NumPy on the inputs;
whether chunks were copied as they are stored shows in explain, and in the stored bytes of the chunks themselves.
"""
import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import netCDF4
import numpy as np
import xarray

import support
from support import SQUEEZED, make

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "data"))
import format_corpus  # noqa: E402

NT, NY, NX = 48, 30, 40
FIELDS = ("time", "lat", "lon")
COPIED = "copied as stored"


def one_file(path, year, nt=NT, since=1990, packing=(0.01, 280.0), **storage):
    """A file with a packed variable, one with missing values and missing chunks, bounds, and a field that does not depend on time."""
    rng = np.random.default_rng(year)
    options = dict(SQUEEZED, chunksizes=(12, 15, 20), **storage)
    real = np.round(rng.normal(280, 10, (nt, NY, NX)), 1).astype("f4")
    real[3, 4, :] = 1e20
    days = np.arange(nt) + 365.0 * (year - since)
    lat = np.linspace(87, -87, NY)
    make(path, {"time": (nt,), "lat": NY, "lon": NX, "bnds": 2}, {
        "time": (("time",), days, {"attrs": {"units": f"days since {since}-01-01", "calendar": "noleap", "bounds": "time_bnds"}}),
        "time_bnds": (("time", "bnds"), np.stack([days, days + 1], 1)),
        "lat": (("lat",), lat.astype("f4"), {"attrs": {"units": "degrees_north"}}),
        "lon": (("lon",), np.arange(NX) * 9.0, {"attrs": {"units": "degrees_east"}}),
        "area": (("lat", "lon"), np.arange(NY * NX, dtype="f8").reshape(NY, NX)),
        "real": (FIELDS, real, dict(options, fill_value=np.float32(1e20), attrs={"units": "K"})),
        "packed": (FIELDS, rng.integers(-9999, 9999, (nt, NY, NX)).astype("i2"),
                   dict(options, fill_value=np.int16(-32767), attrs={"scale_factor": packing[0], "add_offset": packing[1]})),
    }, {"title": "moving"})
    with netCDF4.Dataset(path, "a") as f:  # a variable of which most chunks were never written
        v = f.createVariable("sparse", "i4", FIELDS, zlib=True, chunksizes=(12, 15, 20), fill_value=-7)
        v[24:min(36, nt), 0:15, 0:20] = year
        v[nt - 1, -1, -1] = year
        v = f.createVariable("short", "i4", FIELDS, zlib=True, chunksizes=(12, 15, 20), fill_value=-7)  # ends before its dimension does
        v[0:17, 0:15, 0:20] = year
    return path


def stored(path, name):
    with netCDF4.Dataset(path) as f:
        f.set_auto_maskandscale(False)
        return np.asarray(f[name][...])


def chunks(path, name):
    """{offset: (filter mask, stored bytes)} of the chunks that are there."""
    with h5py.File(path) as f:
        d = f[name].id
        infos = [d.get_chunk_info(i) for i in range(d.get_num_chunks())]
        return {i.chunk_offset: d.read_direct_chunk(i.chunk_offset) for i in infos}


def pipeline(dataset):
    p = dataset.id.get_create_plist()
    return [p.get_filter(i)[0] for i in range(p.get_nfilters())]


class Moving(support.Case):
    def setUp(self):
        super().setUp()
        self.files = [one_file(self.path(f"y{y}.nc"), y) for y in (1990, 1991, 1992)]
        self.out = self.path("out.nc")

    def explained(self, *args):
        return self.run_ok(*args, "-o", self.out, "--explain").out

    def moved(self, *args, ranks=0):
        result = self.run_ok(*args, "-o", self.out, "-O", "-q", ranks=ranks)
        self.no_parts(self.dir)
        return result

    def same(self, name, expected):
        got = stored(self.out, name)
        self.assertEqual((got.dtype.newbyteorder("="), got.shape), (expected.dtype.newbyteorder("="), expected.shape), name)
        self.assertTrue(np.array_equal(got, expected, equal_nan=got.dtype.kind == "f"), name)

    def test_concat(self):
        self.assertEqual(self.explained("concat", "-d", "time", *self.files).count(COPIED + ", not"), 3)
        for ranks in (0, 2, 3):
            self.moved("concat", "-d", "time", *self.files, ranks=ranks)
            for name in ("real", "packed", "sparse", "short", "time_bnds", "time"):
                self.same(name, np.concatenate([stored(f, name) for f in self.files]))
            self.same("area", stored(self.files[0], "area"))
            for name in ("real", "packed", "sparse"):
                there = chunks(self.out, name)
                want = {}
                for i, f in enumerate(self.files):
                    want.update({(o[0] + i * NT, *o[1:]): c for o, c in chunks(f, name).items()})
                self.assertEqual(there, want, f"{name}: stored bytes, {ranks} ranks")
        with netCDF4.Dataset(self.out) as f:
            self.assertTrue(f.dimensions["time"].isunlimited())
            self.assertEqual(f["time"].bounds, "time_bnds")
            self.assertEqual(f["packed"].add_offset, 280.0)
            self.assertNotIn("_FillValue", f["time_bnds"].ncattrs())
            self.assertIn("varve concat", f.history)
            self.assertEqual(f.title, "moving")

    def test_every_program_reads_it(self):
        self.moved("concat", "-d", "time", *self.files)
        # our own values, decoded by xarray with both engines; CDO and NCO join the same files to the same values
        for engine in ("netcdf4", "h5netcdf"):
            with xarray.open_dataset(self.out, engine=engine) as d, xarray.open_mfdataset(
                    self.files, engine=engine, combine="nested", concat_dim="time", data_vars="minimal") as e:
                for name in ("real", "packed", "sparse"):
                    np.testing.assert_array_equal(d[name].values, e[name].values)
                self.assertEqual(str(d["time"].values[-1]), str(e["time"].values[-1]))
        ncrcat, copy = self.path("ncrcat.nc"), self.path("copy.nc")
        for command in (["ncdump", "-h", self.out], ["cdo", "-s", "infon", self.out], ["nccopy", self.out, copy],
                        ["ncrcat", "-h", *self.files, ncrcat]):
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stderr), (0, ""), f"{command}: {done.stdout}")
        for other in (copy, ncrcat):  # not -q: its exit code also counts attributes that only one of the files has
            for name in ("/real", "/packed", "/sparse", "/short"):
                told = subprocess.run(["h5diff", "-v", self.out, other, name], capture_output=True, text=True, timeout=60).stdout
                self.assertIn(f"dataset: <{name}> and <{name}>\n0 differences found", told)
                self.assertNotRegex(told, r"(?m)^[1-9]\d* differences")
        with netCDF4.Dataset(self.out, "a") as f:  # appending works, and finds nothing but fill behind the end
            f["time"][3 * NT] = 4e4
            self.assertTrue(np.ma.getmaskarray(f["packed"][3 * NT]).all())

    def test_seams_are_computed(self):
        """After a file of 30 steps nothing is aligned; what is in front of it may be copied or not, values are right."""
        odd = one_file(self.path("odd.nc"), 1989, nt=30)
        files = [odd, self.files[0], self.files[1]]
        self.moved("concat", "-d", "time", *files)
        for name in ("real", "packed", "sparse"):
            self.same(name, np.concatenate([stored(f, name) for f in files]))
        # at the end it does not matter
        odd = one_file(self.path("odd.nc"), 1993, nt=30)
        files = [self.files[0], self.files[1], odd]
        self.moved("concat", "-d", "time", *files, ranks=2)
        for name in ("real", "packed", "sparse"):
            self.same(name, np.concatenate([stored(f, name) for f in files]))
        self.assertEqual(self.explained("concat", "-d", "time", *files).count(COPIED), 4)

    def test_dates_and_packing_that_differ(self):
        other = one_file(self.path("other.nc"), 1993, since=1980, packing=(0.02, 280.0))
        self.moved("concat", "-d", "time", self.files[0], other)
        self.same("real", np.concatenate([stored(f, "real") for f in (self.files[0], other)]))
        with xarray.open_dataset(self.out) as d, xarray.open_dataset(other) as e:
            np.testing.assert_allclose(d["packed"].values[NT:], e["packed"].values, rtol=3e-7)  # xarray unpacks to f32 here
            self.assertEqual(list(map(str, d["time"].values[NT:])), list(map(str, e["time"].values)))
            self.assertEqual(list(map(str, d["time_bnds"].values[NT:, 1])), list(map(str, e["time_bnds"].values[:, 1])))
        result = self.run_ok("stack", "-d", "run", self.files[0], other, "-o", self.out, "-O")
        self.assertRegex(result.err, "packed.*unpacked")
        with xarray.open_dataset(self.out) as d, xarray.open_dataset(other) as e:
            np.testing.assert_allclose(d["packed"].values[1], e["packed"].values, rtol=3e-7)

    def test_stack(self):
        self.assertIn(COPIED, self.explained("stack", "-d", "member", *self.files))
        self.moved("stack", "-d", "member", *self.files, ranks=2)
        for name in ("real", "packed", "sparse"):
            self.same(name, np.stack([stored(f, name) for f in self.files]))
        self.same("time", stored(self.files[0], "time"))
        self.moved("stack", "-d", "member", "-v", "real", *self.files)
        with netCDF4.Dataset(self.out) as f:
            self.assertEqual(f["real"].dimensions, ("member",) + FIELDS)
            self.assertNotIn("packed", f.variables)
            self.assertIn("lat", f.variables)

    def test_select(self):
        f = self.files[0]
        real, lat = stored(f, "real"), stored(f, "lat")
        tropics = np.flatnonzero(np.abs(lat) <= 30)
        january = slice(0, 31)
        cases = {
            "time=#12:36,lat=#15:": (real[12:36, 15:], True),
            "time=#24:": (real[24:], True),
            "time=#0:10:2": (real[0:10:2], False),
            "time=#-1": (real[-1:], False),
            "time=#::-1": (real[::-1], False),
            "lat=-30:30": (real[:, tropics], False),
            "lat=30:-30,lon=~100": (real[:, tropics][:, :, 11:12], False),
            "lat=87,lon=300:360": (real[:, :1, [34, 35, 36, 37, 38, 39, 0]], False),
            "time=1990-01": (real[january], False),
            "time=:1990-01-31": (real[january], False),
            "time=1990-01-02:1990-02-03,lon=:18": (real[1:34, :, :3], False),
            "time=~1990-01-05T13:00": (real[5:6], False),
            "time=1990": (real, True),
        }
        for what, (expected, copied) in cases.items():
            with self.subTest(what):
                text = self.explained("select", what, f)
                self.assertEqual(COPIED + ", not" in text, copied, text)
                self.moved("select", what, f)
                self.same("real", expected)
        self.moved("select", "time=#12:36,lat=#15:", f, ranks=2)
        self.same("packed", stored(f, "packed")[12:36, 15:])
        self.same("sparse", stored(f, "sparse")[12:36, 15:])
        self.same("area", stored(f, "area")[15:])
        self.same("time_bnds", stored(f, "time_bnds")[12:36])
        self.same("lat", lat[15:])
        with netCDF4.Dataset(self.out) as o:
            self.assertEqual(o["packed"].chunking(), [12, 15, 20])
            self.assertEqual(o["lat"].units, "degrees_north")

    def test_select_refuses(self):
        f, out = self.files[0], self.path("none/out.nc")
        os.mkdir(self.path("none"))
        for what, code, message in (
                ("lat=88:89", 3, "lat=88:89.*from 87 to -87"), ("lat=1", 3, "~ takes the nearest"), ("time=2001", 3, "1990-01-01"),
                ("time=1990-02-30", 2, "1990-02-30"), ("bnds=1", 3, "bnds=#"), ("lat", 2, "no selection"), ("lat=", 2, "no selection"),
                ("lat=#x", 2, "#0:10"), ("lat=1,lat=2", 2, "twice"), ("height=1", 3, "no dimension 'height'"), ("lat=abc", 2, "abc")):
            with self.subTest(what):
                self.refused(support.varve("select", what, f, "-o", out), code, message, folder=self.path("none"))
        strange = self.path("strange.nc")
        make(strange, {"time": 3}, {"time": (("time",), np.arange(3.0), {"attrs": {"units": "days since yesterday"}}),
                                    "t": (("time",), np.arange(3.0))})
        self.refused(support.varve("select", "time=1990-01", strange, "-o", out), 3, "strange.nc: coordinate 'time'.*yesterday",
                     folder=self.path("none"))
        self.refused(support.varve("select", "lat=0:10", f), 2, "-o OUTPUT")
        self.refused(support.varve("concat", *self.files, "-o", out), 2, "-d time")
        self.refused(support.varve("rechunk", f, "-o", out), 2, "-c time")

    def test_rechunk(self):
        f = self.files[0]
        names = ("real", "packed", "sparse")
        self.moved("rechunk", "-c", "time=-1,lat=10,lon=10", f, ranks=2)
        with netCDF4.Dataset(self.out) as o:
            self.assertEqual(o["real"].chunking(), [NT, 10, 10])
            self.assertTrue(o["real"].filters()["zlib"])
        for name in names + ("area", "time_bnds", "lat"):
            self.same(name, stored(f, name))
        # the chunks that it has: copied; another level: not
        self.assertEqual(self.explained("rechunk", "-c", "time=12", f).count(COPIED + ", not"), 3)
        self.moved("rechunk", "-c", "time=12", f)
        for name in names:
            self.assertEqual(chunks(self.out, name), chunks(f, name))
        self.same("short", stored(f, "short"))
        self.assertNotIn(COPIED, self.explained("rechunk", "-c", "time=12", "--deflate", "1", f))
        self.moved("rechunk", "-c", "time=12", "--deflate", "0", f)
        with netCDF4.Dataset(self.out) as o:
            self.assertFalse(o["real"].filters()["zlib"])
        self.same("real", stored(f, "real"))

    def test_contiguous(self):
        """Without chunks it goes run by run."""
        x = np.random.default_rng(5).normal(size=(3, 40, 64, 64)).astype("f4")
        files = [make(self.path(f"c{i}.nc"), {"time": 40, "lat": 64, "lon": 64}, {"x": (FIELDS, a, {"contiguous": True})}) for i, a in enumerate(x)]
        self.assertIn(COPIED, self.explained("concat", "-d", "time", *files))
        self.moved("concat", "-d", "time", *files, ranks=2)
        self.same("x", x.reshape(120, 64, 64))
        self.moved("select", "lat=#8:40", files[0])
        self.same("x", x[0, :, 8:40])
        self.moved("select", "lat=#8:40,lon=#1:9", files[0])
        self.same("x", x[0, :, 8:40, 1:9])
        for ranks in (0, 3):  # chunks without filters have their places before the run
            self.moved("rechunk", "-c", "time=-1,lat=10,lon=5", files[0], "--memory", "200M", ranks=ranks)
            self.same("x", x[0])
            with netCDF4.Dataset(self.out) as f:
                self.assertEqual(f["x"].chunking(), [40, 10, 5])
        big = make(self.path("big.nc"), {"time": 40, "lat": 64, "lon": 64}, {"x": (FIELDS, x[0], {"contiguous": True, "endian": "big"})})
        self.assertNotIn(COPIED, self.explained("select", "time=#2:", big))
        self.moved("select", "time=#2:", big)
        self.same("x", x[0, 2:])

    def test_skipped_filters(self):
        """A chunk's mask says which filters it was not put through."""
        f = self.path("masked.h5")
        x = np.arange(64, dtype="f4").reshape(4, 16)
        with h5py.File(f, "w") as h:
            d = h.create_dataset("x", (8, 1024), "f4", chunks=(4, 1024), shuffle=True, compression="gzip", fillvalue=0)
            block = np.arange(4096, dtype="f4")
            d[4:] = block.reshape(4, 1024)
            d.id.write_direct_chunk((0, 0), block.tobytes(), 3)
        del x
        with h5py.File(f) as h:
            dim = [n for n in h if n != "x"]
        self.assertEqual(dim, [])
        info = self.run_ok("info", "--json", f).out
        name = [n for n in json.loads(info)["dimensions"]][0]
        self.moved("select", f"{name}=#0:8", f)
        with h5py.File(f) as h, h5py.File(self.out) as o:
            self.assertTrue(np.array_equal(h["x"][...], o["x"][...]))
            self.assertEqual(o["x"].id.get_chunk_info(0).filter_mask, 3)
        self.assertEqual(chunks(self.out, "x"), chunks(f, "x"))

    def test_filters_in_any_order(self):
        """Sums of elements, as netCDF takes them, or of what is stored, as h5py does; zstd: chunks and pipeline stay as they are."""
        f, chunk = self.path("orders.h5"), (8, NY, NX)
        x = format_corpus.field((24, NY, NX))
        orders = {"netcdf": ("fletcher32", "shuffle", "deflate"), "h5py": ("shuffle", "deflate", "fletcher32"), "sum": ("fletcher32",),
                  "zstd": ("shuffle", "zstd")}
        with h5py.File(f, "w") as h:
            for name, order in orders.items():
                d = format_corpus.dataset(h, name, x, chunk, order, write=name != "zstd")
            for at in range(0, 24, 8):
                d.write_direct_chunk((at, 0, 0), format_corpus.zstd(format_corpus.shuffle(x[at:at + 8].tobytes(), 4), 3))
        self.assertEqual(self.explained("select", "phony_dim_0=#0:16", f).count(COPIED + ", not"), len(orders))
        self.moved("select", "phony_dim_0=#0:16", f)
        with h5py.File(f) as h, h5py.File(self.out) as o:
            for name in orders:
                self.assertEqual(pipeline(o[name]), pipeline(h[name]), name)
                self.assertEqual(chunks(self.out, name), {k: c for k, c in chunks(f, name).items() if k[0] < 16}, name)
                if name != "zstd":
                    self.assertTrue(np.array_equal(o[name][...], x[:16]), name)
        self.assertNotIn(COPIED, self.explained("select", "phony_dim_0=#1:16", f))
        self.moved("select", "phony_dim_0=#1:16", f)
        for name in ("netcdf", "h5py", "sum"):
            self.same(name, x[1:16])

    def test_budget_counts(self):
        self.refused(support.varve("concat", "-d", "time", *self.files, "-o", self.out, "--memory", "4M", "-O"), 4, "would do")

    def test_faults(self):
        for site in ("read:3", "write:3@1", "place:1", "task:9@1", "index:2", "sync:1", "rename:1"):
            with self.subTest(site):
                result = support.varve("concat", "-d", "time", *self.files, "-o", self.out, ranks=2, env={"VV_FAULT": site})
                self.refused(result, (1, 3, 5), "planted|fault", seconds=30)
                self.assertFalse(os.path.exists(self.out))
                self.no_parts(self.dir)


if __name__ == "__main__":
    support.main()
