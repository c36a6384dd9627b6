#!/usr/bin/python3
# cores: 1
# builds: release
"""Reductions of files of every layout and element type against NumPy in extended precision.

Missing values follow xarray: they are skipped, the sum of nothing is 0, the mean of nothing is missing (and saved as the fill value).
A result in float32 may differ from the rounded exact one by one unit in the last place, sums and means of float64 by a few.
"""
import itertools
import warnings

import netCDF4
import numpy as np

import support
from support import SQUEEZED, axis, make, ulps, values

EXACT = ("sum", "mean", "min", "max")
CORE = ("sum", "mean", "min", "max", "var", "std")


def exact(how, x, axes):
    """The reduction in extended precision, NaN skipped."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the mean of nothing
        wide = x.astype(np.longdouble)
        if how in ("sum", "mean", "var", "std", "prod"):
            return getattr(np, "nan" + how)(wide, axis=axes)
        if how == "min" or how == "max":
            return getattr(np, "nan" + how)(wide, axis=axes)
        if how == "range":
            return np.nanmax(wide, axis=axes) - np.nanmin(wide, axis=axes)
        if how == "count":
            return np.sum(~np.isnan(wide), axis=axes)
        if how == "any":
            return np.any(np.nan_to_num(wide) != 0, axis=axes)
        if how == "all":
            return np.all((wide != 0) | np.isnan(wide), axis=axes)
        if how == "count_nonzero":
            return np.sum((wide != 0) & ~np.isnan(wide), axis=axes)
        if how in ("argmin", "argmax"):  # flat over several dimensions; of nothing -1
            kept = [d for d in range(x.ndim) if axes is not None and d not in axes]
            lanes = np.transpose(wide, kept + [d for d in range(x.ndim) if d not in kept])
            lanes = lanes.reshape([x.shape[d] for d in kept] + [-1])
            lost = np.inf if how == "argmin" else -np.inf
            place = getattr(np, how)(np.where(np.isnan(lanes), lost, lanes), axis=-1)
            return np.where(np.isnan(lanes).all(axis=-1), -1, place)
        if how == "norm":
            return np.sqrt(np.nansum(wide * wide, axis=axes))
    raise KeyError(how)


REFERENCES = CORE + ("prod", "range", "count", "any", "all", "norm", "count_nonzero", "argmin", "argmax")


class Values(support.Case):
    def setUp(self):
        super().setUp()
        self.numbers = itertools.count()

    def reduce(self, how, dims, path, *more, ranks=0):
        out = self.path(f"out{next(self.numbers)}.nc")
        self.run_ok(how, "-d", dims, path, "-o", out, *more, ranks=ranks)
        return values(out, "x")

    def close(self, got, want, how, note):
        """got (as stored) against want (extended precision)."""
        want = np.asarray(want)
        self.assertEqual(got.shape, want.shape, note)
        if got.dtype.kind in "iub":
            self.assertTrue(np.array_equal(got.astype(object), want.astype(object)), f"{note}\n{got}\n{want}")
            return
        bound = {"f4": 1, "f8": 4}[got.dtype.str[1:]] if how in EXACT else {"f4": 2, "f8": 256}[got.dtype.str[1:]]
        if how in ("min", "max"):
            bound = 0
        far = ulps(got, want.astype(got.dtype))
        worst = float(far.max()) if far.size else 0.0
        at = np.unravel_index(int(far.argmax()), np.atleast_1d(got).shape) if far.size else ()
        self.assertLessEqual(worst, bound, f"{note}: {worst} ulp at {at}: {np.atleast_1d(got)[at] if far.size else None}"
                                           f" instead of {np.atleast_1d(want)[at] if far.size else None}")

    def check(self, path, x, dims, hows=CORE, over=None, ranks=(0,)):
        """Every reduction over every one of `over` (lists of dimension names) against the reference; x has NaN where values are missing."""
        cases = [(how, names, n) for how in hows for names in over for n in ranks]

        def one(case):
            how, names, n = case
            out = self.path(f"out{next(self.numbers)}.nc")
            return out, support.varve(how, "-d", ",".join(names), path, "-o", out, ranks=n)

        for (how, names, n), (out, result) in zip(cases, support.side_by_side(one, cases)):
            with self.subTest(how=how, over=names, ranks=n):
                self.done(result)
                got = values(out, "x")
                want = exact(how, x, tuple(dims.index(d) for d in names))
                self.close(got, want, how, f"{how} over {names} of {path} at {n} ranks")

    def field(self, shape=(50, 13, 22), dtype="f4", seed=0):
        return np.random.default_rng(seed).normal(280, 15, shape).astype(dtype)

    def cube(self, name, x, dims=("time", "lat", "lon"), unlimited=False, coordinates=True, **options):
        lengths = {d: ((n,) if unlimited and d == "time" else n) for d, n in zip(dims, x.shape)}
        table = {d: axis(n, d) for d, n in zip(dims, x.shape) if coordinates and d in ("time", "lat", "lon")}
        table["x"] = (dims, x, options)
        return make(self.path(name + ".nc"), lengths, table)

    OVER = [("time",), ("lat", "lon"), ("time", "lat", "lon"), ("lon",), ("lat",), ("time", "lon")]

    def test_contiguous(self):
        x = self.field()
        self.check(self.cube("contiguous", x, contiguous=True), x, ("time", "lat", "lon"), over=self.OVER)

    def test_order_of_dims_does_not_matter(self):
        path = self.cube("order", self.field(), contiguous=True)
        self.assertTrue(np.array_equal(self.reduce("mean", "lat,lon", path), self.reduce("mean", "lon,lat", path)))

    def test_no_dims_means_all(self):
        x = self.field()
        path = self.cube("all", x)
        out = self.path("all_out.nc")
        self.run_ok("mean", path, "-o", out)
        got = values(out, "x")
        self.close(got, exact("mean", x, None), "mean", "mean over all")

    def test_chunks_that_do_not_divide_the_shape(self):
        x = self.field()
        path = self.cube("edge", x, chunksizes=(7, 5, 8), **SQUEEZED)
        self.check(path, x, ("time", "lat", "lon"), over=self.OVER)
        self.check(path, x, ("time", "lat", "lon"), over=self.OVER[:3], hows=("sum", "mean", "std"), ranks=(2, 3))

    def test_storage_variants(self):
        for name, dtype, unlimited, options in [
            ("chunked without filters", "f4", False, dict(chunksizes=(8, 13, 22))),
            ("deflate without shuffle", "f4", False, dict(chunksizes=(50, 4, 4), zlib=True)),
            ("shuffle without deflate", "f4", False, dict(chunksizes=(6, 6, 6), shuffle=True, zlib=False)),
            ("fletcher32", "f4", False, dict(chunksizes=(6, 6, 6), fletcher32=True, **SQUEEZED)),
            ("fletcher32 alone", "f4", False, dict(chunksizes=(6, 6, 6), fletcher32=True)),
            ("big-endian contiguous", "f4", False, dict(endian="big", contiguous=True)),
            ("big-endian chunks", "f4", False, dict(endian="big", chunksizes=(9, 5, 7), **SQUEEZED)),
            ("f64", "f8", False, dict(chunksizes=(9, 5, 7), **SQUEEZED)),
            ("f64 big-endian", "f8", False, dict(endian="big", contiguous=True)),
            ("f64 contiguous", "f8", False, dict(contiguous=True)),
            ("unlimited time", "f4", True, dict(chunksizes=(1, 13, 22), **SQUEEZED)),
            ("unlimited time, long chunks", "f4", True, dict(chunksizes=(64, 5, 5), **SQUEEZED)),
            ("one chunk", "f4", False, dict(chunksizes=(50, 13, 22), **SQUEEZED)),
            ("chunks of one element", "f4", False, dict(chunksizes=(1, 1, 1))),
        ]:
            with self.subTest(name):
                shape = (6, 4, 3) if name == "chunks of one element" else (50, 13, 22)
                x = self.field(shape, dtype=dtype)
                path = self.cube(name.replace(" ", "_"), x, unlimited=unlimited, **options)
                self.check(path, x, ("time", "lat", "lon"), over=self.OVER[:3], hows=("mean", "std", "max"))

    def test_large_results_along_an_unlimited_dimension(self):
        """Too large for the coordinator alone, and in need of chunks even when nothing is compressed."""
        x = self.field((3100, 2, 400))
        path = self.path("long.nc")
        support.make(path, {"time": (3100,), "lat": 2, "lon": 400},
                     {"t2m": (("time", "lat", "lon"), x, {"chunksizes": (64, 2, 400), **SQUEEZED})})
        for more in ([], ["--deflate", "3"]):
            for ranks in (0, 3):
                with self.subTest(more=more, ranks=ranks):
                    out = self.path("out.nc")
                    self.run_ok("mean", "-d", "lat", path, "-o", out, "-O", *more, ranks=ranks)
                    with netCDF4.Dataset(out) as f:
                        self.assertTrue(f.dimensions["time"].isunlimited())
                        self.assertEqual(f["t2m"].filters()["zlib"], bool(more))
                        np.testing.assert_array_equal(f["t2m"][:].filled(np.nan), x.astype("f8").mean(axis=1).astype("f4"))

    def test_every_reduction_that_is_registered(self):
        x = self.field((20, 5, 6))
        x[:, 2, 3] = np.nan
        x[4, :, :] = np.nan
        path = self.cube("registry", x, chunksizes=(6, 3, 4), **SQUEEZED)
        text = support.varve("--help").out
        named = [how for how in REFERENCES if how in text.split()]
        for how in CORE:
            self.assertIn(how, named, text)
        self.check(path, x, ("time", "lat", "lon"), hows=named, over=self.OVER[:4])

    def test_missing_values(self):
        x = self.field((30, 8, 9))
        x[3, 2:5, :] = np.nan
        x[:, 1, 1] = np.nan
        x[7:, 4, 4] = np.nan
        x[5] = np.nan
        for name, fill, options in [
            ("NaN", None, {}),
            ("fill", np.float32(-999), {}),
            ("default fill", np.float32(9.96921e36), dict(chunksizes=(7, 3, 4), **SQUEEZED)),
        ]:
            stored = x if fill is None else np.where(np.isnan(x), fill, x).astype("f4")
            more = {} if fill is None else {"fill_value": fill}
            path = self.cube(f"missing_{name.replace(' ', '_')}", stored, **options, **more)
            self.check(path, x, ("time", "lat", "lon"), over=self.OVER[:5], ranks=(0, 2))

    def test_missing_value_attribute(self):
        x = self.field((20, 6, 7))
        x[2:4, 3, :] = np.nan
        stored = np.where(np.isnan(x), np.float32(1e20), x)
        path = self.cube("missing_value", stored, attrs={"missing_value": np.float32(1e20)})
        self.check(path, x, ("time", "lat", "lon"), over=self.OVER[:3], hows=("sum", "mean", "max"))

    def test_nothing_but_missing(self):
        x = np.full((12, 4, 5), np.nan, "f4")
        path = self.cube("nothing", np.where(np.isnan(x), np.float32(-1), x), fill_value=np.float32(-1), chunksizes=(5, 2, 3))
        self.check(path, x, ("time", "lat", "lon"), over=self.OVER[:3])

    def test_chunks_never_written(self):
        path = self.path("sparse.nc")
        x = np.full((24, 8, 8), np.nan, "f4")
        x[12:18, :4] = self.field((6, 4, 8))
        with netCDF4.Dataset(path, "w") as f:
            for d, n in zip(("time", "lat", "lon"), x.shape):
                f.createDimension(d, n)
            v = f.createVariable("x", "f4", ("time", "lat", "lon"), fill_value=np.float32(-5), chunksizes=(6, 4, 4), **SQUEEZED)
            v[12:18, :4] = x[12:18, :4]
        self.check(path, x, ("time", "lat", "lon"), over=self.OVER[:3], hows=("sum", "mean", "min"))

    def test_packed(self):
        rng = np.random.default_rng(5)
        packed = rng.integers(-32000, 32000, (40, 9, 10)).astype("i2")
        packed[:, 3, 3] = packed[4, 5:, :] = -32767
        scale, offset = 0.0025, 270.0
        attrs = {"scale_factor": scale, "add_offset": offset}
        x = np.where(packed == -32767, np.nan, packed.astype("f8") * scale + offset)
        for name, options in [("contiguous", {}), ("chunks", dict(chunksizes=(7, 4, 6), **SQUEEZED)), ("big", dict(endian="big"))]:
            path = self.cube("packed_" + name, packed, fill_value=np.int16(-32767), attrs=attrs, **options)
            for how in CORE:
                for names in self.OVER[:4]:
                    with self.subTest(storage=name, how=how, over=names):
                        got = self.reduce(how, ",".join(names), path)
                        self.assertEqual(got.dtype.kind, "f")
                        axes = tuple(("time", "lat", "lon").index(d) for d in names)
                        want = exact(how, x, axes).astype("f8")
                        count = np.sum(~np.isnan(x), axis=axes)
                        # unpacking itself rounds each value, to the result's type at the coarsest
                        slack = 1.5 * np.finfo(got.dtype).eps * 400 * (np.maximum(count, 1) if how == "sum" else 1)
                        if how == "var":
                            slack *= 4 * np.nanmax(np.abs(x))
                        self.assertTrue(np.array_equal(np.isnan(got), np.isnan(want)))
                        self.assertTrue(np.all(np.isnan(got) | (np.abs(got - want) <= slack)), (got - want, slack))

    def test_integers(self):
        rng = np.random.default_rng(7)
        for dtype in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"):
            info = np.iinfo(dtype)
            low, high = max(info.min, -(2**40)), min(info.max, 2**40)
            x = rng.integers(low, high, (25, 6, 7), dtype=np.int64).astype(dtype)
            path = self.cube("int_" + dtype, x, chunksizes=(4, 4, 4), fill_value=False, **SQUEEZED)
            for how in CORE:
                for names in self.OVER[:3]:
                    with self.subTest(dtype=dtype, how=how, over=names):
                        got = self.reduce(how, ",".join(names), path)
                        self.assertEqual(got.dtype.kind, "f" if how in ("mean", "var", "std") else np.dtype(dtype).kind)
                        axes = tuple(("time", "lat", "lon").index(d) for d in names)
                        if how in ("sum", "min", "max"):
                            self.close(got, getattr(np, how)(x, axis=axes), how, dtype)
                        else:
                            self.close(got, exact(how, x, axes), how, dtype)

    def test_integers_with_fill(self):
        rng = np.random.default_rng(8)
        stored = rng.integers(-100, 100, (15, 5, 6)).astype("i4")
        stored[3, :, :] = stored[:, 2, 2] = -999
        x = np.where(stored == -999, np.nan, stored.astype("f8"))
        path = self.cube("int_fill", stored, fill_value=np.int32(-999))
        self.check(path, x, ("time", "lat", "lon"), over=self.OVER[:3], hows=("sum", "mean", "min", "max"))

    def test_wide_integers_keep_every_digit(self):
        x = np.array([[2**53 + 1, 2**62 - 1, -(2**60) - 3], [3, 5, 7]], "i8")
        path = make(self.path("wide.nc"), {"a": 2, "b": 3}, {"x": (("a", "b"), x)})
        for how in ("sum", "min", "max"):
            self.close(self.reduce(how, "a", path), getattr(np, how)(x, axis=0), how, "wide integers")

    def test_long_sums(self):
        """3000 steps with a large mean: plain float32 summation is off by far more than one ulp."""
        rng = np.random.default_rng(9)
        x = (101325 + rng.normal(0, 900, (3000, 7, 11))).astype("f4")
        for name, options in [("contiguous", dict(contiguous=True)), ("chunks", dict(chunksizes=(37, 4, 6), **SQUEEZED)),
                              ("steps", dict(chunksizes=(1, 7, 11), **SQUEEZED))]:
            path = self.cube("long_" + name, x, **options)
            self.check(path, x, ("time", "lat", "lon"), hows=CORE, over=[("time",), ("time", "lat", "lon"), ("lat", "lon")], ranks=(0, 3))

    def test_sums_that_cancel(self):
        """A spread tiny against the mean: var by sums of squares would return noise; one pass in float64 may lose half the digits."""
        rng = np.random.default_rng(10)
        x = (1e7 + rng.normal(0, 1e-2, (2000, 3, 4))).astype("f8")
        path = self.cube("cancel", x, chunksizes=(64, 3, 4))
        for names in [("time",), ("time", "lat", "lon")]:
            axes = tuple(("time", "lat", "lon").index(d) for d in names)
            got = self.reduce("var", ",".join(names), path)
            want = exact("var", x, axes).astype("f8")
            self.assertTrue(np.allclose(got, want, rtol=1e-7, atol=0), (got, want))

    def test_infinities(self):
        x = self.field((10, 3, 4))
        x[2, 1, 1], x[3, 1, 2], x[4, 2, 2], x[5, 2, 2] = np.inf, -np.inf, np.inf, -np.inf
        self.check(self.cube("inf", x), x, ("time", "lat", "lon"), hows=("sum", "mean", "min", "max"), over=[("time",), ("lat", "lon")])

    def test_one_dimension(self):
        x = self.field((1001,), dtype="f4")
        path = make(self.path("line.nc"), {"n": 1001}, {"x": (("n",), x, dict(chunksizes=(64,), **SQUEEZED))})
        self.check(path, x, ("n",), over=[("n",)], ranks=(0, 2, 4))

    def test_five_dimensions(self):
        dims = ("member", "time", "level", "lat", "lon")
        x = self.field((3, 11, 4, 5, 6))
        for name, options in [("contiguous", dict(contiguous=True)), ("chunks", dict(chunksizes=(2, 4, 3, 5, 4), **SQUEEZED))]:
            path = make(self.path(f"five_{name}.nc"), dict(zip(dims, x.shape)), {"x": (dims, x, options)})
            over = [("time",), ("member", "level"), ("time", "lon"), ("member",), ("lon",), ("member", "lat", "lon"), dims]
            self.check(path, x, dims, over=over, hows=("mean", "var"), ranks=(0,))

    def test_dimensions_of_length_one(self):
        dims = ("a", "b", "c")
        for shape in [(1, 7, 9), (6, 1, 9), (6, 7, 1), (1, 1, 1), (1, 1, 30)]:
            x = self.field(shape)
            for name, options in [("contiguous", {}), ("chunks", dict(chunksizes=tuple(min(4, n) for n in shape)))]:
                path = make(self.path(f"ones_{'x'.join(map(str, shape))}_{name}.nc"), dict(zip(dims, shape)), {"x": (dims, x, options)})
                self.check(path, x, dims, over=[("a",), ("b", "c"), ("a", "c"), dims], hows=("mean", "std"))

    def test_no_records_yet(self):
        path = self.cube("empty", np.zeros((0, 4, 5), "f4"), unlimited=True, chunksizes=(1, 4, 5))
        self.assertTrue(np.array_equal(self.reduce("sum", "time", path), np.zeros((4, 5), "f4")))
        self.assertTrue(np.all(np.isnan(self.reduce("mean", "time", path))))

    def test_ddof(self):
        x = self.field((12, 4, 5))
        path = self.cube("ddof", x)
        got = self.reduce("std", "time", path, "--ddof", "1")
        self.close(got, np.std(x.astype(np.longdouble), axis=0, ddof=1), "std", "ddof 1")

    def test_keepdims(self):
        x = self.field((12, 4, 5))
        path = self.cube("keepdims", x)
        got = self.reduce("mean", "time,lon", path, "--keepdims")
        self.close(got, exact("mean", x, (0, 2)).reshape(1, 4, 1), "mean", "keepdims")

    def test_no_skipna(self):
        x = self.field((12, 4, 5))
        x[3, 2, 1] = np.nan
        path = self.cube("no_skipna", x, chunksizes=(5, 4, 3))
        for how in CORE:
            want = exact(how, x, 0)
            want[2, 1] = np.nan
            self.close(self.reduce(how, "time", path, "--no-skipna"), want, how, f"{how} with --no-skipna")

    def test_several_reductions_in_one_pass(self):
        x = self.field((60, 9, 11))
        path, out, single = self.cube("several", x, chunksizes=(7, 5, 6), **SQUEEZED), self.path("several_out.nc"), self.path("one.nc")
        many = self.run_ok("reduce", "-m", ",".join(CORE), "-d", "time", path, "-o", out, "--stats", ranks=2)
        for how in CORE:
            self.close(values(out, f"x_{how}"), exact(how, x, 0), how, how)
        one = self.run_ok("mean", "-d", "time", path, "-o", single, "--stats", ranks=2)
        self.assertEqual(many.stats["read"], one.stats["read"], "the input is read once")

    def test_without_output_small_results_are_printed(self):
        x = self.field((12, 4, 5))
        result = self.run_ok("mean", self.cube("printed", x), ranks=2)
        self.assertIn(f"{x.mean(dtype='f8'):.2f}"[:5], result.out)

    def test_several_variables_at_once(self):
        x, y = self.field((20, 6, 7)), self.field((20, 6, 7), "f8", seed=3)
        path = make(self.path("two.nc"), {"time": 20, "lat": 6, "lon": 7},
                    {"time": axis(20, "time"), "x": (("time", "lat", "lon"), x), "y": (("time", "lat", "lon"), y, dict(chunksizes=(6, 6, 7), **SQUEEZED))})
        out = self.path("two_out.nc")
        self.run_ok("mean", "-d", "time", path, "-o", out, ranks=2)
        self.close(values(out, "x"), exact("mean", x, 0), "mean", "x")
        self.close(values(out, "y"), exact("mean", y, 0), "mean", "y")
        only = self.path("only.nc")
        self.run_ok("mean", "-d", "time", "-v", "y", path, "-o", only)
        with netCDF4.Dataset(only) as f:
            self.assertNotIn("x", f.variables)
            self.assertIn("y", f.variables)

    def test_compressed_output_has_the_same_values(self):
        x = self.field()
        path = self.cube("deflate", x, chunksizes=(9, 5, 8), **SQUEEZED)
        plain, squeezed = self.path("plain.nc"), self.path("squeezed.nc")
        self.run_ok("mean", "-d", "time", path, "-o", plain, ranks=2)
        self.run_ok("mean", "-d", "time", path, "-o", squeezed, "--deflate", "4", ranks=2)
        self.assertEqual(support.raw_bytes(plain), support.raw_bytes(squeezed))


if __name__ == "__main__":
    support.main()
