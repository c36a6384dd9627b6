#!/usr/bin/python3
# timeout: 120
# builds: release asan
"""Complex numbers: elementwise functions, reductions, moves, products, files; compared with NumPy on the same input, the same bits on 1, 2 and 3 ranks."""
import h5py
import numpy as np

import support
import trees_model as model
from numpy_script import ScriptCase

TYPES = ["c8", "c16"]
# within so many units of single or double precision of the larger part
UNARY = {"negative": 0, "positive": 0, "conjugate": 0, "square": 1, "reciprocal": 1, "rint": 0, "sign": 0, "absolute": 2, "sqrt": 4, "exp": 8, "exp2": 16, "expm1": 16, "log": 8,
         "log2": 8, "log10": 8, "log1p": 1e4, "sin": 8, "cos": 8, "tan": 16, "sinh": 8, "cosh": 8, "tanh": 16, "arcsin": 16, "arccos": 16, "arctan": 16, "arcsinh": 16,
         "arccosh": 16, "arctanh": 16, "isnan": 0, "isinf": 0, "isfinite": 0, "logical_not": 0}
BINARY = {"add": 0, "subtract": 0, "multiply": 0, "divide": 0, "power": 500, "equal": 0, "not_equal": 0, "less": 0, "less_equal": 0, "greater": 0, "greater_equal": 0, "minimum": 0,
          "maximum": 0, "fmin": 0, "fmax": 0, "logical_and": 0, "logical_or": 0, "logical_xor": 0}
SPECIAL = [complex(a, b) for a in (0.0, -0.0, 1.0, -2.0, np.inf, -np.inf, np.nan) for b in (0.0, -0.0, 3.0, np.inf, -np.inf, np.nan)]
REDUCTIONS = {"sum": np.nansum, "prod": np.nanprod, "mean": np.nanmean, "var": np.nanvar, "std": np.nanstd, "count_nonzero": None, "any": None, "all": None, "count": None, "norm": None}


def numpy_reduction(how, x, axis):
    there = ~np.isnan(x)
    if how == "count":
        return there.sum(axis).astype("i8")
    if how in ("any", "all"):
        return ((x != 0) & there).any(axis) if how == "any" else ((x != 0) | ~there).all(axis)
    if how == "count_nonzero":
        return ((x != 0) & there).sum(axis).astype("i8")
    if how == "norm":
        return np.sqrt(np.nansum(np.abs(x.astype("c16")) ** 2, axis)).astype(np.abs(x).dtype)
    out = REDUCTIONS[how](x.astype("c16"), axis)
    return out.astype(x.dtype if out.dtype.kind == "c" else np.abs(x).dtype)


