#!/usr/bin/python3
# cores: 1
# builds: release asan
"""Files of other programs (tests/data/format_corpus.py), read bit for bit as h5py and xarray read them: layouts, chunk indexes, filters, types,
shapes, groups; what varve info says of them; damaged chunks."""
import json
import os
import sys
import unittest
import warnings
from pathlib import Path

import h5py
import netCDF4
import numpy as np
import xarray

import support
from support import varve

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "data"))
import format_corpus  # noqa: E402

TYPES = {"f32": "f4", "f64": "f8", "bool": "?", "c64": "c8", "c128": "c16", **{f"{k}{8 * n}": f"{k}{n}" for k in "iu" for n in (1, 2, 4, 8)}}
PLUGINS = os.environ.get("HDF5_PLUGIN_PATH") or ":".join(str(p) for p in Path("/usr/lib").glob("*-linux-gnu/hdf5/serial/plugins"))


class Variable:
    def __init__(self, dtype, dims, value):
        self.dtype, self.dims, self.value = dtype, dims, value


def parse(path):
    """What the helper wrote: {file: {name: Variable or a text}}."""
    data, at, files, now = Path(path).read_bytes(), 0, {}, None
    while at < len(data):
        end = data.index(b"\n", at)
        word = data[at:end].decode().split("\t")
        at = end + 1
        if word[0] == "file":
            now = files.setdefault(Path(word[1]).name, {})
        elif word[0] == "var":
            dims = [d.rsplit(":", 1) for d in word[4].split(",") if d]
            value = np.frombuffer(data[at:at + int(word[3])], TYPES[word[2]]).reshape([int(n) for _, n in dims])
            now[word[1]] = Variable(word[2], [d for d, _ in dims], value)
            at += int(word[3])
        else:
            now[word[1]] = " ".join(word[::2])
    return files


def dump(folder, files, ranks=0, env=None):
    out = os.path.join(folder, f"dump{ranks}")
    r = support.run(support.command(support.helper("dump"), [out, *files], ranks), 120, env)
    return r, parse(out) if os.path.exists(out) else {}


def datasets(group, prefix="", seen=None):
    """(name, dataset) of all that links inside the file lead to, groups once, as varve names them."""
    seen = set() if seen is None else seen
    address = h5py.h5o.get_info(group.id).addr
    if address in seen:
        return
    seen.add(address)
    for name in group:
        link = group.get(name, getlink=True)
        item = None if isinstance(link, h5py.ExternalLink) else group.get(name)
        if isinstance(item, h5py.Dataset) and item.shape is not None:
            yield (f"{prefix}/{name}" if prefix else name), item
        elif isinstance(item, h5py.Group):
            yield from datasets(item, f"{prefix}/{name}", seen)


def filter_numbers(d):
    p = d.id.get_create_plist()
    return [p.get_filter(i)[0] for i in range(p.get_nfilters())] if p.get_layout() == h5py.h5d.CHUNKED else []


def by_h5py(d):
    """Its values as varve should have them; None for what holds no numbers."""
    kind = d.dtype.kind
    if kind not in "iufbc" or h5py.check_ref_dtype(d.dtype) or h5py.check_vlen_dtype(d.dtype):
        return None
    if format_corpus.ZSTD in filter_numbers(d) and not h5py.h5z.filter_avail(format_corpus.ZSTD):
        return format_corpus.field()  # what was written: few machines have the plug-in
    x = np.asarray(d[...])
    return x.astype("f4") if x.dtype.itemsize == 2 and kind == "f" else x.astype(x.dtype.newbyteorder("="))


def same_bits(a, b):
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
    if a.dtype != b.dtype or a.shape != b.shape:
        return f"{a.dtype} {a.shape} instead of {b.dtype} {b.shape}"
    if a.tobytes() == b.tobytes():
        return None
    if a.dtype.kind == "f" and np.array_equal(a, b, equal_nan=True) and np.array_equal(np.signbit(a[~np.isnan(a)]), np.signbit(b[~np.isnan(b)])):
        return None  # NaN may be any
    i = tuple(np.argwhere((a != b) & ~((a != a) & (b != b)))[0])
    return f"{np.sum((a != b) & ~((a != a) & (b != b)))} of {a.size} differ, first at {i}: {a[i]!r} instead of {b[i]!r}"


