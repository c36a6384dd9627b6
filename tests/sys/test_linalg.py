#!/usr/bin/python3
# timeout: 180
"""Factorisations and equations by names of the registry, against what defines them and numpy.linalg: residuals within units of the arithmetic, errors by name. The
same bits on 1 to 4 ranks."""
import numpy as np

import support

RANKS = (0, 2, 3, 4)
EPS = {"f8": 2.3e-16, "f4": 1.2e-7}


def matrices():
    """name: array. Tall ones have several pieces of rows, others one; some have no full rank."""
    r = np.random.default_rng(11)
    flat = r.normal(size=(90, 12))
    flat[:, 7] = flat[:, 3] - 2 * flat[:, 5]
    flat[:, 9] = 0
    scaled = r.normal(size=(700, 9)) * 10.0 ** np.arange(-8, 1)
    return {"tall": r.normal(size=(45001, 12)), "single": r.normal(size=(3000, 6)).astype("f4"), "flat": flat, "scaled": scaled, "wide": r.normal(size=(7, 40)),
            "square": r.normal(size=(30, 30)), "row": r.normal(size=(1, 5)), "column": r.normal(size=(50, 1)), "zero": np.zeros((20, 4)),
            "whole": r.integers(-9, 10, (40, 6)).astype("i4")}


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
            kind = {"f64": "f8", "f32": "f4", "i64": "i8"}[dtype]
            self.out[name] = np.frombuffer(bytes.fromhex(rest[1]), kind).reshape([int(n) for _, n in dims])
            self.out[name + ".dims"] = [d for d, _ in dims]


class Linalg(support.Case):
    def run_on_all(self, script):
        program = support.helper("trees")
        if program is None:
            self.skipTest("the helper program trees is not built")
        path = self.path("script")
        with open(path, "w") as f:
            f.write("\n".join(script.lines) + "\n")
        first = None
        for ranks in RANKS:
            text = self.done(support.run(support.command(program, [path], ranks), timeout=100)).out
            first = first or text
            self.assertEqual(text == first, True, f"other bits on {ranks} ranks")
        script.read(first)
        return script.out

    def files(self, script, arrays):
        for name, a in arrays.items():
            dims = (name + "_r", name + "_c")[:a.ndim]
            path = support.make(self.path(name + ".nc"), dict(zip(dims, a.shape)), {name: (dims, a, {})})
            script.lines.append(f"open {name} {path} {name}")

    def near(self, got, want, bound, name):
        self.assertEqual(got.shape, want.shape, name)
        error = np.max(np.abs(got.astype("f8") - want), initial=0)
        self.assertLessEqual(error, bound, f"{name}: off by {error:.3g}")

    def test_factors(self):
        script, arrays = Script(), matrices()
        self.files(script, arrays)
        for name in arrays:
            for function, parts in (("qr", "qr"), ("svd", "usv")):
                for part in parts:
                    script.want(script.call(f"{name}.{function}.{part}", function, [name], f"to=k part={part}"))
        out = self.run_on_all(script)
        for name, a in arrays.items():
            self.check_qr(name, a, out)
            self.check_svd(name, a, out)

    def check_qr(self, name, a, out):
        q, r = out[f"{name}.qr.q"], out[f"{name}.qr.r"]
        rank, eps = min(a.shape), EPS.get(a.dtype.str[1:], EPS["f8"])
        self.assertEqual((q.shape, r.shape), ((a.shape[0], rank), (rank, a.shape[1])), name)
        self.assertEqual(out[f"{name}.qr.q.dims"] + out[f"{name}.qr.r.dims"], [f"{name}_r", "k", "k", f"{name}_c"])
        wide, scale = a.astype("f8"), np.linalg.norm(a.astype("f8"))
        self.near(q.astype("f8") @ r, wide, 20 * eps * max(scale, 1e-300), f"q r of {name}")
        self.near(q.T.astype("f8") @ q, np.eye(rank), 50 * eps, f"q' q of {name}")
        self.assertEqual(np.count_nonzero(np.tril(r, -1)), 0, name)
        self.assertTrue((np.diag(r) >= 0).all(), name)
        if name not in ("flat", "zero"):
            self.near(r, np.abs(np.linalg.qr(wide)[1]) * np.sign(r), 100 * eps * scale, f"r of {name}")

    def check_svd(self, name, a, out):
        u, s, v = (out[f"{name}.svd.{p}"] for p in "usv")
        rank, eps = min(a.shape), EPS.get(a.dtype.str[1:], EPS["f8"])
        wide = a.astype("f8")
        want = np.linalg.svd(wide, compute_uv=False)
        self.assertEqual(out[f"{name}.svd.u.dims"] + out[f"{name}.svd.s.dims"] + out[f"{name}.svd.v.dims"], [f"{name}_r", "k", "k", "k", f"{name}_c"])
        self.near(s, want, 20 * eps * want[0], f"singular values of {name}")
        if name == "tall":
            self.assertLessEqual(np.max(np.abs(s / want - 1)), 1e-13)
        self.near(u.astype("f8") * s @ v, wide, 50 * eps * want[0], f"u s v of {name}")
        self.near(u.T.astype("f8") @ u, np.eye(rank), 50 * eps, f"u' u of {name}")
        self.near(v.astype("f8") @ v.T, np.eye(rank), 50 * eps, f"v v' of {name}")

    def test_errors_of_factors(self):
        script = Script()
        self.files(script, {"a": np.arange(12.0).reshape(4, 3), "line": np.arange(3.0), "bad": np.array([[1, np.nan], [0, 1]])})
        for name, function, operand, arguments, message in (
                ("e1", "qr", "line", "to=k part=q", "QR of 'line', which has 1 dimensions: a matrix has two"),
                ("e2", "qr", "a", "to=a_c part=q", "'a' has a dimension 'a_c' already"),
                ("e3", "svd", "a", "to=k part=w", "svd: part=w is none of u, s, v"),
                ("e4", "svd", "bad", "to=k part=s", "'bad': a matrix with NaN or infinite elements has no singular values")):
            script.want(script.call(name, function, [operand], arguments))
            script.out[name + ".message"] = message
        out = self.run_on_all(script)
        for name in ("e1", "e2", "e3", "e4"):
            self.assertIn(out[name + ".message"], out[name])


if __name__ == "__main__":
    support.main()
