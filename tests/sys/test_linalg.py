#!/usr/bin/python3
# timeout: 240
"""Factorisations and equations by names of the registry, against what defines them and numpy.linalg: residuals within units of the arithmetic, errors by name. The
same bits on 1 to 4 ranks."""
import numpy as np

import support

EPS = {"f8": 2.3e-16, "f4": 1.2e-7, "c16": 2.3e-16, "c8": 1.2e-7}


def matrices():
    """name: array. Tall ones have several pieces of rows, others one; some have no full rank."""
    r = np.random.default_rng(11)
    flat = r.normal(size=(90, 12))
    flat[:, 7] = flat[:, 3] - 2 * flat[:, 5]
    flat[:, 9] = 0
    scaled = r.normal(size=(700, 9)) * 10.0 ** np.arange(-8, 1)
    def both(*shape):
        return r.normal(size=shape) + 1j * r.normal(size=shape)

    thin = both(20, 3) @ both(3, 6)
    thin[:, 2] = 0
    return {"ztall": both(8300, 64), "zsingle": both(300, 4).astype("c8"), "zthin": thin, "zwide": both(3, 11), "zsquare": both(12, 12), "zunit": np.eye(5) * 1j, "tall": r.normal(size=(45001, 12)), "single": r.normal(size=(3000, 6)).astype("f4"), "flat": flat, "scaled": scaled, "wide": r.normal(size=(7, 40)),
            "square": r.normal(size=(30, 30)), "row": r.normal(size=(1, 5)), "column": r.normal(size=(50, 1)), "zero": np.zeros((20, 4)),
            "whole": r.integers(-9, 10, (40, 6)).astype("i4")}


def widened(a):
    return a.astype("c16" if a.dtype.kind == "c" else "f8")


class Script:
    """Lines for the helper, and what they print, by name."""

    def __init__(self):
        self.lines, self.out = [], {}

    def call(self, name, function, operands, arguments=""):
        self.lines.append(f"call {name} {function} {','.join(operands) or '-'} - {arguments}")
        return name

    def want(self, name):
        self.lines.append(f"out {name}")

    def read(self, text):
        for line in text.splitlines():
            name, dtype, *rest = line.split(" ")
            if dtype == "inert":
                self.out[name] = " ".join(rest)
                continue
            dims = [d.split(":") for d in rest[0].split(",") if d]
            kind = {"f64": "f8", "f32": "f4", "i64": "i8", "c64": "c8", "c128": "c16"}[dtype]
            self.out[name] = np.frombuffer(bytes.fromhex(rest[1]), kind).reshape([int(n) for _, n in dims])
            self.out[name + ".dims"] = [d for d, _ in dims]


