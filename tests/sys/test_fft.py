#!/usr/bin/python3
# timeout: 120
# builds: release asan
"""Fourier transforms along any dimension, cut into chunks or not, beside numpy.fft; the same bits on 1 to 4 ranks, with threads and with little memory."""
import h5py
import numpy as np

import support
import trees_model as model
from numpy_script import ScriptCase

DIMS = {"time": 60, "lat": 7, "lon": 16}
CHUNKS = (13, 3, 5)
NORMS = ["backward", "ortho", "forward"]


class Fft(ScriptCase):
    def setUp(self):
        super().setUp()
        rng, self.data, self.file = np.random.default_rng(3), {}, self.path("x.h5")
        shape = tuple(DIMS.values())
        with h5py.File(self.file, "w") as f:
            for t in ("f4", "f8", "c8", "c16", "i2"):
                x = rng.normal(size=shape) * 10 + (1j * rng.normal(size=shape) if t[0] == "c" else 0)
                self.data[t] = x.astype(t)
                f.create_dataset(t, data=self.data[t], chunks=CHUNKS)
            for dim, n in DIMS.items():
                f[dim] = np.arange(n)
                f[dim].make_scale(dim)
            for t in self.data:
                for d, dim in enumerate(DIMS):
                    f[t].dims[d].attach_scale(f[dim])
        for t in self.data:
            self.lines.append(f"open {t} {self.file} {t}")

    def transform(self, function, t, arguments, want):
        """numpy's, in double precision, as Varve's type."""
        single = t in ("f4", "c8")
        want = want.astype({"c": "c8", "f": "f4"}[want.dtype.kind]) if single else want
        self.call(function, [t], arguments, want, 16, float(np.abs(want).max()))

    def wide(self, t):
        return self.data[t].astype("c16" if t[0] == "c" else "f8")

    def add_one_dimension(self):
        for t in self.data:
            x = self.wide(t)
            for axis, (dim, n) in enumerate(DIMS.items()):
                for k, function in enumerate(("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")):
                    if t[0] == "c" and function in ("rfft", "ihfft"):
                        continue
                    norm, points = NORMS[(k + axis) % 3], [None, n + 3, n - 2, n // 2][(k + axis + len(t)) % 4]
                    words = f"dim{'' if function[-4:] == 'hfft' else 's'}={dim}{f':{points}' if points else ''} norm={norm}"
                    self.transform(function, t, words, getattr(np.fft, function)(x, points, axis, norm))

    def add_several_dimensions(self):
        for t in self.data:
            x = self.wide(t)
            self.transform("fft", t, "dims=lat,lon", np.fft.fft2(x))
            self.transform("ifft", t, "norm=ortho", np.fft.ifftn(x, norm="ortho"))
            self.transform("fft", t, "dims=lon:9,time:64", np.fft.fftn(x, (9, 64), (2, 0)))
            self.transform("irfft", t, "dims=time,lat", np.fft.irfftn(x, axes=(0, 1)))
            if t[0] != "c":
                self.transform("rfft", t, "dims=time,lat:8 norm=forward", np.fft.rfftn(x, (60, 8), (0, 1), "forward"))
                self.transform("rfft", t, "", np.fft.rfftn(x))

    def add_frequencies_and_shifts(self):
        for n in (1, 2, 7, 10):
            self.call("fftfreq", [], f"dim=f n={n} distance=0.3", np.fft.fftfreq(n, 0.3))
            self.call("rfftfreq", [], f"dim=f n={n}", np.fft.rfftfreq(n))
        x = self.data["c8"]
        self.call("fftshift", ["c8"], "", np.fft.fftshift(x))
        self.call("ifftshift", ["c8"], "dims=lat,time", np.fft.ifftshift(x, (1, 0)))

    def add_what_follows(self):
        """A power spectrum, and a signal without its high frequencies."""
        x = self.wide("f8")
        name = self.call("rfft", ["f8"], "dims=time")
        power = self.call("square", [self.call("absolute", [name])])
        want = (np.abs(np.fft.rfft(x, axis=0)) ** 2).mean((1, 2))
        self.call("mean", [power], "dims=lat,lon", want, 64, float(want.max()))
        low = self.call("pad", [self.call("slice", [name], "dim=time stop=9")], "dim=time before=0 after=22")
        spectrum = np.fft.rfft(x, axis=0)
        spectrum[9:] = 0
        self.call("irfft", [low], "dims=time", np.fft.irfft(spectrum, axis=0), 32, 40.0)

    def test_numpys_transforms(self):
        self.add_one_dimension()
        self.add_several_dimensions()
        self.add_frequencies_and_shifts()
        self.add_what_follows()
        self.check((2, 3, 4))

    def test_threads_and_memory_change_nothing(self):
        for t in ("f4", "c16"):
            for dims in ("time", "lat,lon", "time:61,lon:17"):
                name = self.call("fft", [t], f"dims={dims}")
                self.lines.append(f"out {name}")
        usual = self.results(0)
        self.assertEqual(len(usual), 6)
        self.lines.insert(0, "threads 3")
        for environment in ({"VARVE_STORE": "20000"}, {"VARVE_FUZZ": "7"}):
            self.assertEqual(self.results(2, environment), usual, environment)

    def test_errors_say_what_is_wrong(self):
        for function, operand, arguments in (("fft", "f8", "dims=tim"), ("fft", "f8", "dims=time:0"), ("fft", "f8", "dims=time norm=half"), ("rfft", "c16", "dims=time"),
                                             ("hfft", "c16", "dim=lat,lon"), ("fft", "f8", "dims=time,time")):
            self.lines += [f"call e {function} {operand} - {arguments}", "out e"]
        self.lines += ["call one slice f8 - dim=time stop=1", "call e irfft one - dims=time", "out e"]
        said = self.results(0)
        for line, words in zip(said, ("'tim'", "time", "ortho", "rfft is not defined for c128", "single dimension", "twice", "0 points")):
            self.assertIn("inert", line)
            self.assertIn(words, line)
        self.assertEqual(len(said), 7)


if __name__ == "__main__":
    support.main()