class Formats(support.Case):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(cls.shared_folder())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cls.corpus = format_corpus.write(cls.folder)

    def compare(self, found, name, expected, problems):
        got = found.get(name, "is not there")
        if isinstance(got, str):
            problems.append(f"{name}: {got}")
            return
        wrong = same_bits(got.value, expected)
        if wrong:
            problems.append(f"{name}: {wrong}")

    def test_hdf5_files_as_h5py_reads_them(self):
        r, found = dump(self.dir, self.corpus["plain"])
        self.done(r)
        problems, n = [], 0
        for path in self.corpus["plain"]:
            with h5py.File(path) as f:
                here = dict(datasets(f))
                for name, d in here.items():
                    expected, got = by_h5py(d), found[path.name].get(name)
                    if expected is None:
                        if not (isinstance(got, str) and got.startswith("note")):
                            problems.append(f"{path.name} {name}: {got}, is {d.dtype}")
                        continue
                    n += 1
                    wrong = []
                    self.compare(found[path.name], name, expected, wrong)
                    problems += [f"{path.name} {w}" for w in wrong]
                problems += [f"{path.name} {name}: not in the file" for name in found[path.name] if name not in here]
        self.assertEqual(problems, [])
        self.assertGreater(n, 300)

    def widened(self, got, name, v):
        """Values of a variable as xarray has them; packed ones with an offset in double precision where varve takes that, as CF wants and newer releases of xarray do."""
        if "add_offset" not in v.encoding or isinstance(got, str) or got.value.dtype == v.dtype:
            return v.values
        with netCDF4.Dataset(v.encoding["source"]) as f:
            f.set_auto_maskandscale(False)
            stored = f[name][...]
        x = stored.astype("f8") * float(v.encoding.get("scale_factor", 1)) + float(v.encoding["add_offset"])
        return np.where(stored == v.encoding.get("_FillValue"), np.nan, x) if "_FillValue" in v.encoding else x

    def test_netcdf_files_as_xarray_reads_them(self):
        r, found = dump(self.dir, self.corpus["cf"] + self.corpus["netcdf"])
        self.done(r)
        problems, n = [], 0
        for path in self.corpus["cf"] + self.corpus["netcdf"]:
            for group in (None, "/forecast/surface") if path.name == "netcdf4.nc" else (None,):
                with xarray.open_dataset(path, group=group, decode_times=False, decode_coords=False, drop_variables=["pairs", "lists", "time"] if path.name == "netcdf4.nc" else None) as f:
                    for name, v in f.variables.items():
                        if v.dtype.kind not in "iuf":
                            continue
                        n += 1
                        wrong = []
                        full = f"{group}/{name}" if group else name
                        self.compare(found[path.name], full, self.widened(found[path.name].get(full), name, v), wrong)
                        problems += [f"{path.name} {w}" for w in wrong]
        self.assertEqual(problems, [])
        self.assertGreater(n, 100)

    def test_several_ranks_read_the_same(self):
        files = self.corpus["plain"] + self.corpus["cf"] + self.corpus["netcdf"]
        one, two = (self.done(dump(self.dir, files, ranks)[0]) for ranks in (0, 2))
        self.assertEqual(Path(self.path("dump0")).read_bytes(), Path(self.path("dump2")).read_bytes(), f"{one}\n{two}")

    def test_plug_ins_are_used_or_missed_by_name(self):
        file = self.folder / "plugins.h5"
        r, found = dump(self.dir, [file], env={"HDF5_PLUGIN_PATH": PLUGINS})
        self.done(r)
        for name in self.corpus["plugins"]:
            self.assertEqual(r.err.count(f"variable '{name}' is read through the HDF5 library, more slowly: filter {name}"), 1, r)
            self.assertIsNone(same_bits(found[file.name][name].value, format_corpus.field()), name)
        for name in self.corpus["plugins"]:
            out = self.path("out.nc")
            r = varve("mean", f"{file}:{name}", "-o", out, env={"HDF5_PLUGIN_PATH": self.dir})
            self.refused(r, (1, 3), rf"plugins.h5: variable '{name}', chunk \[\d, \d, \d\], rank 0: HDF5 has no filter {name} \(number \d+\): .*HDF5_PLUGIN_PATH")

    def test_info(self):
        """No file is too strange; names, lengths, types, chunks and filters are those of the file."""
        files = self.corpus["plain"] + self.corpus["cf"] + self.corpus["netcdf"] + [self.folder / "plugins.h5"]
        self.run_ok("info", *files)
        told = json.loads(self.run_ok("info", "--json", *files).out)
        self.assertEqual(len(told), len(files))
        for path, file in zip(files, told):
            with h5py.File(path) as f:
                self.check_info(path.name, file["variables"], f)

    def check_info(self, file, told, f):
        for name, d in datasets(f):
            scale_only = d.attrs.get("NAME", b"")[:9] == b"This is a"
            if scale_only or name.startswith("_nc4_non_coord_"):
                continue
            v = told[name]
            where = f"{file} {name}: {v}"
            if d.dtype.kind in "iuf" and not name.startswith(("half", "f2_", "precision")):
                self.assertEqual(v["type"].split()[0], f"{d.dtype.kind}{8 * d.dtype.itemsize}", where)
            chunk = list(d.chunks) if d.chunks else None
            self.assertEqual(v["chunk"], chunk, where)
            self.assertEqual(v["shuffle"], bool(d.shuffle), where)
            self.assertEqual(v["fletcher32"], bool(d.fletcher32), where)
            self.assertEqual(len(v["dimensions"]), d.ndim, where)

    def test_dimensions_without_scales_are_named_as_netcdf_names_them(self):
        for name in ("types.h5", "indexes_latest.h5", "user_block.h5"):
            told = json.loads(self.run_ok("info", "--json", self.folder / name).out)
            told = {n: v["dimensions"] for n, v in told["variables"].items()}
            with netCDF4.Dataset(self.folder / name) as f:
                for v in f.variables.values():
                    self.assertEqual(len(set(told[v.name])), len(set(v.dimensions)), v.name)
                    self.assertTrue(all(d.startswith("phony_dim_") for d in told[v.name]), v.name)

    def test_variables_in_groups(self):
        out = self.path("out.nc")
        self.run_ok("max", f"{self.folder / 'netcdf4.nc'}:/forecast/surface/t2m", "-d", "/forecast/surface/member", "-o", out)
        with netCDF4.Dataset(out) as f:
            np.testing.assert_array_equal(f["/forecast/surface/t2m"][...], format_corpus.field((4, 30)).max(0))
            self.assertEqual(f["/forecast/surface/t2m"].dimensions, ("x",))

    def damaged(self):
        """A file in which one chunk of each variable is damaged in the middle."""
        path = self.path("damaged.h5")
        orders = {"summed": ("fletcher32",), "behind": ("shuffle", "deflate", "fletcher32"), "before": ("fletcher32", "shuffle", "deflate"),
                  "deflated": ("shuffle", "deflate"), "slow": ("deflate", "shuffle"), "whole": ("deflate", "deflate", "fletcher32")}
        with h5py.File(path, "w") as f:
            for name, order in orders.items():
                format_corpus.dataset(f, name, format_corpus.field(), format_corpus.CHUNK, order)
            format_corpus.dataset(f, "packed", format_corpus.field(dtype="i2"), format_corpus.CHUNK, ("shuffle", "deflate"))
            f["packed"].attrs["scale_factor"] = 0.5
            format_corpus.dataset(f, "integers", format_corpus.field(dtype="i4"), format_corpus.CHUNK, ("shuffle", "deflate"), fill=-7)
        with h5py.File(path) as f:
            where = {n: f[n].id.get_chunk_info_by_coord((7, 6, 9)) for n in f}
        with open(path, "r+b") as f:
            for c in where.values():
                f.seek(c.byte_offset + c.size // 2)
                bad = bytes(x ^ 0xff for x in f.read(8))
                f.seek(c.byte_offset + c.size // 2)
                f.write(bad)
        return path, list(where)

    def test_damaged_chunks(self):
        path, names = self.damaged()
        out = self.path("out.nc")
        hole = np.zeros(format_corpus.SHAPE, bool)
        hole[7:14, 6:12, 9:18] = True
        for i, name in enumerate(names):
            self.refused(varve("max", f"{path}:{name}", "-o", out, ranks=2 * (i == 0)), 3,
                         rf"damaged.h5: variable '{name}', chunk \[1, 1, 1\], rank [01]: ")
            r = self.run_ok("max", "-d", "phony_dim_0", f"{path}:{name}", "-o", out, "--on-bad-chunk", "fill", "--stats", ranks=2 * (i == 0))
            self.assertEqual(r.stats["bad_chunks"], 1, r)
            self.assertRegex(r.err, rf"filled with missing values: .*damaged.h5: variable '{name}', chunk \[1, 1, 1\]")
            self.assertIn("1 damaged chunk was filled with missing values", r.err)
            x = format_corpus.field(dtype={"packed": "i2", "integers": "i4"}.get(name, "f4"))
            if name == "integers":
                x[hole] = -7
            else:
                x = np.where(hole, np.nan, x * (np.float32(0.5) if name == "packed" else np.float32(1)))
            with netCDF4.Dataset(out) as f:
                np.testing.assert_array_equal(np.asarray(f[name][...]), np.nanmax(x, 0), name)
            os.unlink(out)


if __name__ == "__main__":
    support.main()
