#!/usr/bin/python3
# cores: 1
# builds: release
"""Statistics that order values, place them or weigh them (order.c), against NumPy; and the same bits on 1, 2, 3 and 4 ranks."""
import re
import warnings

import numpy as np

import support
from support import make, raw_bytes, values

RANKS = (0, 2, 3, 4)
SHAPE, DIMS = (61, 7, 10), ("time", "lat", "lon")
OVER = [(0,), (1,), (2,), (0, 2), (0, 1, 2)]


def lanes(x, axes):
    """x with the axes together as the last one, in order."""
    kept = [d for d in range(x.ndim) if d not in axes]
    return np.transpose(x, kept + list(axes)).reshape([x.shape[d] for d in kept] + [-1])


class Order(support.Case):
    def inputs(self):
        random = np.random.default_rng(5)
        x = np.round(random.normal(0, 3, SHAPE), 1).astype("f4")  # rounded: there are ties
        x[random.random(SHAPE) < 0.1] = np.nan
        x[:, 2, 3] = np.nan
        x[5, 4, 4] = np.inf
        i = random.integers(-4, 5, SHAPE).astype("i4")
        w = random.random(SHAPE[1:])
        w[1] = 0
        return x, i, w

    def run_all(self):
        program = support.helper("order")
        if program is None:
            self.skipTest("the helper program order is not built")
        x, i, w = self.inputs()
        path = make(self.path("in.nc"), dict(zip(DIMS, SHAPE)),
                    {"x": (DIMS, x, dict(chunksizes=(7, 3, 4), zlib=True)), "i": (DIMS, i, {}), "w": (DIMS[1:], w, {})})
        reference = None
        for ranks in RANKS:
            out = self.path(f"out{ranks}.nc")
            self.done(support.run(support.command(program, [path, out], ranks), timeout=120))
            got = raw_bytes(out)
            reference = reference or got
            for name, bits in got.items():
                self.assertEqual(bits, reference[name], f"{name} on {ranks} ranks")
        return x, i, w, {name: values(out, name) for name in reference}

    def equal(self, got, want, name):
        self.assertEqual(got.shape, np.shape(want), name)
        np.testing.assert_array_equal(got, want, name)

    def close(self, got, want, name, tolerance=2e-6):
        self.assertEqual(got.shape, np.shape(want), name)
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=1e-5, equal_nan=True, err_msg=name)

    def check_weighted(self, x, w, got):
        wide = x.astype("f8")
        wide[np.isinf(wide)] = np.nan  # sums with it are compared by being infinite
        infinite = np.isinf(x).any(axis=(1, 2))
        with np.errstate(all="ignore"):
            there = np.where(np.isnan(x), 0, w)
            total = there.sum(axis=(1, 2))
            mean = np.nansum(wide * w, axis=(1, 2)) / total
            var = np.nansum(w * (wide - mean[:, None, None]) ** 2, axis=(1, 2)) / total
            want = {"sum": np.nansum(wide * w, axis=(1, 2)), "mean": mean, "var": var, "std": np.sqrt(var)}
            for name, right in want.items():
                self.close(got[f"w_{name}"][~infinite], right[~infinite], name)
            self.close(got["w_sum_of_weights"], total, "sum_of_weights")
            kept = np.average(x.astype("f8"), axis=1, weights=np.broadcast_to(w, x.shape))
            self.close(got["wk_mean"], kept, "mean with NaN")
            self.close(got["wk_sum"], (x * w).sum(axis=1), "sum with NaN")

    def check_moments(self, x, got):
        with np.errstate(all="ignore"):
            wide = x.astype("f8")
            mean = np.nansum(wide, axis=0) / (~np.isnan(x)).sum(axis=0)
            for n in range(6):
                apart = (wide - mean) ** n
                right = np.nansum(np.where(np.isnan(wide), np.nan, apart), axis=0) / (~np.isnan(x)).sum(axis=0)
                if n < 2:
                    right = np.where(np.isnan(mean), np.nan, 1 - n)
                finite = ~np.isinf(x).any(axis=0)
                self.close(got[f"moment_{n}"][finite], right[finite], f"moment {n}", 2e-5)

    def check_places(self, x, i, got):
        for k, axes in enumerate(OVER):
            flat, numbers = lanes(x, axes), lanes(i, axes)
            nothing = np.isnan(flat).all(axis=-1)
            right = np.where(nothing, -1, np.argmin(np.where(np.isnan(flat), np.inf, flat), axis=-1))
            self.equal(got[f"argmin_{k}"], right, f"argmin over {axes}")
            self.equal(got[f"argmink_{k}"], np.argmin(flat, axis=-1), f"argmin over {axes} with NaN")
            self.equal(got[f"argmax_{k}"], np.argmax(numbers, axis=-1), f"argmax over {axes}")
            self.equal(got[f"nonzero_{k}"], np.count_nonzero(numbers, axis=-1), f"count_nonzero over {axes}")
            spread = np.fmax.reduce(flat, axis=-1) - np.fmin.reduce(flat, axis=-1)
            self.equal(got[f"ptp_{k}"], spread, f"ptp over {axes}")

    def check_quantiles(self, x, i, got):
        quantiles = np.array([0, 0.1, 0.25, 0.5, 0.75, 0.95, 1])
        methods = ["linear", "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf",
                   "hazen", "weibull", "median_unbiased", "normal_unbiased", "lower", "higher", "midpoint", "nearest"]
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # nothing but NaN
            for k, axes in enumerate(OVER):
                flat, numbers = lanes(x, axes), lanes(i, axes)
                for method in methods[:1 if k == 1 else None]:
                    # rows of one: of a single lane and quantile NumPy computes in f32
                    if k == 2:
                        right = np.quantile(flat, quantiles, axis=-1, method=method).astype("f4")
                    else:
                        rows = [row[~np.isnan(row)] for row in flat.reshape(-1, flat.shape[-1])]
                        right = [np.quantile(row[None], quantiles, axis=1, method=method)[:, 0] if row.size
                                 else np.full(quantiles.size, np.nan) for row in rows]
                        right = np.moveaxis(np.reshape(right, flat.shape[:-1] + (-1,)), -1, 0).astype("f4")
                    here = got[f"q_{method}_{k}"]
                    finite = ~np.isinf(flat).any(axis=-1)  # inf - inf
                    self.equal(here[:, finite], right[:, finite], f"{method} over {axes}")
                    right = np.quantile(numbers, 0.3, axis=-1, method=method)
                    here = got[f"qi_{method}_{k}"]
                    self.assertEqual(here.dtype, right.dtype if right.dtype.kind == "f" else i.dtype)
                    self.equal(here, right[None] if k % 2 else right, f"{method} over {axes} of integers")
                self.equal(got[f"median_{k}"], np.nanmedian(flat, axis=-1), f"median over {axes}")
                self.equal(got[f"mediani_{k}"], np.median(numbers, axis=-1), f"median over {axes} of integers")

    def check_sorted(self, x, i, got):
        for k in range(3):
            self.equal(got[f"sort_{k}"], np.sort(x, axis=k), f"sort along {k}")
            order = np.argsort(x, axis=k, kind="stable")
            self.equal(got[f"argsort_{k}"], order, f"argsort along {k}")
            n = np.expand_dims((~np.isnan(x)).sum(axis=k), k)
            place = np.arange(4).reshape([-1 if d == k else 1 for d in range(3)])
            self.equal(got[f"least_{k}"], np.where(place < n, order.take(range(4), axis=k), -1), f"least along {k}")
            down = np.sort(np.where(np.isnan(x), -np.inf, x), axis=k)
            top = np.flip(down, axis=k).take(range(5), axis=k)
            self.equal(got[f"top_{k}"], np.where(np.isinf(top) & (top < 0), np.nan, top), f"topk along {k}")
            order = np.argsort(-i, axis=k, kind="stable").take(range(6), axis=k)
            self.equal(got[f"argtop_{k}"], order, f"argtopk along {k}")

    def test_more_than_memory_has(self):
        """Of all elements of an array of which no rank could hold a part: the element is found by its bits."""
        random = np.random.default_rng(6)
        x = np.round(random.normal(0, 3, (4200, 4000)), 3).astype("f4")  # there are ties
        x[random.random(x.shape[0]) < 0.1] = np.nan
        x[7, :5] = -np.inf
        path = make(self.path("long.nc"), {"y": 4200, "x": 4000}, {"v": (("y", "x"), x, {"chunksizes": (100, 4000)})})
        everything = "m = median(v); q = quantile(v, 0.3); low = quantile(v, 0.987, method=lower); w = median(as_f64(v) * 1.1); top = topk(ravel(v, dim=k), k=-6, dim=k); places = argtopk(ravel(v[0:600], dim=k), k=-6, dim=k)"
        out = {}
        for ranks in (0, 3):
            self.done(support.varve("eval", everything, path, "-o", self.path(f"long-{ranks}.nc"), "--memory", "256MB", ranks=ranks))
            out[ranks] = raw_bytes(self.path(f"long-{ranks}.nc"))
        self.assertEqual(out[0], out[3])
        got = {name: values(self.path("long-0.nc"), name) for name in ("m", "q", "low", "w", "top", "places")}
        there = np.sort(x[~np.isnan(x)])
        self.assertEqual(got["m"], np.median(there))
        self.assertEqual(got["q"], np.quantile(there.astype("f8"), 0.3).astype("f4"))
        self.assertEqual(got["low"], np.quantile(there, 0.987, method="lower"))
        self.assertEqual(got["w"], np.median(there.astype("f8") * 1.1))
        np.testing.assert_array_equal(got["top"], there[:6])
        np.testing.assert_array_equal(got["places"], np.argsort(x[:600].ravel(), kind="stable")[:6])

    def test_lanes_longer_than_memory(self):
        """Sorted column by column, where lanes in one piece do not fit; in memory that what explain says is enough."""
        random = np.random.default_rng(7)
        x = np.round(random.normal(0, 3, 300007), 3)
        x[random.random(x.size) < 0.01] = np.nan
        x[:4] = np.inf, -np.inf, -0.0, 0.0
        i = random.integers(-99, 99, (3, 90001, 2)).astype("i2")
        path = make(self.path("lane.nc"), {"n": x.size, "a": 3, "m": 90001, "b": 2},
                    {"x": (("n",), x, {"chunksizes": (40000,)}), "i": (("a", "m", "b"), i, {})})
        results = {"sx": ("sort(x, dim=n)", np.sort(x)), "ax": ("argsort(x, dim=n)", np.argsort(x, kind="stable")),
                   "si": ("sort(i, dim=m)", np.sort(i, 1)), "ai": ("argsort(i, dim=m)", np.argsort(i, 1, kind="stable")),
                   "ti": ("rename(topk(i, k=50000, dim=m), dim=m, to=k)", np.sort(i, 1)[:, :-50001:-1]),
                   "pi": ("rename(argtopk(i, k=70000, dim=m), dim=m, to=p)", np.argsort(-i, 1, kind="stable")[:, :70000])}
        everything = "; ".join(f"{name} = {text}" for name, (text, _) in results.items())
        most = self.done(support.varve("eval", everything, path, "-o", self.path("none.nc"), "--memory", "1GB", "--explain")).out
        self.assertNotIn("columns", most)
        reference = None
        for ranks in (0, 3):
            said = support.varve("eval", everything, path, "-o", self.path("none.nc"), "--memory", "1MB", ranks=ranks)
            self.assertEqual(said.code, 4, said)
            budget, out = support.suggested_budget(said.err), self.path(f"lane{ranks}.nc")
            plan = self.done(support.varve("eval", everything, path, "-o", out, "--memory", budget, "--explain", ranks=ranks)).out
            self.assertIn("with lanes in one piece a rank would need", plan)
            self.done(support.varve("eval", everything, path, "-o", out, "--memory", budget, ranks=ranks))
            got = raw_bytes(out)
            reference = reference or got
            self.assertEqual(got, reference, f"on {ranks} ranks")
        for name, (text, right) in results.items():
            self.equal(values(self.path("lane0.nc"), name), right, text)

    def test_different_ones_in_the_memory_that_was_asked_for(self):
        """Of a million elements all are different: what is found lies on rank 0 beside the plan that finds it."""
        x = np.random.default_rng(8).random(1000000)
        path = make(self.path("many.nc"), {"n": x.size}, {"x": (("n",), x, {})})
        said = support.varve("eval", "u = unique(x, to=k)", path, "-o", self.path("u.nc"), "--memory", "32MB")
        self.assertEqual(said.code, 4, said)
        budget = support.suggested_budget(said.err)
        done = self.done(support.varve("eval", "u = unique(x, to=k)", path, "-o", self.path("u.nc"), "--memory", budget, "--stats"))
        self.assertLessEqual(int(re.search(r" peak=(\d+)", done.err)[1]), int(budget.removesuffix("MB")) * 1000000)
        self.equal(values(self.path("u.nc"), "u"), np.unique(x), "unique")

    def test_lanes_that_no_memory_has(self):
        """More elements than a lane in one piece may have are sorted in no other way, whatever the budget."""
        plan = self.done(support.varve("eval", "s = argsort(random(kind=normal, dims=\"n:3000000000\", seed=1), dim=n)", "-o", self.path("huge.nc"), "--memory", "4GB", "--explain")).out
        self.assertIn("columns sorted, 1 of 3", plan)
        self.assertNotIn("refused", plan)

    def test_everything(self):
        x, i, w, got = self.run_all()
        self.check_weighted(x, w, got)
        self.check_moments(x, got)
        self.check_places(x, i, got)
        self.check_quantiles(x, i, got)
        self.check_sorted(x, i, got)


if __name__ == "__main__":
    support.main()
