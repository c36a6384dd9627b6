#!/usr/bin/python3
# cores: 1
# builds: release asan
"""Histograms, bincount and their like, called by name (trees.c), against NumPy: integers and edges bit by bit; and the same bits on 1 to 4 ranks, and with schedules
drawn at random."""
import warnings

import netCDF4
import numpy as np

import support

SHAPE, DIMS = (61, 7, 10), ("time", "lat", "lon")
TYPES = {"bool": "?", "i8": "i1", "i16": "i2", "i32": "i4", "i64": "i8", "u8": "u1", "u16": "u2", "u32": "u4", "u64": "u8", "f32": "f4", "f64": "f8"}


class Counting(support.Case):
    def setUp(self):
        super().setUp()
        self.program = support.helper("trees")
        if self.program is None:
            self.skipTest("the helper program trees is not built")
        random = np.random.default_rng(7)
        self.data = {"f": random.normal(0, 3, SHAPE).astype("f4"), "d": np.round(random.normal(0, 3, SHAPE), 1), "i": random.integers(-9, 12, SHAPE).astype("i2"),
                     "n": random.integers(0, 40, SHAPE).astype("i4"), "w": random.integers(0, 9, SHAPE).astype("f4"), "r": random.random(SHAPE),
                     "v": random.integers(-3, 4, SHAPE[1:]).astype("i8"), "u": random.integers(0, 5, SHAPE).astype("u1")}
        self.data["d"][random.random(SHAPE) < 0.1] = np.nan
        self.data["d"][3, 2, 1] = np.inf
        self.path_in = self.path("in.nc")
        with netCDF4.Dataset(self.path_in, "w") as f:
            for d, n in zip(DIMS, SHAPE):
                f.createDimension(d, n)
            for i, (name, x) in enumerate(self.data.items()):
                v = f.createVariable(name, x.dtype, DIMS[-x.ndim:], fill_value=False, chunksizes=[(9, 3, 4), (17, 7, 10), (1, 7, 3)][i % 3][-x.ndim:])
                v.set_auto_mask(False)
                v[...] = x

    def results(self, calls, ranks=0, env=None, before=()):
        """What each call gives, a line; before: calls whose results have names."""
        path = self.path(f"script{ranks}")
        with open(path, "w") as f:
            f.writelines(f"open {name} {self.path_in} {name}\n" for name in self.data)
            f.writelines(f"call {name} {function} {operands} - {words}\n" for function, operands, words, name in before)
            for i, (function, operands, words) in enumerate(calls):
                f.write(f"call c{i} {function} {operands} - {words}\nout c{i}\n")
        return self.done(support.run(support.command(self.program, [path], ranks), timeout=120, env=env)).out.splitlines()

    def values(self, line):
        """(dimensions, array), or the message of a failure."""
        name, dtype, *rest = line.split(" ")
        if dtype == "inert":
            return " ".join(rest)
        dims = [x.split(":") for x in rest[0].split(",") if x]
        array = np.frombuffer(bytes.fromhex(rest[1] if len(rest) > 1 else ""), TYPES[dtype]).reshape([int(n) for _, n in dims])
        return [d for d, _ in dims], array

    def check(self, cases, before=()):
        """(function, operands, words, dimensions, array): equal in type, shape and bits; and on other ranks."""
        calls = [c[:3] for c in cases]
        alone = self.results(calls, before=before)
        for case, line in zip(cases, alone):
            with self.subTest(call=case[:3]):
                got, want = self.values(line), np.asarray(case[4])
                self.assertIsInstance(got, tuple, line)
                self.assertEqual((got[0], got[1].shape, got[1].dtype), (case[3], want.shape, want.dtype))
                np.testing.assert_array_equal(got[1], want)
        self.same_on_ranks(calls, alone, before)

    def same_on_ranks(self, calls, alone, before=()):
        for ranks, env in ((2, None), (3, {"VARVE_FUZZ": "3", "VARVE_STORE": "0"})):
            for call, line, other in zip(calls, alone, self.results(calls, ranks, env, before)):
                self.assertTrue(line == other, f"{call}, {ranks} ranks, {env}")

    def lanes(self, x, axes, function):
        kept = [d for d in range(x.ndim) if d not in axes]
        rows = np.transpose(x, kept + list(axes)).reshape([x.shape[d] for d in kept] + [-1])
        return np.apply_along_axis(function, -1, rows)

    def test_histograms(self):
        d, f, i, n, w, u = (self.data[k] for k in "dfinwu")
        inside = np.nan_to_num(d, posinf=0)
        uneven = [-3, -2.5, 0, 0.1, 7]
        count = lambda x, **how: np.histogram(x, **how)[0]
        spread = np.histogram(f, 13)
        cases = [("histogram", "d", "bins=25 lo=-6 hi=6", ["bin"], count(d, bins=25, range=(-6, 6))),
                 ("histogram", "d", "edges=-3,-2.5,0,0.1,7", ["bin"], count(d, bins=uneven)),
                 ("histogram", "d", "bins=1000 lo=-1 hi=1.1 to=x", ["x"], count(d, bins=1000, range=(-1, 1.1))),
                 ("histogram", "f", "bins=13", ["bin"], spread[0]), ("histogram_bin_edges", "f", "bins=13 to=e", ["e"], spread[1]),
                 ("histogram", "dm", "bins=6", ["bin"], count(d[2][~np.isnan(d[2])], bins=6)), ("histogram", "i", "bins=7", ["bin"], count(i, bins=7)), ("histogram_bin_edges", "i", "bins=7 to=e", ["e"], np.histogram_bin_edges(i, 7)),
                 ("histogram", "u", "bins=3 lo=2 hi=2", ["bin"], count(u, bins=3, range=(2, 2))),
                 ("histogram", "d,w", "bins=9 lo=-4 hi=5", ["bin"], count(d, bins=9, range=(-4, 5), weights=w)),
                 ("histogram", "i,n", "edges=-5,0,3,12", ["bin"], count(i, bins=[-5, 0, 3, 12], weights=n)),
                 ("histogram", "f", "bins=8 density=1", ["bin"], np.histogram(f, 8, density=True)[0]),
                 ("histogram", "i", "edges=-9,0,4,20 density=1", ["bin"], np.histogram(i, [-9, 0, 4, 20], density=True)[0])]
        for dims in ("time", "lon", "lat", "time,lon", "lat,lon", "time,lat,lon"):
            axes = [DIMS.index(x) for x in dims.split(",")]
            rest = [x for x in DIMS if x not in dims.split(",")]
            lane = lambda x: count(x, bins=6, range=(-5, 5))
            cases.append(("histogram", "d", f"bins=6 lo=-5 hi=5 dims={dims}", rest + ["bin"], self.lanes(d, axes, lane)))
        self.check(cases, before=[("at", "d", "dim=time position=2", "dm")])

    def test_several_axes(self):
        d, f, i, n, w = (self.data[k] for k in "dfinw")
        flat = lambda *arrays: np.stack([np.broadcast_to(x, SHAPE).ravel().astype("f8") for x in arrays], 1)
        two = np.histogram2d(f.ravel(), i.ravel(), bins=[5, 4])[0]
        three = np.histogramdd(flat(d, f, i), bins=[3, 4, 5], range=[(-4, 4), (-3, 5), (-9, 9)])[0]
        each = np.stack([np.histogram2d(f[t].ravel(), self.data["v"].ravel(), bins=[[-9, 0, 1, 9], [-4, 0, 4]])[0] for t in range(SHAPE[0])])
        cases = [("histogram2d", "f,i", "bins=5;4", ["bin0", "bin1"], two),
                 ("histogramdd", "d,f,i", "bins=3;4;5 lo=-4;-3;-9 hi=4;5;9 to=x;y;z", ["x", "y", "z"], three),
                 ("histogram2d", "f,i,w", "bins=5;4 density=1", ["bin0", "bin1"], np.histogram2d(f.ravel(), i.ravel(), bins=[5, 4], weights=w.ravel(), density=True)[0]),
                 ("histogramdd", "f,i,n", "bins=5;4 weighted=1", ["bin0", "bin1"], np.histogram2d(f.ravel(), i.ravel(), bins=[5, 4], weights=n.ravel())[0]),
                 ("histogram2d", "f,v", "edges=-9,0,1,9;-4,0,4 dims=lat,lon to=x;y", ["time", "x", "y"], each)]
        self.check(cases)

    def test_bincount(self):
        n, w, u = (self.data[k] for k in "nwu")
        cases = [("bincount", "n", "to=k", ["k"], np.bincount(n.ravel())), ("bincount", "n", "to=k least=60", ["k"], np.bincount(n.ravel(), minlength=60)),
                 ("bincount", "n,w", "to=k length=40", ["k"], np.bincount(n.ravel(), weights=w.ravel(), minlength=40)),
                 ("bincount", "u", "to=k length=9 dims=time,lat", ["lon", "k"], self.lanes(u, (0, 1), lambda x: np.bincount(x, minlength=9)))]
        self.check(cases)

    def test_looking_up(self):
        d, f, i, v, u, n = (self.data[k] for k in "dfivun")
        dims = list(DIMS)
        cases = []
        for right in (0, 1):
            for bins in ([-2.5, 0, 0.1, 3], [4, 1.5, 1.5, -3], [7.0], [2, 2, 2]):
                words = f"bins={','.join(map(str, bins))} right={right}"
                cases += [("digitize", o, words, dims, np.digitize(self.data[o], np.array(bins, "f8"), bool(right))) for o in "dfiu"]
            side = "right" if right else "left"
            cases += [("searchsorted", f"{table},{x}", f"right={right}", dims, np.searchsorted(made, self.data[x], side))
                      for table, made in (("du", np.unique(d)), ("iu", np.unique(i)), ("fs", np.sort(f[:, 2, 3]))) for x in "dfiu"]
        cases += [("isin", "d,dt", "", dims, np.isin(d, d[2, 1])), ("isin", "i,v", "", dims, np.isin(i, v)), ("isin", "u,d", "invert=1", dims, np.isin(u, d, invert=True)),
                  ("isin", "v,u", "", dims[1:], np.isin(v, u)), ("isin", "d,i", "", dims, np.isin(d, i))]
        self.check(cases, before=[("unique", "d", "to=x", "du"), ("unique", "i", "to=x", "iu"), ("at", "f", "dim=lat position=2", "f2"), ("at", "f2", "dim=lon position=3", "f23"),
                                  ("sort", "f23", "dim=time", "fs"), ("at", "d", "dim=time position=2", "d2"), ("at", "d2", "dim=lat position=1", "dt")])

    def test_what_is_different(self):
        cases = []
        for name, x in self.data.items():
            values, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
            cases += [("unique", name, "to=k", ["k"], values), ("unique_counts", name, "to=k", ["k"], counts),
                      ("unique_inverse", name, "", list(DIMS[-x.ndim:]), inverse.reshape(x.shape))]
        cases += [("union1d", f"{a},{b}", "to=k", ["k"], np.union1d(self.data[a], self.data[b])) for a, b in ("du", "iv", "fd", "nu", "nf")]
        self.check(cases)

    def test_more_different_elements_than_expected(self):
        """There is room for 65,536 at first."""
        x = np.random.default_rng(9).permutation(np.arange(-50000, 50000, dtype="f8") / 8).reshape(100, 1000)
        x[0, :20] = x[99, :20]
        path = self.path("many.nc")
        with netCDF4.Dataset(path, "w") as f:
            f.createDimension("y", 100)
            f.createDimension("x", 1000)
            f.createVariable("x", "f8", ("y", "x"), chunksizes=(7, 400))[...] = x
        script = self.path("many")
        with open(script, "w") as f:
            f.write(f"open x {path} x\ncall u unique x - to=k\nout u\ncall c unique_counts x - to=k\nout c\n")
        alone = self.done(support.run(support.command(self.program, [script], 0), timeout=120)).out.splitlines()
        values, counts = np.unique(x, return_counts=True)
        np.testing.assert_array_equal(self.values(alone[0])[1], values)
        np.testing.assert_array_equal(self.values(alone[1])[1], counts)
        self.assertTrue(self.done(support.run(support.command(self.program, [script], 3), timeout=120)).out.splitlines() == alone)

    def test_totals_of_reals(self):
        """No order of additions is NumPy's: close to it, the same on any ranks."""
        calls = [("histogram", "f,r", "bins=6 lo=-5 hi=5 dims=lat"), ("histogram", "f,r", "bins=6 lo=-5 hi=5"), ("bincount", "n,r", "to=k")]
        f, r, n = (self.data[k] for k in "frn")
        alone = self.results(calls)
        whole = np.histogram(f, 6, (-5, 5), weights=r)[0]
        np.testing.assert_allclose(self.values(alone[1])[1], whole, rtol=1e-14)
        np.testing.assert_allclose(self.values(alone[0])[1].sum(axis=(0, 1)), whole, rtol=1e-13)
        np.testing.assert_allclose(self.values(alone[2])[1], np.bincount(n.ravel(), weights=r.ravel()), rtol=1e-14)
        self.same_on_ranks(calls, alone)

    def test_refusals(self):
        refused = [("histogram", "d", "bins=5", "between which edges"), ("histogram", "d", "bins=0", "0 bins"), ("histogram", "d", "bins=3 lo=2 hi=1", "from 2 to 1"),
                   ("histogram", "d", "edges=1,0", "ascend"), ("bincount", "d", "to=k", "f64"), ("bincount", "i", "to=k", "negative"),
                   ("histogram", "d", "bins=5 lo=0 hi=1 dims=lat to=lon", "'lon'"), ("bincount", "n", "to=k length=30", "30 counts"), ("digitize", "d", "bins=1,3,2", "ascend or descend"),
                   ("searchsorted", "d,d", "", "3 dimensions"), ("bincount", "i", "to=k length=30", "negative number, -")]
        for ranks in (0, 2):
            lines = self.results([r[:3] for r in refused], ranks)
            for (*call, word), line in zip(refused, lines):
                got = self.values(line)
                self.assertIsInstance(got, str, call)
                self.assertIn(word, got)
            for word in ("bincount", "chunk at (", "rank"):
                self.assertIn(word, self.values(lines[-1]))


if __name__ == "__main__":
    support.main()