class Complex(ScriptCase):
    def setUp(self):
        super().setUp()
        rng, self.data = np.random.default_rng(11), {}
        self.file = self.path("z.h5")
        with h5py.File(self.file, "w") as f:
            for t in TYPES:
                for name, shape, chunks in (("a", (6, 7, 5), (2, 7, 3)), ("b", (6, 7, 5), None), ("m", (5, 8), (2, 3))):
                    x = (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(t)
                    if name == "a":
                        x.flat[:len(SPECIAL)] = SPECIAL
                    self.data[name + t] = x
                    f.create_dataset(name + t, data=x, chunks=chunks, compression="gzip" if chunks else None, shuffle=bool(chunks))
                self.data["w" + t] = x = self.data["b" + t].copy()
                x[rng.random(x.shape) < 0.2] = complex(np.nan, 1)
                f.create_dataset("w" + t, data=x, chunks=(3, 3, 3))
            self.data["r"] = rng.normal(size=(6, 7, 5)).astype("f4")
            f["r"] = self.data["r"]
            for dim, n in zip("xyzuv", (6, 7, 5, 5, 8)):
                f[dim] = np.arange(n)
                f[dim].make_scale(dim)
            for name, x in self.data.items():
                for d in range(x.ndim):
                    f[name].dims[d].attach_scale(f["uv"[d] if name[0] == "m" else "xyz"[d]])
        for name in self.data:
            self.lines.append(f"open {name} {self.file} {name}")

    @np.errstate(all="ignore")
    def test_elementwise(self):
        for t in TYPES:
            a, b = self.data["a" + t], self.data["b" + t]
            for name, ulps in UNARY.items():
                f = getattr(np, name)
                self.call(name, ["b" + t], "", f(b.astype("c16")).astype(f(b[:1, :1]).dtype) if ulps else f(b), ulps + 0.5)
                if not ulps:
                    self.call(name, ["a" + t], "", f(a), 0)
            for name, ulps in BINARY.items():
                self.call(name, ["b" + t, "w" + t], "", getattr(np, name)(b, self.data["w" + t]), ulps)
                if not ulps and name not in ("multiply", "divide"):
                    self.call(name, ["a" + t, "b" + t], "", getattr(np, name)(a, b), 0)
            self.call("add", ["b" + t, "r"], "", b + self.data["r"])
            self.call("real", ["a" + t], "", a.real)
            self.call("imag", ["a" + t], "", a.imag)
            self.call("angle", ["b" + t], "", np.angle(b), 2)
            self.call("where", ["r", "a" + t, "b" + t], "", np.where(self.data["r"] != 0, a, b))
            self.call("where", ["b" + t, "a" + t, "w" + t], "", np.where(b != 0, a, self.data["w" + t]))
        r = self.data["r"]
        self.call("make_complex", ["r", "r"], "", r + 1j * r)
        self.call("astype", ["r"], "dtype=c64", r.astype("c8"))
        self.call("astype", ["bc8"], "dtype=c128", self.data["bc8"].astype("c16"))
        self.call("astype", ["bc16"], "dtype=c64", self.data["bc16"].astype("c8"))
        self.call("add", ["bc8", "bc16"], "", self.data["bc8"] + self.data["bc16"])
        self.lines += ["complex i 0.5 -2", "number two 2"]
        for t in TYPES:
            b = self.data["b" + t]
            self.call("multiply", ["b" + t, "i"], "", b * np.array(0.5 - 2j, t))
            self.call("power", ["b" + t, "two"], "", b * b)
            self.call("power", ["i", "b" + t], "", ((0.5 - 2j) ** b.astype("c16")).astype(t), 100)
        self.call("multiply", ["r", "i"], "", (r * np.complex64(0.5 - 2j)))
        self.check()

    @np.errstate(all="ignore")
    def test_reductions_moves_and_products(self):
        for t in TYPES:
            w, m = self.data["w" + t], self.data["m" + t]
            for how in REDUCTIONS:
                for dims, axis in (("x", 0), ("z", 2), ("x,z", (0, 2)), ("x,y,z", (0, 1, 2))):
                    self.call(how, ["w" + t], f"dims={dims}", numpy_reduction(how, w, axis), 64)
            self.call("sum", ["b" + t], "dims=y keep_nan=1", self.data["b" + t].astype("c16").sum(1).astype(t), 8)
            self.call("cumsum", ["b" + t], "dim=x", self.data["b" + t].astype("c16").cumsum(0).astype(t), 64)
            self.call("transpose", ["w" + t], "dims=z,x,y", w.transpose(2, 0, 1))
            self.call("slice", ["w" + t], "dim=y start=-1 stop=0 step=-2", w[:, -1:0:-2])
            self.call("roll", ["w" + t], "dim=z by=3", np.roll(w, 3, 2))
            self.call("pad", ["w" + t], "dim=x before=2 after=1 value=3", np.pad(w, [(2, 1), (0, 0), (0, 0)], constant_values=3))
            self.call("shift", ["w" + t], "dim=x by=1", np.concatenate([np.full_like(w[:1], np.nan), w[:-1]]))
            self.call("reshape", ["w" + t], "dims=p:10,q:21", w.reshape(10, 21))
            self.call("rechunk", ["w" + t], "chunks=x:4,y:2", w)
            self.call("stack", ["w" + t, "b" + t], "dim=p", np.stack([w, self.data["b" + t]]))
            self.call("zeros", [], f"dims=x:3,y:4 dtype={model.varve_type(t)}", np.zeros((3, 4), t))
            self.call("ones_like", ["w" + t], "", np.ones_like(w))
            other = self.call("rename", ["m" + t], "dim=u to=p")
            self.call("matmul", ["m" + t, other], "dim=v", (m.astype("c16") @ m.astype("c16").T).astype(t), 1e4)
        self.check()

    def test_order(self):
        """NumPy's: by real parts, then by imaginary ones, NaN last; what has NaN is one element among the different ones."""
        for t in TYPES:
            a, few = self.data["a" + t], np.round(self.data["b" + t] * np.float32(1.5))
            for name, x in (("a" + t, a), ("w" + t, self.data["w" + t])):
                for dim, axis in (("x", 0), ("y", 1), ("z", 2)):
                    self.call("sort", [name], f"dim={dim}", np.sort(x, axis))
                    self.call("argsort", [name], f"dim={dim}", np.argsort(x, axis, kind="stable"))
            best = np.flip(np.sort(self.data["b" + t], 1), 1)
            self.call("topk", ["b" + t], "k=3 dim=y", best[:, :3])
            self.call("topk", ["b" + t], "k=-2 dim=y", np.sort(self.data["b" + t], 1)[:, :2])
            self.call("argtopk", ["b" + t], "k=-2 dim=y", np.argsort(self.data["b" + t], 1)[:, :2])
            scaled = self.call("multiply", ["b" + t, self.call("full_like", ["r"], "value=1.5")])
            rounded = self.call("rint", [scaled])
            for name, x in ((rounded, few), ("a" + t, a), ("w" + t, self.data["w" + t])):
                values, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
                self.call("unique", [name], "to=u", values)
                self.call("unique_counts", [name], "to=u", counts)
                self.call("unique_inverse", [name], "", inverse.reshape(x.shape))
            self.call("union1d", [rounded, "r"], "to=u", np.union1d(few, self.data["r"]))
            self.call("isin", ["a" + t, "w" + t], "", np.isin(a, self.data["w" + t]))
            some = self.call("slice", ["a" + t], "dim=x start=1 stop=3")
            self.call("isin", ["a" + t, some], "", np.isin(a, a[1:3]))
            self.call("isin", [rounded, some], "invert=1", ~np.isin(few, a[1:3]))
            weights = self.data["b" + t]
            total = np.histogram(self.data["r"], 7, (-2, 2), weights=weights.astype("c16"))[0]
            self.call("histogram", ["r", "b" + t], "bins=7 lo=-2 hi=2 to=bin", total.astype(t), 32)
            total = np.histogram(self.data["r"], 7, (-2, 2), weights=weights.astype("c16"), density=True)[0]
            self.call("histogram", ["r", "b" + t], "bins=7 lo=-2 hi=2 to=bin density=1", total, 1e4 if t == "c16" else 1e10)
        self.check()

    def test_errors_say_what_to_do(self):
        for function, arguments in (("min", "dims=x"), ("argmax", "dims=x"), ("median", "dims=x"), ("quantile", "q=0.5 dims=x"), ("floor", ""), ("arctan2", ""),
                                    ("astype", "dtype=f64"), ("cumprod", "dim=x")):
            self.lines.append(f"call e {function} {'bc8,bc8' if function == 'arctan2' else 'bc8'} - {arguments}")
            self.lines.append("out e")
        lines = self.results(0)
        self.assertEqual([line.split(" ")[1] for line in lines], ["inert"] * 8)
        for line in lines:
            self.assertRegex(line, "c64|complex")
        for line in lines[:3]:
            self.assertIn("no order", line)
        self.assertIn("vv_real()", lines[6])

    def test_files(self):
        """What is written is what h5py reads as complex, whatever is done on the way; a netCDF file holds it as its compound type."""
        for out in ("o.h5", "o.nc"):
            self.done(support.varve("rechunk", "-c", "x=4,y=3,z=5", self.file, "-v", "bc8,wc16", "-o", self.path(out), ranks=2))
            with h5py.File(self.path(out)) as f:
                for name in ("bc8", "wc16"):
                    np.testing.assert_array_equal(f[name][...], self.data[name])
                    self.assertEqual(f[name].dtype, self.data[name].dtype)
        self.done(support.varve("mean", "-d", "x", self.file, "-v", "wc16", "-o", self.path("m.nc"), ranks=0))
        with h5py.File(self.path("m.nc")) as f:
            np.testing.assert_allclose(f["wc16"][...], np.nanmean(self.data["wc16"], 0), rtol=1e-14)


if __name__ == "__main__":
    support.main()
