"""Scripts of array functions whose results NumPy has computed, too: run by the helper program trees on one process and on several ranks."""
import numpy as np

import support
import trees_model as model


class ScriptCase(support.Case):
    """Lines of a script, and what its outputs must be, within so many units in the last place of the largest number that plays a part."""

    def setUp(self):
        super().setUp()
        self.program = support.helper("trees")
        if self.program is None:
            self.skipTest("the helper program trees is not built")
        self.lines, self.want = [], {}

    def call(self, function, operands, arguments="", want=None, ulps=0, scale=None):
        name = f"n{len(self.lines)}"
        self.lines.append(f"call {name} {function} {','.join(operands) or '-'} - {arguments}")
        if want is not None:
            self.lines.append(f"out {name}")
            self.want[name] = (np.asarray(want), ulps, scale, f"{function}({', '.join(operands)}) {arguments}")
        return name

    def results(self, ranks, env=None):
        path = self.path(f"script-{ranks}")
        with open(path, "w") as f:
            f.write("\n".join(self.lines) + "\n")
        return self.done(support.run(support.command(self.program, [path], ranks), timeout=60, env=env)).out.splitlines()

    def check(self, ranks=(2, 3)):
        alone = self.results(0)
        self.assertEqual(len(alone), len(self.want))
        for line in alone:
            name, dtype, *rest = line.split(" ", 3)
            want, ulps, scale, what = self.want[name]
            self.assertNotEqual(dtype, "inert", f"{what}: {line}")
            self.assertEqual(dtype, model.varve_type(want.dtype), what)
            got = np.frombuffer(bytes.fromhex(rest[1]), want.dtype)
            self.assertEqual(got.size, want.size, what)
            self.near(got, want.ravel(), ulps, scale, what)
        for n in ranks:
            self.assertEqual(self.results(n), alone, f"{n} ranks")

    def near(self, got, want, ulps, scale, what):
        same = (got == want) | np.isnan(got) & np.isnan(want)
        if want.dtype.kind in "fc":
            size = np.full(want.shape, scale) if scale else np.where(np.isfinite(want), np.abs(want), 0)
            parts = ((got.real, want.real), (got.imag, want.imag)) if want.dtype.kind == "c" else ((got, want),)
            same = np.ones(want.shape, bool)
            for g, w in parts:
                with np.errstate(invalid="ignore"):
                    same &= (g == w) | np.isnan(g) & np.isnan(w) | (np.abs(g - w) <= ulps * np.finfo(want.dtype).eps * size)
        self.assertTrue(same.all(), f"{what}: {got[~same][:4]} instead of {want[~same][:4]}")
