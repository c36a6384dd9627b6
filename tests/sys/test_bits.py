#!/usr/bin/python3
# timeout: 1200
# cores: 1
# builds: release
"""The same bits whatever the machine: ranks, threads, memory budget and placement must not show in a result, nor in a file.

For each data layout and reduction the plain one-process run is the reference. Every other configuration must give the same bytes in every
variable and, with the clock fixed by SOURCE_DATE_EPOCH, the same file. The history attribute holds the command line; commands are
padded to one length so that it has the same size everywhere, and is blanked before files are compared.
"""
import itertools

import h5py
import numpy as np

import support
from support import SQUEEZED, axis, make, raw_bytes, varve

CLOCK = {"SOURCE_DATE_EPOCH": "1000000000"}
RANKS, THREADS, PLACEMENTS = (1, 2, 3, 4), (1, 2), ("outputs", "leaves", "cyclic")
ROOMY = "2000000000"


def blanked(path):
    """A file's bytes without its history, overwritten in place through HDF5 so that checksums follow."""
    with h5py.File(path, "r+") as f:
        history = h5py.h5a.open(f.id, b"history")
        kind = history.dtype
        if kind.kind != "S":
            raise AssertionError(f"{path}: history is no fixed-length text")
        history.write(np.array(b"." * (kind.itemsize - 1), kind))
    with open(path, "rb") as f:
        return f.read()


class Bits(support.Case):
    def setUp(self):
        super().setUp()
        self.serial = itertools.count()

    def output(self, args):
        """An output name that makes every command line equally long."""
        number = next(self.serial)
        room = 150 - len(" ".join(map(str, args)))
        self.assertGreater(room, 4)
        return self.path(f"{number:04d}" + "x" * room + ".nc")

    def configured(self, common, ranks, threads, budget, placement):
        args = [*common, "--threads", threads, "--memory", budget, "--placement", placement]
        out = self.output(args)
        return out, varve(*args, "-o", out, ranks=ranks, env=CLOCK)

    def tight(self, common, ranks, threads, placement):
        """The smallest budget that this configuration says would do."""
        out = self.path(f"refused{next(self.serial)}.nc")
        result = varve(*common, "--threads", threads, "--memory", "1MB", "--placement", placement, "-o", out, ranks=ranks)
        self.assertEqual(result.code, 4, result)
        return support.suggested_budget(result.messages[0])

    def same_everywhere(self, common, full):
        plain = self.output(common)
        self.run_ok(*common, "-o", plain, env=CLOCK)
        data, file = raw_bytes(plain), blanked(plain)
        budgets = (ROOMY, "tight")
        configurations = list(itertools.product(RANKS, THREADS, budgets, PLACEMENTS))
        if not full:  # every pair of settings still meets
            configurations = [(ranks, THREADS[(i + k) % 2], budgets[(i // 2 + k) % 2], placement)
                              for i, ranks in enumerate(RANKS) for k, placement in enumerate(PLACEMENTS)]

        def one(c):
            ranks, threads, budget, placement = c
            if budget == "tight":
                try:
                    budget = self.tight(common, ranks, threads, placement)
                except AssertionError as error:
                    return None, error
            return self.configured(common, ranks, threads, budget, placement)

        for c, (out, result) in zip(configurations, support.side_by_side(one, configurations)):
            with self.subTest(ranks=c[0], threads=c[1], budget=c[2], placement=c[3]):
                if out is None:
                    raise result
                self.done(result)
                other_data, other_file = raw_bytes(out), blanked(out)
                self.assertEqual(sorted(data), sorted(other_data))
                for name in data:
                    self.assertTrue(data[name] == other_data[name], f"{name} differs in {self.different(data[name], other_data[name])}")
                self.assertEqual(len(file), len(other_file), "file sizes")
                where = [i for i in range(len(file)) if file[i] != other_file[i]] if file != other_file else []
                self.assertEqual(where[:20], [], "bytes of the files that differ")
        self.no_parts(self.dir)

    @staticmethod
    def different(a, b):
        if a[:2] != b[:2]:
            return f"type or shape: {a[:2]} {b[:2]}"
        x, y = np.frombuffer(a[2], "u1"), np.frombuffer(b[2], "u1")
        return f"{np.count_nonzero(x != y)} of {x.size} bytes"

    def cube(self, name, shape=(120, 23, 34), dtype="f4", **options):
        x = (280 + np.random.default_rng(3).normal(0, 20, shape)).astype(dtype)
        x[np.random.default_rng(4).random(shape) < 0.01] = np.nan
        nt, ny, nx = shape
        return make(self.path(name + ".nc"), {"time": nt, "lat": ny, "lon": nx},
                    {"time": axis(nt, "time"), "lat": axis(ny, "lat"), "lon": axis(nx, "lon"), "t2m": (("time", "lat", "lon"), x, options)})

    def test_every_configuration(self):
        path = self.cube("b", chunksizes=(17, 9, 16), **SQUEEZED)
        self.same_everywhere(["mean", "-d", "time", path], full=True)

    def test_reductions(self):
        path = self.cube("b", chunksizes=(17, 9, 16), **SQUEEZED)
        for how, dims in [("std", "time"), ("sum", "lat,lon"), ("var", "time,lat,lon"), ("mean", "lon"), ("max", "time,lon")]:
            with self.subTest(how=how, dims=dims):
                self.same_everywhere([how, "-d", dims, path], full=False)

    def test_layouts(self):
        for name, options in [
            ("contiguous", dict(contiguous=True)),
            ("steps", dict(chunksizes=(1, 23, 34), **SQUEEZED)),
            ("columns", dict(chunksizes=(120, 4, 4), **SQUEEZED)),
            ("f64", dict(dtype="f8", chunksizes=(50, 23, 5))),
        ]:
            for dims in ("time", "lat,lon"):
                with self.subTest(layout=name, dims=dims):
                    self.same_everywhere(["mean", "-d", dims, self.cube(name, **options)], full=False)

    def test_compressed_output(self):
        """Small results are compressed in one place, large ones (over 4 MiB) by the ranks that have them."""
        for shape, chunk in [((60, 70, 90), (17, 20, 30)), ((6, 1100, 1000), (4, 300, 400))]:
            with self.subTest(shape=shape):
                path = self.cube("z", shape=shape, chunksizes=chunk, **SQUEEZED)
                self.same_everywhere(["mean", "-d", "time", "--deflate", "1", path], full=False)

    def test_twice_the_same(self):
        path = self.cube("again", chunksizes=(17, 9, 16), **SQUEEZED)
        common = ["std", "-d", "time", path]
        files = []
        for _ in range(6):
            out, result = self.configured(common, 3, 2, ROOMY, "leaves")
            self.done(result)
            files.append(blanked(out))
        self.assertEqual(len(set(files)), 1)


if __name__ == "__main__":
    support.main()
