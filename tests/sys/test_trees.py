#!/usr/bin/python3
# timeout: 300
# builds: release asan
"""Random trees of every function in the registry, on data of all types with NaN and infinities, primes and empty dimensions, compared with NumPy on the same
input: what only moves elements and what is exact in IEEE arithmetic must be equal, the rest within a few units of the largest number on the way. The same
bits on 1 to 4 ranks. VARVE_TREES says how many; seeds that failed once are in SEEDS."""
import os
import subprocess
import warnings

import netCDF4
import numpy as np

import support
import trees_model as model

N = int(os.environ.get("VARVE_TREES", 1000 / support.SLOW))
SEEDS = [540]  # of trees that failed once
SHAPES = [("time", 13), ("lat", 5), ("lon", 7), ("lev", 1)]


class Tree:
    """Lines of a script, and what its outputs must be."""

    def __init__(self, seed, path, variables):
        self.rng, self.path, self.seed = np.random.default_rng(seed), path, seed
        self.lines, self.values, self.count = [], [], 0
        for _ in range(int(self.rng.integers(1, 4))):
            name = model.pick(self.rng, sorted(variables))
            dims, array = variables[name]
            self.keep(model.Value(self.name(), array, dims), f"open {{}} {path} {name}")

    def name(self):
        self.count += 1
        return f"n{self.count}"

    def keep(self, value, line):
        self.lines.append(line.format(value.name))
        self.values.append(value)
        return value

    def call(self, function, operands, arguments, array, dims):
        """A new value of a function, whose operands may be calls themselves."""
        named = [o if isinstance(o, model.Value) else self.call(o[0], [self.values[-1]], o[1], o[2].array, o[2].dims) for o in operands]
        value = model.Value(self.name(), array, dims, named, function not in model.INEXACT)
        return self.keep(value, f"call {{}} {function} {','.join(o.name for o in named) or '-'} - {arguments}")

    def apply(self, function):
        v = model.pick(self.rng, self.values)
        self.values.append(v)
        made = model.CASES[function](self.rng, v, self.values)
        if made is None or np.size(made[2]) > 20000 or np.ndim(made[2]) > 4 or len(set(made[3])) != len(made[3]):
            self.values.pop()
            return
        self.call(function, *made)

    def elementwise(self, function):
        v, other = model.pick(self.rng, self.values), model.pick(self.rng, self.values)
        ufunc = getattr(np, function)
        seen = model.aligned(v, other) if ufunc.nin == 2 else (v.array, v.dims)
        if seen is None or function in model.JUMPS and not (v.exact and other.exact):
            return
        *arrays, dims = seen
        kinds = {a.dtype.kind for a in arrays}
        types = {a.dtype.str[1:] for a in arrays}
        if len(dims) > 4 or len(types) > 1 or types & {"f2", "b1"} and not function.startswith(("logical", "equal", "not_equal")):
            return
        if function in ("negative", "absolute", "subtract") and "u" in kinds or kinds & set("iu") and function not in model.SAME_BITS:
            return
        if types & {"i1", "i2", "u1", "u2"} and function in ("divide", "sqrt", "rint", "floor", "ceil", "trunc", "fabs", "copysign", "signbit", "isnan", "isinf", "isfinite"):
            return  # NumPy computes them in half precision, which Varve does not have
        try:
            with np.errstate(all="ignore"):
                array = ufunc(*arrays)
        except TypeError:
            return
        operands = [v, other][:ufunc.nin]
        value = model.Value(self.name(), array, dims, operands, function in model.SAME_BITS)
        self.keep(value, f"call {{}} {function} {','.join(o.name for o in operands)} - ")

    def reduce(self, function):
        v = model.pick(self.rng, self.values)
        dims = [d for d in v.dims if self.rng.integers(2)]
        axes = tuple(v.dims.index(d) for d in dims)
        kind = v.array.dtype.kind
        if not dims or 0 in v.array.shape or kind == "b" and function not in ("any", "all") or function in ("any", "all") and (kind == "f" or not v.exact):
            return
        if kind == "f" and np.isinf(v.array).any() and function in ("var", "std", "prod"):
            return
        if function == "prod" and v.scale > 9:
            return
        wide = v.array.astype("f8") if kind == "f" and function not in ("min", "max") else v.array
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            array = np.asarray(model.REDUCTIONS[function](wide, axis=axes))
        if kind == "f":
            array = array.astype(v.array.dtype)
        exact = function in ("min", "max", "any", "all") or kind in "iu" and function in ("sum", "prod")
        scale = v.scale * v.array.size if function == "sum" else v.scale ** 2 if function == "var" else v.scale
        value = model.Value(self.name(), array, [d for d in v.dims if d not in dims], [v], exact, scale)
        self.keep(value, f"call {{}} {function} {v.name} - dims={','.join(dims)}")

    def grow(self):
        for _ in range(int(self.rng.integers(2, 9))):
            what = int(self.rng.integers(4))
            if what < 2:
                self.apply(model.pick(self.rng, sorted(model.CASES)))
            elif what == 2:
                self.elementwise(model.pick(self.rng, sorted(model.UFUNCS)))
            else:
                self.reduce(model.pick(self.rng, sorted(model.REDUCTIONS)))
        return self.lines + [f"out {self.values[-1].name}", "end"]


