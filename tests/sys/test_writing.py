#!/usr/bin/python3
# timeout: 300
# cores: 1
"""How outputs are stored: chunks, filters, element types, packing, quantizing, dimensions that can grow, plain HDF5.

Every option is looked at with other programs' eyes: netCDF4, h5py, xarray with both engines, CDO, NCO, nccopy, h5diff. The results are large enough to be
written by the ranks that have them; a second, small one takes the way of what is gathered. Whatever is chosen, the elements are the same.
"""
import os
import re
import subprocess

import h5py
import netCDF4
import numpy as np
import xarray

import support
from support import make

NT, NZ, NY, NX = 61, 2, 90, 241
ZSTD = 32015


def fields(path):
    """t(time, lev, lat, lon) with some values missing, and count, whole numbers."""
    rng = np.random.default_rng(5)
    t = (280 + 20 * np.sin(np.arange(NY) / 30)[:, None] + rng.normal(0, 3, (NT, NZ, NY, NX))).astype("f4")
    t[3, :, 4, 5] = t[:, :, 7, 9] = 1e20
    return make(path, {"time": (NT,), "lev": NZ, "lat": NY, "lon": NX, "station": 7}, {
        "time": support.axis(NT, "time"), "lat": support.axis(NY, "lat"), "lon": support.axis(NX, "lon"),
        "t": (("time", "lev", "lat", "lon"), t, {"fill_value": np.float32(1e20), "chunksizes": (10, 2, 45, 100), "zlib": True, "complevel": 1,
                                                 "attrs": {"units": "K", "valid_range": np.array([100, 400], "f4")}}),
        "n": (("time", "lev", "lat", "lon"), rng.integers(0, 300, (NT, NZ, NY, NX)).astype("i4"), {"attrs": {"units": "1"}}),
        "few": (("lev", "station"), rng.normal(0, 1, (NZ, 7)).astype("f4"))})


def tool(*argv):
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True, env=support.environment(), timeout=60)
    if done.returncode:
        raise AssertionError(f"{argv}: {done.stdout}{done.stderr}")
    return done.stdout


