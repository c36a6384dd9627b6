#!/usr/bin/python3
# timeout: 300
# builds: release asan
"""Random trees of every function in the registry and of functions of one's own, on data of all types with NaN and infinities, primes and empty dimensions, compared with NumPy
on the same input: what only moves elements and what is exact in IEEE arithmetic must be equal, the rest within a few units of the largest number on the way. Every tree
runs on one process or on 1 to 4 ranks.

Then every function by itself: trees that end in it are computed on 1 to 4 ranks, with other threads, placements and policies, with everything spilled and with schedules
drawn at random; they must have the same bits. And on larger data, which has to be brought together from many chunks, with the least memory that the plan says would do, and with half of what it would
take beyond that: VARVE_BUDGETS
says for how many of the functions (all of them: 1; each 32nd: 32), VARVE_BUDGETS_FIRST from which one on. VARVE_TREES says how many trees, VARVE_TREES_FIRST from which seed on; seeds that failed once are in SEEDS."""
import os
import unittest
import zlib

import h5py
import netCDF4
import numpy as np

import support
import trees_model as model
import trees_ops as ops

FIRST, N = int(os.environ.get("VARVE_TREES_FIRST", 0)), int(os.environ.get("VARVE_TREES", 20000 / support.SLOW))
SEEDS = [540, 4635, 11313, 16926, 3974, 495, 21519, 39714, 67986, 73376, 94210, 85864]  # of trees that failed once
SHAPES, LARGE = [("time", 13), ("lat", 5), ("lon", 7), ("lev", 1)], [("time", 401), ("lat", 61), ("lon", 43)]
BUDGETS, BUDGETS_FIRST = int(os.environ.get("VARVE_BUDGETS", 32)), int(os.environ.get("VARVE_BUDGETS_FIRST", 0))
CASES, INEXACT = {**model.CASES, **ops.CASES}, model.INEXACT | ops.INEXACT
# What NumPy cannot foretell: bits alone.
DRAWN = {"random": ([], "kind=normal dims=lat:6,lon:9 seed=5 chunks=lat:4"), "permutation": (["v0"], "dim={0} seed=3"), "choice": (["v0"], "dim={0} n=5 seed=3 again=1")}
# What NumPy does not have; test_indices.py and unit.reduce compare it.
ELSEWHERE = {"runs", "longest_run", "first_run", "last_run", "run_total"}
NAMES = sorted(CASES) + sorted(ops.OPS) + sorted(ops.SKIPPING)


class Tree:
    """Lines of a script, and what its outputs must be."""

    def __init__(self, seed, variables):
        self.rng, self.seed, self.lines, self.count = np.random.default_rng(seed), seed, [], 0
        self.values = [model.pick(self.rng, variables) for _ in range(int(self.rng.integers(1, 4)))]

    def line(self, function, operands, arguments):
        """Calls a function, and those among its operands that are calls themselves; its name."""
        names = [o.name if isinstance(o, model.Value) else self.line(*o) for o in operands]
        self.count += 1
        self.lines.append(f"call n{self.count} {function} {','.join(names) or '-'} - {arguments}")
        return f"n{self.count}"

    def leaves(self, operands):
        return [v for o in operands for v in ([o] if isinstance(o, model.Value) else self.leaves(o[1]))]

    def keep(self, function, operands, arguments, array, dims, exact, scale=None):
        if np.size(array) > model.MOST or np.ndim(array) > 4 or len(set(dims)) != len(dims):
            return False
        self.values.append(model.Value(self.line(function, operands, arguments), array, dims, self.leaves(operands), exact, scale))
        return True

    def apply(self, name):
        """Whether the function could be applied to some of the values."""
        if name in CASES:
            made = CASES[name](self.rng, model.pick(self.rng, self.values), self.values)
            if made is None:
                return False
            operands, arguments, array, dims, function, scale = (*made, None, None)[:6]
            return self.keep(function or name, operands, arguments, array, dims, name not in INEXACT, scale)
        if name in ops.OPS:
            made = ops.elementwise(self.rng, name, self.values)
            return made is not None and self.keep(name, made[0], "", *made[1:])
        v = model.pick(self.rng, self.values)
        made = ops.reduction(self.rng, name, v)
        return made is not None and self.keep(name, [v], *made)

    def grow(self):
        for _ in range(int(self.rng.integers(2, 9))):
            self.apply(model.pick(self.rng, NAMES))
        return self.lines + [f"out {self.values[-1].name}", "end"]


def ending_in(name, seed, variables, others=()):
    """A small tree whose last function is this one; of the others, too, if it applies to nothing else."""
    for again in range(1000):
        tree = Tree((zlib.crc32(name.encode()), seed, again), variables if again < 20 else [*variables, *others])
        tree.apply(model.pick(tree.rng, NAMES))
        if tree.apply(name):
            return tree
    raise AssertionError(f"{name}: applies to nothing")