class Linalg(support.Case):
    def run_on(self, script, *all_ranks):
        program = support.helper("trees")
        if program is None:
            self.skipTest("the helper program trees is not built")
        path = self.path("script")
        with open(path, "w") as f:
            f.write("\n".join(script.lines) + "\n")
        first = None
        for ranks in (0, *all_ranks):
            text = self.done(support.run(support.command(program, [path], ranks), timeout=100)).out
            first = first or text
            self.assertEqual(text == first, True, f"other bits on {ranks} ranks")
        script.read(first)
        return script.out

    def files(self, script, arrays):
        for name, a in arrays.items():
            dims = (name + "_r", name + "_c")[:a.ndim]
            parts = {name + "_re": a.real, name + "_im": a.imag} if a.dtype.kind == "c" else {name: a}
            path = support.make(self.path(name + ".nc"), dict(zip(dims, a.shape)), {n: (dims, x, {}) for n, x in parts.items()})
            script.lines += [f"open {n} {path} {n}" for n in parts]
            if len(parts) == 2:
                script.call(name, "make_complex", list(parts))

    def near(self, got, want, bound, name):
        self.assertEqual(got.shape, want.shape, name)
        error = np.max(np.abs(widened(got) - want), initial=0)
        self.assertLessEqual(error, bound, f"{name}: off by {error:.3g}")

    def test_factors(self):
        script, arrays = Script(), matrices()
        self.files(script, arrays)
        for name in arrays:
            for function, parts in (("qr", "qr"), ("svd", "usv")):
                for part in parts:
                    script.want(script.call(f"{name}.{function}.{part}", function, [name], f"to=k part={part}"))
        out = self.run_on(script, 2, 4)
        for name, a in arrays.items():
            self.check_qr(name, a, out)
            self.check_svd(name, a, out)

    def check_qr(self, name, a, out):
        q, r = out[f"{name}.qr.q"], out[f"{name}.qr.r"]
        rank, eps = min(a.shape), EPS.get(a.dtype.str[1:], EPS["f8"])
        self.assertEqual((q.shape, r.shape), ((a.shape[0], rank), (rank, a.shape[1])), name)
        self.assertEqual(out[f"{name}.qr.q.dims"] + out[f"{name}.qr.r.dims"], [f"{name}_r", "k", "k", f"{name}_c"])
        wide, scale = widened(a), np.linalg.norm(widened(a))
        self.near(widened(q) @ r, wide, 20 * eps * max(scale, 1e-300), f"q r of {name}")
        self.near(widened(q).T.conj() @ q, np.eye(rank), 50 * eps, f"q' q of {name}")
        self.assertEqual(np.count_nonzero(np.tril(r, -1)), 0, name)
        self.assertTrue((np.diag(r).real >= 0).all() and (np.diag(r).imag == 0).all(), name)
        if name not in ("flat", "zero", "zthin"):
            self.near(np.abs(r), np.abs(np.linalg.qr(wide)[1]), 100 * eps * scale, f"r of {name}")

    def check_svd(self, name, a, out):
        u, s, v = (out[f"{name}.svd.{p}"] for p in "usv")
        rank, eps = min(a.shape), EPS.get(a.dtype.str[1:], EPS["f8"])
        wide = widened(a)
        want = np.linalg.svd(wide, compute_uv=False)
        self.assertEqual(out[f"{name}.svd.u.dims"] + out[f"{name}.svd.s.dims"] + out[f"{name}.svd.v.dims"], [f"{name}_r", "k", "k", "k", f"{name}_c"])
        self.near(s, want, 20 * eps * want[0], f"singular values of {name}")
        if name == "tall":
            self.assertLessEqual(np.max(np.abs(s / want - 1)), 1e-13)
        self.near(widened(u) * s @ v, wide, 50 * eps * want[0], f"u s v of {name}")
        self.near(widened(u).T.conj() @ u, np.eye(rank), 50 * eps, f"u' u of {name}")
        self.near(widened(v) @ v.T.conj(), np.eye(rank), 50 * eps, f"v v' of {name}")

    def test_of_kept_dimensions(self):
        """Means of single precision that keep their dimensions, which a step converts: a number as a matrix, a row, and a stack of one matrix."""
        script, x = Script(), np.random.default_rng(15).normal(size=(6, 4, 5)).astype("f4")
        path = support.make(self.path("x.nc"), {"t": 6, "r": 4, "c": 5}, {"x": (("t", "r", "c"), x, {}), "y": (("r", "c"), x[0], {})})
        script.lines += [f"open {name} {path} {name}" for name in "xy"]
        script.call("number", "mean", ["y"], "dims=r,c keep_dims=1")
        script.call("row", "mean", ["y"], "dims=r keep_dims=1")
        script.call("stack", "mean", ["x"], "dims=t keep_dims=1")
        script.call("named", "rename", ["row"], "dim=r to=one")
        script.want(script.call("product", "matmul", ["named", "y"], "dim=c"))
        script.call("turned", "rename", ["number"], "dim=c to=one")
        script.want(script.call("square", "matmul", ["number", "turned"], "dim=r"))
        script.want(script.call("inverse", "inverse", ["number"]))
        for name in ("number", "row", "stack"):
            for function, parts in (("qr", "qr"), ("svd", "usv")):
                for part in parts:
                    script.want(script.call(f"{name}.{part}{function}", function, [name], f"to=k part={part}"))
        out = self.run_on(script, 1, 2, 3, 4)
        wide = x.astype("f8")
        means = {"number": wide[0].mean((0, 1), keepdims=True), "row": wide[0].mean(0, keepdims=True), "stack": wide.mean(0, keepdims=True)}
        for name, a in means.items():
            k = min(a.shape[-2:])
            self.near(out[f"{name}.qqr"].astype("f8") @ out[f"{name}.rqr"], a, 1e-6, f"q r of {name}")
            self.near(np.abs(out[f"{name}.rqr"]), np.abs(np.linalg.qr(a)[1]), 2e-6, f"r of {name}")
            self.near(out[f"{name}.ssvd"], np.linalg.svd(a)[1], 1e-6, f"singular values of {name}")
            u, v = out[f"{name}.usvd"].astype("f8"), out[f"{name}.vsvd"]
            self.assertEqual((u.shape, v.shape), ((*a.shape[:-1], k), (*a.shape[:-2], k, a.shape[-1])))
            self.near(u * out[f"{name}.ssvd"][..., None, :] @ v, a, 1e-6, f"u s v of {name}")
        self.near(out["product"], means["row"] @ wide[0].T, 1e-6, "row times matrix")
        self.near(out["square"].ravel(), means["number"].ravel() ** 2, 1e-6, "number times itself")
        self.near(out["inverse"], 1 / means["number"], 1e-4 / means["number"].item() ** 2, "inverse of a number")

    def test_equations(self):
        script, arrays, r = Script(), {}, np.random.default_rng(12)
        for n in (1, 5, 300, 600):  # up to three blocks of columns
            a = r.normal(size=(n, n))
            b, v = r.normal(size=(n, 300 if n == 300 else 3)), r.normal(size=n)
            s = a @ a.T + n * np.eye(n)
            path = support.make(self.path(f"{n}.nc"), {"r": n, "c": n, "k": b.shape[1]},
                                {"a": (("r", "c"), a, {}), "b": (("k", "r"), b.T, {}), "v": (("r",), v, {}), "s": (("r", "c"), s, {})})
            arrays[n] = a, b, v, s
            script.lines += [f"open {name}{n} {path} {name}" for name in "abvs"]
            script.call(f"lower{n}", "tril", [f"a{n}"], "rows=r columns=c")
            for name, function, operands, arguments in (
                    ("chol", "cholesky", "s", ""), ("l", "lu", "a", "to=k part=l"), ("u", "lu", "a", "to=k part=u"), ("order", "lu", "a", "to=k part=order"),
                    ("x", "solve", "ab", ""), ("xv", "solve", "av", ""), ("inv", "inverse", "a", ""), ("tl", "solve_triangular", "sb", "which=lower"),
                    ("tu", "solve_triangular", "sv", "which=upper")):
                if n < 600 or name in ("chol", "l", "u", "order", "x"):
                    script.want(script.call(f"{name}{n}", function, [f"{o}{n}" for o in operands], arguments))
        out = self.run_on(script, 2, 3)
        for n, given in arrays.items():
            self.check_equations(n, *given, {name[:-len(str(n))]: value for name, value in out.items() if name.endswith(str(n))})
            self.assertEqual([out[f"{name}{n}.dims"] for name in ("chol", "l", "u", "order", "x")], [["r", "c"], ["r", "k"], ["k", "c"], ["k"], ["c", "k"]])

    def check_equations(self, n, a, b, v, s, got):
        eps, size = EPS["f8"], np.abs(a).max() * n
        self.near(got["chol"], np.linalg.cholesky(s), 50 * eps * np.abs(s).max(), f"Cholesky factor of {n}")
        self.assertEqual(np.count_nonzero(np.triu(got["chol"], 1)) + np.count_nonzero(np.triu(got["l"], 1)) + np.count_nonzero(np.tril(got["u"], -1)), 0)
        self.assertEqual(sorted(got["order"]), list(range(n)))
        self.assertTrue((np.diag(got["l"]) == 1).all() and np.abs(got["l"]).max() <= 1)
        self.near(got["l"] @ got["u"], a[got["order"]], 20 * eps * size, f"l u of {n}")

        def solves(name, matrix, rhs):
            x = got[name]
            bound = 20 * eps * n * np.abs(matrix).max() * max(np.abs(x).max(), 1)
            self.near(matrix @ x, rhs, bound, f"{name} of {n}")

        solves("x", a, b)
        if n < 600:
            solves("inv", a, np.eye(n))
            solves("xv", a, v)
            solves("tl", np.tril(s), b)
            solves("tu", np.triu(s), v)

    def test_complex_equations(self):
        script, r, arrays = Script(), np.random.default_rng(14), {}
        for n in (4, 300):
            a, b = (r.normal(size=(n, m)) + 1j * r.normal(size=(n, m)) for m in (n, 3))
            arrays[n] = a, b, a @ a.T.conj() + n * np.eye(n)
            names = [f"a{n}", f"b{n}", f"s{n}"]
            self.files(script, dict(zip(names, arrays[n])))
            script.call(f"bb{n}", "rename", [f"b{n}"], f"dim=b{n}_r to=a{n}_r")
            for name, function, operands, arguments in (("chol", "cholesky", "s", ""), ("l", "lu", "a", "to=k part=l"), ("u", "lu", "a", "to=k part=u"),
                                                        ("order", "lu", "a", "to=k part=order"), ("x", "solve", ["a", "bb"], ""), ("inv", "inverse", "a", ""), ("y", "lstsq", ["a", "bb"], "")):
                script.want(script.call(f"{name}.{n}", function, [f"{o}{n}" for o in operands], arguments))
        out = self.run_on(script, 2)
        for n, (a, b, s) in arrays.items():
            eps, size = EPS["c16"], np.abs(a).max() * n
            self.near(out[f"chol.{n}"], np.linalg.cholesky(s), 50 * eps * np.abs(s).max(), f"Cholesky factor of {n}")
            self.near(out[f"l.{n}"] @ out[f"u.{n}"], a[out[f"order.{n}"]], 20 * eps * size, f"l u of {n}")
            self.assertEqual(sorted(out[f"order.{n}"]), list(range(n)))
            for name, rhs in (("x", b), ("inv", np.eye(n)), ("y", b)):
                x = out[f"{name}.{n}"]
                self.near(a @ x, rhs, 50 * eps * n * np.abs(a).max() * max(np.abs(x).max(), 1), f"{name} of {n}")

    def test_compositions(self):
        script, r = Script(), np.random.default_rng(13)
        a, b = r.normal(size=(400, 7)), r.normal(size=(400, 2))
        a[:, 4] = a[:, 2]
        low = r.normal(size=(300, 6)) @ r.normal(size=(6, 90)) + 1e-9 * r.normal(size=(300, 90))
        one = r.normal(size=(9, 11))
        one[2, 3] = 0
        path = support.make(self.path("in.nc"), {"r": 400, "c": 7, "k": 2, "y": 300, "x": 90, "p": 9, "q": 11},
                            {"a": (("r", "c"), a, {}), "b": (("r", "k"), b, {}), "low": (("y", "x"), low, {}), "one": (("p", "q"), one, {}),
                             "whole": (("p", "q"), np.rint(4 * one).astype("i2"), {})})
        script.lines += [f"open {name} {path} {name}" for name in ("a", "b", "low", "one", "whole")]
        script.want(script.call("x", "lstsq", ["a", "b"]))
        for part in "usv":
            script.want(script.call(f"c.{part}", "svd_compressed", ["low"], f"to=m k=4 part={part} iterations=2 seed=5"))
        orders = ("fro", "nuc", "1", "-1", "2", "-2", "inf", "-inf")
        for order in orders:
            script.want(script.call(f"norm.{order}", "matrix_norm", ["one"], f"order={order}"))
        powers = ("inf", "-inf", "0", "1", "2", "3.5")
        for p in powers:
            script.want(script.call(f"vectors.{p}", "vector_norm", ["one"], f"p={p} dims=q"))
        for k in (0, 2, -3):
            script.want(script.call(f"trace.{k}", "trace", ["whole"], f"rows=p columns=q k={k}"))
        out = self.run_on(script, 4)
        self.near(out["x"], np.linalg.lstsq(a, b, rcond=None)[0], 1e-12, "least squares")
        self.assertEqual(out["x.dims"], ["c", "k"])
        values = np.linalg.svd(low, compute_uv=False)
        self.near(out["c.s"], values[:4], 1e-9 * values[0], "compressed values")
        self.near(np.abs(out["c.u"].T @ low @ out["c.v"].T), np.diag(values[:4]), 1e-7 * values[0], "compressed vectors")
        for order in orders:
            want = np.linalg.norm(one, order if order in ("fro", "nuc") else float(order))
            self.near(out[f"norm.{order}"], np.array(want), 1e-14 * want, f"norm {order}")
        for p in powers:
            self.near(out[f"vectors.{p}"], np.linalg.norm(one, float(p), axis=1), 1e-14 * 30, f"norm of order {p}")
        for k in (0, 2, -3):
            self.assertEqual(int(out[f"trace.{k}"]), np.trace(np.rint(4 * one), k), f"trace {k}")

    def test_errors(self):
        script, wrong = Script(), np.eye(300)
        wrong[280, 280] = -2
        singular = np.ones((4, 4)) + np.eye(4)
        singular[3] = singular[1]
        self.files(script, {"a": np.arange(12.0).reshape(4, 3), "line": np.arange(3.0), "bad": np.array([[1, np.nan], [0, 1]]), "wrong": wrong, "singular": singular})
        script.call("b", "zeros", [], "dims=singular_r:4")
        cases = (("qr", ["line"], "to=k part=q", "QR of 'line', which has 1 dimensions: a matrix has two"),
                 ("qr", ["a"], "to=a_c part=q", "'a' has a dimension 'a_c' already"),
                 ("svd", ["a"], "to=k part=w", "svd: part=w is none of u, s, v"),
                 ("svd", ["bad"], "to=k part=s", "'bad': a matrix with NaN or infinite elements has no singular values"),
                 ("cholesky", ["wrong"], "", "'wrong': the matrix is not positive definite: pivot 280 is -2"),
                 ("inverse", ["a"], "", "inverse of 'a' (a_r: 4, a_c: 3), which is not square"),
                 ("solve", ["singular", "b"], "", "the matrix is singular: pivot 3 is 0"),
                 ("solve", ["singular", "line"], "", "'singular' (singular_r: 4, singular_c: 4) and 'line' (line_r: 3), which needs 'singular_r'"),
                 ("solve_triangular", ["singular", "b"], "which=left", "a triangle is lower or upper, not 'left'"))
        for i, (function, operands, arguments, _) in enumerate(cases):
            script.want(script.call(f"e{i}", function, operands, arguments))
        out = self.run_on(script, 3)
        for i, case in enumerate(cases):
            self.assertIn(case[3], out[f"e{i}"])


if __name__ == "__main__":
    support.main()