class Writing(support.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared = cls.shared_folder()
        cls.input = fields(os.path.join(cls.shared, "in.nc"))
        cls.plain = os.path.join(cls.shared, "plain.nc")
        support.varve("mean", "-d", "lev", cls.input, "-o", cls.plain, ranks=2)
        cls.t, cls.n, cls.few = (support.values(cls.plain, name) for name in ("t", "n", "few"))

    def write(self, name, *options, ranks=2, var=None):
        out = self.path(name)
        more = ["-v", var] if var else []
        result = self.run_ok("mean", "-d", "lev", self.input, "-O", "-o", out, *more, *options, ranks=ranks)
        return out, result

    def same(self, path, names=("t", "n", "few")):
        for name in names:
            np.testing.assert_array_equal(support.values(path, name), getattr(self, name), f"{path} {name}")

    # --- more than ranks keep in memory until it has a place ---

    def test_packed_chunks_wait_in_the_scratch_file(self):
        """48 MB that nothing makes smaller, where a rank keeps 16 MiB of packed chunks: the rest goes to the scratch file and comes back."""
        x = np.random.default_rng(9).random((600, 1, 10000))
        source = make(self.path("random.nc"), {"time": 600, "lev": 1, "cell": 10000}, {"x": (("time", "lev", "cell"), x)})
        scratch = self.path("scratch")
        os.mkdir(scratch)
        args = ("mean", "-d", "lev", source, "--chunk", "time=25,cell=2500", "--deflate", "1", "--scratch", scratch)
        for ranks in (0, 2):
            out = self.path(f"packed{ranks}.nc")
            self.run_ok(*args, "-o", out, ranks=ranks)
            np.testing.assert_array_equal(support.values(out, "x"), x[:, 0])
            self.nothing_left(scratch)
        for site in ("spill", "unspill"):
            result = support.varve(*args, "-o", self.path("failed.nc"), ranks=2, env={"VV_FAULT": f"{site}:3@1"})
            self.assertEqual(result.code, 1, result)
            self.assertIn(f"planted fault at '{site}'", result.messages[0])
            self.assertFalse(os.path.exists(self.path("failed.nc")))
            self.nothing_left(scratch)

    # --- by the page cache or straight to the disk ---

    def test_large_blocks_straight_to_the_disk(self):
        """16 MB computed, and moved to other chunks: the same bytes whichever way they go, whoever writes; chunks at the edge are not full."""
        x = np.random.default_rng(10).random((500, 1, 4100))
        source = make(self.path("straight_in.nc"), {"time": 500, "lev": 1, "cell": 4100}, {"x": (("time", "lev", "cell"), x)})
        for argv in (("mean", "-d", "lev", source, "--chunk", "time=60,cell=4096"), ("rechunk", "-c", "time=500,cell=600", source),
                     ("mean", "-d", "lev", source)):
            self.same_either_way(argv, x[:, 0])

    def test_copied_chunks_straight_to_the_disk(self):
        """Chunks of 1.6 MB that are copied as they are stored: the same bytes whichever way they go."""
        x = np.random.default_rng(11).random((200, 4100))
        source = self.path("copied_in.nc")
        with netCDF4.Dataset(source, "w") as f:
            f.createDimension("time", 200)
            f.createDimension("cell", 4100)
            f.createVariable("x", "f8", ("time", "cell"), zlib=True, complevel=1, shuffle=False, chunksizes=(50, 4100))[:] = x
        said = self.run_ok("select", "time=#50:200", source, "-o", self.path("none.nc"), "--explain")
        self.assertIn("copied as stored", said.out)
        self.same_either_way(("select", "time=#50:200", source), x[50:])

    def same_either_way(self, argv, expected):
        files = []
        for ranks, way in ((0, "0"), (0, "1"), (2, "1")):
            out = self.path("straight.nc")
            self.run_ok(*argv, "-O", "-o", out, ranks=ranks, env={"VARVE_DIRECT": way})
            files.append(support.raw_bytes(out))
        np.testing.assert_array_equal(support.values(out, "x").reshape(expected.shape), expected, str(argv))
        self.assertTrue(files[0] == files[1] == files[2], argv)

    # --- chunks and filters ---

    def test_chunks_as_given(self):
        out, _ = self.write("a.nc", "--chunk", "time=7,lat=32,lon=-1", "--deflate", "4")
        with netCDF4.Dataset(out) as f:
            self.assertEqual(f["t"].chunking(), [7, 32, NX])
            self.assertEqual(f["n"].chunking(), [7, 32, NX])
            self.assertEqual(f["t"].filters()["complevel"], 4)
            self.assertTrue(f["t"].filters()["shuffle"])
        self.same(out)
        out, _ = self.write("b.nc", "--chunk", "time=1")
        with netCDF4.Dataset(out) as f:
            self.assertEqual(f["t"].chunking(), [1, NY, NX])
            self.assertFalse(f["t"].filters()["zlib"])
        self.same(out)
        out, _ = self.write("c.nc", "--chunk", "lon=1000", "--unlimited", "none", "--no-shuffle", "--deflate", "2")
        with netCDF4.Dataset(out) as f:
            self.assertEqual(f["t"].chunking()[2], NX, "no longer than the dimension")
            self.assertFalse(f["t"].filters()["shuffle"])
        self.same(out)

    def test_automatic_chunks_serve_maps_and_series(self):
        out, _ = self.write("auto.nc", "--chunk", "auto", "--deflate", "1")
        with netCDF4.Dataset(out) as f:
            ct, cy, cx = f["t"].chunking()
            self.assertTrue(2**18 <= 4 * ct * cy * cx <= 2**21, (ct, cy, cx))
            series, maps = -(-NT // ct), -(-NY // cy) * -(-NX // cx)
            self.assertTrue(max(series, maps) <= 4 * min(series, maps), f"a map reads {maps} chunks, a series {series}")
        self.same(out)

    def test_filters(self):
        sizes = {}
        for name in ["none", "deflate:1", "deflate:9", "zstd", "zstd:1", "zstd:15"]:
            out, result = self.write("f.nc", "--filter", name, ranks=2 if ":1" in name else 0)
            if "zstd" not in name:  # which netCDF's users may not have
                self.same(out)
            sizes[name] = os.path.getsize(out)
            with h5py.File(out) as f:
                pipeline = f["t"].id.get_create_plist()
                ids = [pipeline.get_filter(i)[:3] for i in range(pipeline.get_nfilters())]
            if name.startswith("deflate"):
                self.assertEqual([i[0] for i in ids], [h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_DEFLATE])
                self.assertEqual(ids[1][2], (int(name[-1]),))
            elif name.startswith("zstd"):
                self.assertEqual([i[0] for i in ids], [h5py.h5z.FILTER_SHUFFLE, ZSTD])
                self.assertEqual(ids[1][2], (int((name + ":3").split(":")[1]),))
                self.assertIn("32015", result.err)
            else:
                self.assertEqual(ids, [])
        self.assertLess(sizes["deflate:1"], 0.9 * sizes["none"])
        self.assertLess(sizes["deflate:9"], sizes["deflate:1"])
        self.assertLess(sizes["zstd:15"], sizes["zstd:1"])

    def test_zstd_frames_are_what_the_filter_says(self):
        """Frames taken out of the file with h5py and decompressed by zstd itself, and the whole file read again by varve."""
        out, _ = self.write("z.nc", "--filter", "zstd:5", "--chunk", "time=20,lat=90,lon=241", var="t")
        with h5py.File(out) as f:
            mask, frame = f["t"].id.read_direct_chunk((20, 0, 0))
            self.assertEqual(mask, 0)
        done = subprocess.run(["zstd", "-dc"], input=frame, capture_output=True, check=True)
        planes = np.frombuffer(done.stdout, "u1").reshape(4, -1)
        chunk = np.ascontiguousarray(planes.T).view("<f4").reshape(20, NY, NX)
        want = np.where(np.isnan(self.t[20:40]), np.float32(1e20), self.t[20:40])
        np.testing.assert_array_equal(chunk, want)
        back = self.path("back.nc")
        self.run_ok("mean", "-d", "lon", out, "-o", back)
        other = self.path("other.nc")
        self.run_ok("mean", "-d", "lon", self.plain, "-v", "t", "-o", other)
        np.testing.assert_array_equal(support.values(back, "t"), support.values(other, "t"))

    def test_the_same_bits_whoever_writes(self):
        options = ["--chunk", "time=9,lat=50,lon=100", "--deflate", "3", "--dtype", "i16:packed"]
        one, _ = self.write("one.nc", *options, ranks=0)
        for ranks in (1, 3):
            some, _ = self.write("some.nc", *options, ranks=ranks)
            self.assertEqual(support.raw_bytes(one), support.raw_bytes(some))

    # --- types ---

    def test_other_types(self):
        for name, dtype in [("f64", "f8"), ("i16", "i2"), ("i32", "i4"), ("u16", "u2"), ("i64", "i8")]:
            out, _ = self.write("type.nc", "--dtype", name, var="t,n", ranks=0)
            with netCDF4.Dataset(out) as f:
                f.set_auto_maskandscale(False)
                t, n = f["t"], f["n"]
                self.assertEqual((t.dtype, n.dtype), (np.dtype(dtype), np.dtype(dtype)))
                self.assertNotIn("valid_range", t.ncattrs())
                missing = np.isnan(self.t)
                if dtype[0] == "f":
                    np.testing.assert_array_equal(support.values(out, "t"), self.t.astype(dtype))
                else:
                    self.assertEqual(t._FillValue, netCDF4.default_fillvals[dtype])
                    np.testing.assert_array_equal(t[...][~missing], np.rint(self.t[~missing]).astype(dtype))
                    self.assertTrue((t[...][missing] == t._FillValue).all())
                np.testing.assert_array_equal(n[...], self.n.astype(dtype) if dtype[0] == "f" else np.rint(self.n).astype(dtype))

    def test_packed_by_range(self):
        for name, dtype, steps in [("i16", "i2", 65534), ("u8", "u1", 254), ("i32", "i4", 2**32 - 2)]:
            for compressed in ([], ["--deflate", "1", "--chunk", "auto"]):
                out, result = self.write("packed.nc", "--dtype", f"{name}:packed", *compressed, "--stats", var="t,few", ranks=2 if name == "i16" else 0)
                low, high = np.nanmin(self.t), np.nanmax(self.t)
                with netCDF4.Dataset(out) as f:
                    v = f["t"]
                    self.assertEqual(v.dtype, np.dtype(dtype))
                    self.assertAlmostEqual(v.scale_factor * steps, float(high) - float(low), 6)
                    v.set_auto_maskandscale(False)
                    stored = v[...]
                    missing = stored == v._FillValue
                    np.testing.assert_array_equal(missing, np.isnan(self.t))
                    codes = stored[~missing].astype("i8")
                    self.assertEqual(codes.max() - codes.min(), steps, "the whole range of codes is used")
                    values = codes * v.scale_factor + v.add_offset
                    self.assertLessEqual(np.abs(values - self.t[~missing]).max(), 0.5001 * v.scale_factor)
                for engine in ("netcdf4", "h5netcdf"):
                    with xarray.open_dataset(out, engine=engine) as d:
                        np.testing.assert_allclose(d["t"].values, self.t, atol=float(0.51 * v_scale(out) + 1e-4))
                        np.testing.assert_allclose(d["few"].values, self.few, atol=0.01)

    def test_packed_as_said(self):
        out, _ = self.write("said.nc", "--dtype", "i16:packed,scale=0.01,offset=273.15", var="t")
        with netCDF4.Dataset(out) as f:
            v = f["t"]
            self.assertEqual((v.scale_factor, v.add_offset, v._FillValue), (0.01, 273.15, -32768))
            v.set_auto_maskandscale(False)
            want = np.where(np.isnan(self.t), -32768, np.rint((self.t.astype("f8") - 273.15) / 0.01))
            np.testing.assert_array_equal(v[...], want.astype("i2"))
        out, _ = self.write("nothing.nc", "--dtype", "i16:packed,scale=2", var="few", ranks=0)
        with netCDF4.Dataset(out) as f:
            self.assertEqual((f["few"].scale_factor, f["few"].add_offset), (2, 0))

    def test_nothing_but_missing_values(self):
        path = make(self.path("none.nc"), {"x": 3, "y": 4}, {"v": (("x", "y"), np.full((3, 4), np.nan, "f4"))})
        self.run_ok("mean", "-d", "x", path, "-o", self.path("p.nc"), "--dtype", "i16:packed")
        with netCDF4.Dataset(self.path("p.nc")) as f:
            self.assertTrue(np.ma.getmaskarray(f["v"][...]).all())

    def test_values_that_do_not_fit(self):
        for options, words in [(["--dtype", "u8"], r"variable 't'.*value 2\d\d.* at position \d+, \d+, \d+ cannot be stored as u8"),
                               (["--dtype", "i16:packed,scale=0.001"], r"packed with scale 0.001 and offset 0"),
                               (["--dtype", "i8", "--deflate", "1"], "as i8")]:
            folder = self.path("refused")
            os.mkdir(folder)
            self.refused(support.varve("mean", "-d", "lev", self.input, "-v", "t", "-o", folder + "/o.nc", *options, ranks=2), 2, words, "output variable",
                         seconds=20, folder=folder)
            os.rmdir(folder)

    # --- quantizing: netCDF-C itself says what is right ---

    def test_quantized_as_netcdf_does(self):
        t = np.where(np.isnan(self.t), np.float32(1e20), self.t)
        for mine, theirs, mode, keep in [("2", "_QuantizeBitGroomNumberOfSignificantDigits", "BitGroom", 2),
                                         ("bitgroom:4", "_QuantizeBitGroomNumberOfSignificantDigits", "BitGroom", 4),
                                         ("granular:3", "_QuantizeGranularBitRoundNumberOfSignificantDigits", "GranularBitRound", 3),
                                         ("bitround:6", "_QuantizeBitRoundNumberOfSignificantBits", "BitRound", 6)]:
            for dtype in ("f4", "f8"):
                out, _ = self.write("q.nc", "--quantize", mine, "--deflate", "1", "--chunk", "time=8,lat=33,lon=77", "--dtype", "f" + str(8 * int(dtype[1])),
                                    var="t", ranks=2 if mine == "2" else 0)
                reference = self.path("reference.nc")
                with netCDF4.Dataset(reference, "w") as f:
                    for name, n in zip(("time", "lat", "lon"), t.shape):
                        f.createDimension(name, n)
                    try:
                        v = f.createVariable("t", dtype, ("time", "lat", "lon"), fill_value=np.dtype(dtype).type(np.float32(1e20)), zlib=True, complevel=1,
                                             significant_digits=keep, quantize_mode=mode)
                    except (RuntimeError, ValueError, TypeError) as e:
                        self.skipTest(f"netCDF4 here does not quantize: {e}")
                    v[...] = t.astype(dtype)
                with netCDF4.Dataset(out) as a, netCDF4.Dataset(reference) as b:
                    self.assertEqual(a["t"].getncattr(theirs), keep)
                    self.assertEqual(b["t"].getncattr(theirs), keep)
                a, b = support.values(out, "t"), support.values(reference, "t")
                b = np.where(b == np.dtype(dtype).type(np.float32(1e20)), np.nan, b)
                np.testing.assert_array_equal(np.isnan(a), np.isnan(self.t))
                np.testing.assert_array_equal(a, b.astype(dtype), f"{mine} {dtype}")

    # --- dimensions and formats ---

    def test_dimensions_that_can_grow(self):
        for options, want in [([], {"time"}), (["--unlimited", "none"], set()), (["--unlimited", "lat"], {"lat"}), (["--unlimited", "time,lon"], {"time", "lon"})]:
            out, _ = self.write("u.nc", *options, ranks=0)
            with netCDF4.Dataset(out) as f:
                self.assertEqual({n for n, d in f.dimensions.items() if d.isunlimited()}, want)
            self.same(out)

    def test_plain_hdf5(self):
        for name, options in [("p.h5", []), ("p.nc", ["--format", "hdf5"])]:
            out, _ = self.write(name, *options, "--deflate", "1")
            with h5py.File(out) as f:
                self.assertEqual(set(f), {"time", "lat", "lon", "t", "n", "few"})
                t = f["t"]
                self.assertEqual([d.label for d in t.dims], ["time", "lat", "lon"])
                self.assertEqual([list(d.keys()) for d in t.dims], [["time"], ["lat"], ["lon"]])
                self.assertEqual([d.label for d in f["few"].dims], ["station"])
                self.assertEqual(t.attrs["units"], b"K") if isinstance(t.attrs["units"], bytes) else self.assertEqual(t.attrs["units"], "K")
                for thing in (f, t, f["time"], f["few"]):
                    self.assertFalse([a for a in thing.attrs if a.startswith("_N")], "what only netCDF knows")
                np.testing.assert_array_equal(np.where(t[...] == np.float32(1e20), np.nan, t[...]), self.t)
            with xarray.open_dataset(out, engine="h5netcdf", phony_dims="access") as d:
                self.assertEqual(d["t"].dims, ("time", "lat", "lon"))
            self.same(out)

    # --- everybody's programs ---

    def test_round_trips(self):
        forms = [("contiguous", ["--unlimited", "none"]), ("records", []), ("deflate", ["--deflate", "4", "--chunk", "auto"]),
                 ("given", ["--chunk", "time=5,lat=45", "--deflate", "1"])]
        for name, options in forms:
            out, _ = self.write(name + ".nc", *options)
            for engine in ("netcdf4", "h5netcdf"):
                with xarray.open_dataset(out, engine=engine) as d:
                    for v in ("t", "n", "few"):
                        np.testing.assert_array_equal(d[v].values, getattr(self, v), f"{name} {engine}")
            copy = self.path("copy.nc")
            tool("nccopy", "-k", "nc4", out, copy)
            self.same(copy)
            for v in ("t", "n", "time", "lat"):
                self.assertEqual(tool("h5diff", out, self.plain, "/" + v), "", name)
            tool("ncdump", "-h", out)
            tool("ncks", "-O", "-4", "-d", "time,3,8", out, self.path("nco.nc"))
            np.testing.assert_array_equal(support.values(self.path("nco.nc"), "t"), self.t[3:9])
            tool("cdo", "-s", "-O", "-f", "nc4", "selname,t", out, self.path("cdo.nc"))
            np.testing.assert_array_equal(support.values(self.path("cdo.nc"), "t"), self.t)
            with netCDF4.Dataset(out) as f:
                grows = f.dimensions["time"].isunlimited()
            if grows:
                with netCDF4.Dataset(out, "a") as f:
                    f["time"][NT] = 999.0
                    f["t"][NT] = np.arange(NY * NX).reshape(NY, NX)
                    f["t"].appended = "yes"
                with netCDF4.Dataset(out) as f:
                    self.assertEqual(f["t"].shape, (NT + 1, NY, NX))
                    self.assertEqual(f["t"][NT, 1, 1], NX + 1)
                np.testing.assert_array_equal(support.values(out, "t")[:NT], self.t)

    # --- sizes ---

    def test_more_than_two_to_the_31_elements(self):
        """A source with hardly anything in it: its chunks were never written."""
        n = 2**31 + 77
        source = self.path("large.h5")
        with h5py.File(source, "w") as f:
            v = f.create_dataset("v", (1, n), "i1", chunks=(1, 1 << 24), fillvalue=3)
            v[0, -5:] = [1, 2, 4, 5, 6]
        out = self.path("out.nc")
        first, last = re.findall(r"^  (\S+) +\d+$", support.varve("info", source).out, re.M)
        self.run_ok("max", "-d", first, source, "-o", out, "--deflate", "1", "--chunk", f"{last}={1 << 24}", ranks=2, timeout=120)
        with h5py.File(out) as f:
            v = f["v"]
            self.assertEqual((v.shape, v.chunks), ((n,), (1 << 24,)))
            self.assertLess(os.path.getsize(out), 1 << 26)
            self.assertEqual(v[-6:].tolist(), [3, 1, 2, 4, 5, 6])
            self.assertEqual(v[2**31 - 3:2**31 + 3].tolist(), [3] * 6)

    def test_positions_beyond_two_to_the_31(self):
        """Reduced, selected and turned around: nothing counts elements in 32 bits, of chunks or of one piece of 2 GiB that takes no room."""
        n, tail = 2**31 + 77, [1, 2, 4, 5, 6]
        chunked, flat = self.path("chunked.nc"), self.path("flat.nc")
        with h5py.File(chunked, "w") as f:
            f.create_dataset("v", (n,), "i1", chunks=(1 << 24,), fillvalue=3)[-5:] = tail
        layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        layout.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        layout.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        with h5py.File(flat, "w") as f:
            h5py.Dataset(h5py.h5d.create(f.id, b"v", h5py.h5t.NATIVE_INT8, h5py.h5s.create_simple((n,)), layout))[-5:] = tail
        for path, fill, how in (chunked, 3, ["sum", "argmax"]), (flat, 0, ["argmax"]):
            with self.subTest(os.path.basename(path)):
                dim = re.findall(r"^  (\S+) +\d+$", support.varve("info", path).out, re.M)[0]
                out = self.path("out.nc")
                self.run_ok("reduce", "-m", ",".join(how), "-d", dim, path, "-O", "-o", out, ranks=2, timeout=120)
                with h5py.File(out) as f:
                    want = {"sum": fill * (n - 5) + sum(tail), "argmax": n - 1}
                    self.assertEqual({m: int(f["v_" + m][()]) for m in how}, {m: want[m] for m in how})
                self.run_ok("select", f"{dim}=#-1:-8:-1", path, "-O", "-o", out)
                self.assertEqual(support.values(out, "v").tolist(), tail[::-1] + [fill, fill])
                self.run_ok("select", f"{dim}=#{n - 6}:", path, "-O", "-o", out, ranks=2)
                self.assertEqual(support.values(out, "v").tolist(), [fill] + tail)

    # --- what is refused ---

    def test_options_that_mean_nothing(self):
        for options, words in [(["--chunk", "time"], "DIM=LENGTH"), (["--chunk", "time=0"], "no length along 'time'"), (["--chunk", "time=1,time=2"], "twice"),
                               (["--chunk", "tme=1"], "no dimension 'tme'; it has time, lat, lon"), (["--chunk", "time=x"], "no length"),
                               (["--filter", "lz4"], "deflate.*zstd.*none"), (["--filter", "deflate:10"], "0 to 9"), (["--filter", "zstd:0"], "1 to 19"),
                               (["--dtype", "f16"], "no element type"), (["--dtype", "f32:packed"], "packed into"), (["--dtype", "i16:scale=0"], "scale=NUMBER"),
                               (["--dtype", "i16:packed,offset=3"], "needs a scale"), (["--quantize", "0"], "1 to"), (["--quantize", "round:3"], "bitgroom"),
                               (["--quantize", "8"], "at most 7 digits"), (["--unlimited", "x"], "no dimension 'x'"), (["--format", "zarr"], "netcdf4 and hdf5")]:
            folder = self.path("refused")
            os.mkdir(folder)
            self.refused(support.varve("mean", "-d", "lev", self.input, "-v", "t", "-o", folder + "/o.nc", *options), 2, words, folder=folder)
            os.rmdir(folder)

    def test_an_output_that_exists(self):
        out, _ = self.write("there.nc", "--deflate", "1")
        before = support.raw_bytes(out)
        self.refused(support.varve("mean", "-d", "lev", self.input, "-o", out, "--dtype", "f64"), 5, "exists; use -O")
        self.assertEqual(support.raw_bytes(out), before)

    def test_a_full_disk(self):
        folder = self.path("full")
        os.mkdir(folder)
        for options in (["--unlimited", "none"], ["--deflate", "1"], ["--chunk", "time=4"]):
            limit = ["bash", "-c", f"ulimit -f 1500; exec {support.binary()} mean -d lev {self.input} -v t -o {folder}/o.nc {' '.join(options)}"]
            result = support.run(limit)
            self.assertEqual(result.code, 5, result)
            self.assertRegex(result.err, r"o\.nc")
            self.nothing_left(folder)


def v_scale(path):
    with netCDF4.Dataset(path) as f:
        return f["t"].scale_factor


if __name__ == "__main__":
    support.main()