def differs(value, line):
    """Why a line of output is not the value; None when it is."""
    name, dtype, *rest = line.split(" ")
    if dtype == "inert":
        return " ".join(rest)
    dims = [x.split(":") for x in rest[0].split(",") if x]
    names, shape = [d for d, _ in dims], tuple(int(n) for _, n in dims)
    if names != value.dims or shape != value.array.shape:
        return f"({rest[0]}) instead of {value.dims} {value.array.shape}"
    if dtype != model.varve_type(value.array.dtype):
        return f"{dtype} instead of {value.array.dtype}"
    got = np.frombuffer(bytes.fromhex(rest[1]), value.array.dtype).reshape(shape)
    if value.array.dtype.kind != "f":
        return None if (got == value.array).all() else f"{got} instead of {value.array}"
    same = (got == value.array) | np.isnan(got) & np.isnan(value.array)
    if not value.exact:
        with np.errstate(invalid="ignore"):
            near = np.abs(got.astype("f8") - value.array) <= (2e-5 if value.single else 1e-10) * value.scale
        same |= near
    return None if same.all() else f"{got[~same][:5]} instead of {value.array[~same][:5]}"


class Trees(support.Case):
    def setUp(self):
        super().setUp()
        self.program = support.helper("trees")
        if self.program is None:
            self.skipTest("the helper program trees is not built")

    def lines(self, script, ranks):
        path = self.path(f"script-{ranks}")
        with open(path, "w") as f:
            f.write("\n".join(script) + "\n")
        return self.done(support.run(support.command(self.program, [path], ranks), timeout=900)).out.splitlines()

    def variables(self, path):
        """Data of every type in one file: {name: (dimensions, array)}."""
        rng, made = np.random.default_rng(5), {}
        with netCDF4.Dataset(path, "w") as f:
            for d, n in SHAPES:
                f.createDimension(d, n)
            for i, dtype in enumerate(["f4", "f8", "f8", "f4", "i1", "i2", "i4", "i8", "u1", "u4"] * 2):
                order = rng.permutation(4)[:int(rng.integers(1, 4))]
                dims, shape = [SHAPES[k][0] for k in order], [SHAPES[k][1] for k in order]
                x = rng.integers(-9 if dtype[0] != "u" else 0, 10, shape).astype(dtype) if dtype[0] != "f" else rng.normal(size=shape).astype(dtype)
                if dtype[0] == "f" and i % 3 == 0:
                    x[rng.random(shape) < 0.1] = np.nan
                if dtype[0] == "f" and i % 4 == 3:
                    x[rng.random(shape) < 0.1] = np.inf
                chunks = [int(rng.integers(1, n + 1)) for n in shape]
                v = f.createVariable(f"v{i}", dtype, dims, fill_value=False, **({"chunksizes": chunks, "zlib": i % 2 == 0} if i % 4 else {"contiguous": True}))
                v.set_auto_mask(False)
                v[...] = x
                made[f"v{i}"] = (dims, x)
        return made

    def test_registry_is_covered(self):
        listed = [line.split(" ") for line in self.lines(["list"], 0)]
        self.assertGreater(len(listed), 100)
        functions = {name for family, name, *_ in listed if family == "array"}
        self.assertEqual(functions, set(model.CASES) | model.ELSEWHERE)
        operations = {name for family, name, *_ in listed if family != "array"}
        self.assertLessEqual(set(model.UFUNCS) | set(model.REDUCTIONS), operations)

    def test_trees_are_what_numpy_says(self):
        path = self.path("data.nc")
        variables = self.variables(path)
        trees = [Tree(seed, path, variables) for seed in SEEDS + list(range(N))]
        script = [line for t in trees for line in t.grow()]
        alone = self.lines(script, 0)
        self.assertEqual(len(alone), len(trees))
        for tree, line in zip(trees, alone):
            why = differs(tree.values[-1], line)
            self.assertIsNone(why, f"tree {tree.seed}: {why}\n" + "\n".join(tree.lines))
        for ranks in (2, 3, 4):
            self.assertEqual(self.lines(script, ranks), alone, f"{ranks} ranks")


if __name__ == "__main__":
    support.main()