def across(variables, opened):
    """The same variables in chunks that lie across those of the files, most of them sorted across these again, so that whatever is computed of them is brought together from many: plans have
    to choose what they hold, and what they put aside. And their greatest elements along a dimension or two, for functions of matrices and vectors."""
    few = np.arange(1, 1 + variables[0].length("lon") / 16, 1 / 16)
    lines, less = [f"call few arange - - dim=lon start=1 stop={few[-1] + 1 / 16} step=0.0625 dtype=f64"], [model.Value("few", few, ["lon"])]
    for i, v in enumerate(variables):
        whole, short = max(v.dims, key=v.length), min(v.dims, key=v.length)
        lines.append(f"call w{i} rechunk {v.name} - chunks=" + ",".join(f"{d}:{-1 if d == whole else max(1, v.length(d) // 9)}" for d in v.dims))
        v.name = f"w{i}"
        if i % 8:
            v.array, v.name = np.sort(v.array, v.dims.index(short)), f"s{i}"
            lines.append(f"call s{i} sort w{i} - dim={short}")
        if v.array.dtype.kind != "c" and i % 2:
            n = 1 + i % 4 // 2
            lines.append(f"call m{i} max {v.name} - dims={','.join(v.dims[:n])}")
            less.append(model.Value(f"m{i}", np.fmax.reduce(v.array, tuple(range(n))), v.dims[n:]))
    return variables, less, opened[:-1] + lines + opened[-1:]


def differs(value, line):
    """Why a line of output is not the value; None when it is."""
    name, dtype, *rest = line.split(" ")
    if dtype in ("inert", "varies"):
        return " ".join([dtype] + rest)
    dims = [x.split(":") for x in rest[0].split(",") if x]
    names, shape = [d for d, _ in dims], tuple(int(n) for _, n in dims)
    if names != value.dims or shape != value.array.shape:
        return f"({rest[0]}) instead of {value.dims} {value.array.shape}"
    if dtype != model.varve_type(value.array.dtype):
        return f"{dtype} instead of {value.array.dtype}"
    got, want = np.frombuffer(bytes.fromhex(rest[1]), value.array.dtype), np.ascontiguousarray(value.array).ravel()
    if want.dtype.kind == "c":
        if not value.exact:  # NumPy's division by a real number spreads NaN to both parts
            got = np.where(np.isnan(want) & np.isnan(got), want, got)
        got, want = (x.view(x.real.dtype) for x in (got, want))
    if want.dtype.kind != "f":
        return None if (got == want).all() else f"{got} instead of {want}"
    same = (got == want) | np.isnan(got) & np.isnan(want)
    if not value.exact:
        with np.errstate(invalid="ignore"):
            same |= np.abs(got.astype("f8") - want) <= (2e-5 if value.single else 1e-10) * value.scale
    return None if same.all() else f"{got[~same][:5]} instead of {want[~same][:5]}"


class Trees(support.Case):
    def setUp(self):
        super().setUp()
        self.program = support.helper("trees")
        if self.program is None:
            self.skipTest("the helper program trees is not built")

    def lines(self, script, ranks, env=None):
        path = self.path(f"script-{ranks}-{''.join((env or {}).values())}")
        with open(path, "w") as f:
            f.write("\n".join(script) + "\n")
        return self.done(support.run(support.command(self.program, [path], ranks), timeout=900, env=env)).out.splitlines()

    def variables(self, shapes=SHAPES):
        """Data of every type in two files: values, and the lines that open them."""
        rng, made, lines = np.random.default_rng(5), [], []
        types = ["f4", "f8", "f8", "f4", *(["i1", "i2", "i4", "i8", "u1", "u4"] if shapes is SHAPES else ["i4", "u4", "i8"] * 2)] * 2 + ["f8", "f4"]
        files = {"nc": netCDF4.Dataset(self.path("data.nc"), "w"), "h5": h5py.File(self.path("data.h5"), "w")}
        for d, n in shapes:
            files["nc"].createDimension(d, n)
            files["h5"][d] = np.arange(n)
            files["h5"][d].make_scale(d)
        for i, dtype in enumerate(types + ["c8", "c16", "c16", "c8"]):
            order = rng.permutation(len(shapes))
            if shapes is SHAPES:
                order = order[:2 if i > len(types) - 3 else int(rng.integers(1, 4))]
            dims, shape = [shapes[k][0] for k in order], [shapes[k][1] for k in order]
            x = rng.integers(-9 if dtype[0] != "u" else 0, 10, shape).astype(dtype) if dtype[0] in "iu" else rng.normal(size=shape).astype(dtype)
            if dtype[0] == "c":
                x.imag = rng.normal(size=shape)
            if dtype[0] in "fc" and i % 3 == 0 and i < len(types):
                x[rng.random(shape) < 0.1] = np.nan
            if dtype[0] == "f" and i % 4 == 3 and i < 20:
                x[rng.random(shape) < 0.1] = np.inf
            if i == len(types):
                x[rng.random(shape) < 0.2] = complex(np.nan, 1)
            chunks, file = [int(rng.integers(1, n + 1)) for n in shape], "h5" if dtype[0] == "c" else "nc"
            if file == "h5":
                v = files[file].create_dataset(f"v{i}", data=x, chunks=tuple(chunks))
                for k, d in enumerate(dims):
                    v.dims[k].attach_scale(files[file][d])
            else:
                v = files[file].createVariable(f"v{i}", dtype, dims, fill_value=False, **({"chunksizes": chunks, "zlib": i % 2 == 0} if i % 4 else {"contiguous": True}))
                v.set_auto_mask(False)
                v[...] = x
            made.append(model.Value(f"v{i}", x, dims, read=True))
            lines.append(f"open v{i} {self.path('data.' + file)} v{i}")
        for f in files.values():
            f.close()
        return made, lines + ["keep"]

    def test_registry_is_covered(self):
        listed = [line.split(" ") for line in self.lines(["list"], 0)]
        self.assertGreater(len(listed), 200)
        for families, known in ((("array", "own"), set(CASES) | set(DRAWN)), (("elementwise",), ops.OPS), (("reduction",), set(ops.SKIPPING) | ELSEWHERE)):
            self.assertEqual({name for family, name, *_ in listed if family in families}, known)

    def compare(self, part, ranks):
        """Every tenth tree, from this one on, on so many ranks."""
        variables, opened = self.variables()
        trees = [Tree(seed, variables) for seed in (SEEDS + list(range(FIRST, FIRST + N)))[part::10]]
        scripts = [t.grow() for t in trees]
        lines = self.lines(opened + [line for script in scripts for line in script], ranks)
        self.assertEqual(len(lines), len(trees))
        for tree, script, line in zip(trees, scripts, lines):
            why = differs(tree.values[-1], line)
            self.assertIsNone(why, f"tree {tree.seed} on {ranks} ranks: {why}\n" + "\n".join(script))

    @unittest.skipIf(support.SLOW > 1, "sanitizers hold memory of their own, each process another amount")
    def test_small_budgets_make_the_same_bits(self):
        model.MOST = 4000000
        variables, less, opened = across(*self.variables(LARGE))
        trees = [ending_in(name, 7, variables, less) for name in NAMES[BUDGETS_FIRST % BUDGETS::BUDGETS]]
        script = [line for tree in trees for line in tree.lines + [f"out {tree.values[-1].name}", "end"]]
        runs = [(0, None), (1, {"VARVE_STORE": "0"}), (2, None), (3, {"VARVE_STORE": "100000"}), (4, None)]
        if BUDGETS > 1:
            runs = [runs[0], runs[1 + BUDGETS_FIRST % 2], runs[3 + BUDGETS_FIRST % 2]]
        alone, *others = support.side_by_side(lambda run: self.lines(opened + ["least" if run[0] else "budgets"] + script, *run), runs)
        self.assertEqual(len(alone), len(trees))
        squeezed = set()
        for run, lines in zip(runs, [alone, *others]):
            for tree, line, first in zip(trees, lines, alone):
                told = f"{run}: {line}\nalone: {first}\n" + "\n".join(tree.lines)
                self.assertNotIn(line.split(" ")[1], ("inert", "varies"), told)
                *what, least, usual = line.split(" ")
                self.assertEqual(what, first.split(" ")[:-2], told)
                if int(usual) - int(least) > 100000:
                    squeezed.add(tree.lines[-1])
        print(f"{len(squeezed)} of {len(trees)} functions had to do with less than they would take")
        self.assertTrue(squeezed)

    def test_every_function_has_the_same_bits(self):
        variables, opened = self.variables()
        trees = [ending_in(name, seed, variables) for name in NAMES for seed in range(2)]
        script = opened + ["vary"]
        for name, (operands, arguments) in DRAWN.items():
            script += [f"call d {name} {','.join(operands) or '-'} - {arguments.format(variables[0].dims[0])}", "out d", "end"]
        for tree in trees:
            script += tree.lines + [f"out {tree.values[-1].name}", "end"]
        runs = [(0, None), (1, {"VARVE_STORE": "0"}), (2, None), (3, {"VARVE_FUZZ": "3"}), (4, {"VARVE_STORE": "3000", "VARVE_FUZZ": "4"})]
        alone, *others = support.side_by_side(lambda run: self.lines(script, *run), runs)
        self.assertEqual(len(alone), len(DRAWN) + len(trees))
        for tree, line in zip(trees, alone[len(DRAWN):]):
            why = differs(tree.values[-1], line)
            self.assertIsNone(why, f"{why}\n" + "\n".join(tree.lines))
        for name, line in zip(DRAWN, alone):
            self.assertNotIn(line.split(" ")[1], ("inert", "varies"), name)
        for (ranks, env), lines in zip(runs[1:], others):
            for k, (line, first) in enumerate(zip(lines, alone)):
                self.assertEqual(line, first, f"{ranks} ranks, {env}\n" + "\n".join(trees[k - len(DRAWN)].lines if k >= len(DRAWN) else [list(DRAWN)[k]]))


for _part, _ranks in enumerate((4, 3, 2, 1, 0, 0, 0, 0, 0, 0)):
    setattr(Trees, f"test_part_{_part}_of_the_trees_on_{_ranks}_ranks", lambda self, part=_part, ranks=_ranks: self.compare(part, ranks))

if __name__ == "__main__":
    support.main(workers=2)
