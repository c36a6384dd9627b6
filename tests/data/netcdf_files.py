#!/usr/bin/python3
"""Writes small NetCDF-4 and HDF5 files with netCDF4-python and h5py, for tests/unit/test_storage.c: netcdf_files.py DIRECTORY"""
import sys

import h5py
import netCDF4
import numpy as np


def full(path):
    """Everything that netCDF has and a reader can stumble over."""
    f = netCDF4.Dataset(path, "w")
    f.title = "a title"
    f.empty = ""
    f.setncattr("numbers", np.array([1, 2, 3], "i2"))
    f.setncattr("one", np.float32(1.5))
    f.setncattr_string("utf8", "Grüße")
    f.createDimension("time", None)
    f.createDimension("lat", 4)
    f.createDimension("lon", 6)
    f.createDimension("nv", 2)
    f.createDimension("strlen", 5)
    f.createDimension("zero", 0)
    t = f.createVariable("time", "f8", ("time",))
    t.units = "hours since 1990-01-01"
    t.bounds = "time_bnds"
    f.createVariable("zz", "i4", ("lat", "lon"))[:] = np.arange(24).reshape(4, 6)
    f.createVariable("lat", "f4", ("lat",))[:] = [-60, -20, 20, 60]
    f.createVariable("time_bnds", "f8", ("time", "nv"))
    short = f.createVariable("short", "i2", ("time",), fill_value=-9)
    v = f.createVariable("v", "f4", ("time", "lat", "lon"), zlib=True, shuffle=True, complevel=3, chunksizes=(2, 3, 4), fill_value=-1e30)
    v.long_name = "three dimensions"
    v.valid_range = np.array([0, 1000], "f4")
    w = f.createVariable("w", "u2", ("time", "lat", "lon"), zlib=True, fletcher32=True, complevel=1, chunksizes=(1, 4, 6))
    f.createVariable("name", "S1", ("lat", "strlen"))[:] = netCDF4.stringtochar(np.array(["a", "bcd", "efghi", ""], "S5"))
    f.createVariable("text", str, ("lat",))[:] = np.array(["x", "yy", "zzz", ""], object)
    f.createVariable("crs", "i4", ()).grid_mapping_name = "latitude_longitude"
    f.createVariable("big", ">f8", ("lat",), endian="big")[:] = [1.5, -2.5, 3.5, 1e300]
    f.createVariable("strlen", "i4", ("lat",))[:] = [7, 8, 9, 10]
    pair = f.createCompoundType(np.dtype([("a", "i4"), ("b", "f8")]), "pair")
    f.createVariable("pairs", pair, ("lat",))
    t[:] = np.arange(7)
    v[:] = np.arange(7 * 24).reshape(7, 4, 6)
    w[:] = np.arange(7 * 24).reshape(7, 4, 6)
    short[0:3] = [1, 2, 3]
    f.variables["time_bnds"][:] = np.arange(14).reshape(7, 2)
    g = f.createGroup("sub")
    g.createDimension("x", 3)
    g.createVariable("x", "f8", ("x",))[:] = [1, 2, 3]
    g.createVariable("in_group", "f4", ("lat", "x"))[:] = np.arange(12).reshape(4, 3)
    f.close()


def plain(path):
    """HDF5 without dimension scales, with all that h5py makes of NumPy."""
    f = h5py.File(path, "w")
    f.attrs["array_of_strings"] = ["a", "b"]
    f.attrs["nothing"] = h5py.Empty("f4")
    f.attrs["flag"] = True
    f["b"] = np.arange(20, dtype="i8").reshape(4, 5)
    f["a"] = np.arange(80, dtype="f4").reshape(4, 4, 5)
    f["bool"] = np.array([True, False, True, True])
    f["complex"] = np.array([1 + 2j, 3 - 4j], "c16")
    f["half"] = np.array([0.5, 1.5, -2.5, 65504], "f2")
    f["big_i2"] = np.array([1, -2, 300], ">i2")
    f["scalar"] = np.float64(42)
    f["empty"] = h5py.Empty("f4")
    f["words"] = ["x", "yy"]
    f.create_dataset("lzf", data=np.arange(100, dtype="i4"), chunks=(10,), compression="lzf")
    f.create_dataset("zip_then_shuffle", data=np.arange(100, dtype="i4"), chunks=(10,), compression="gzip")
    f.create_dataset("never", shape=(5, 5), dtype="f4", fillvalue=7)
    f.create_dataset("never_chunked", shape=(5, 5), chunks=(2, 2), dtype="i4", fillvalue=-3, compression="gzip")
    compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    compact.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple((4,))
    d = h5py.h5d.create(f.id, b"compact", h5py.h5t.NATIVE_INT32, space, compact)
    d.write(h5py.h5s.ALL, h5py.h5s.ALL, np.arange(4, dtype="i4"))
    f.create_dataset("external", (3,), "i4", external=[(path + ".raw", 0, 12)])
    np.arange(3, dtype="i4").tofile(path + ".raw")
    layout = h5py.VirtualLayout(shape=(4, 5), dtype="i8")
    layout[:] = h5py.VirtualSource(".", "b", shape=(4, 5))
    f.create_virtual_dataset("virtual", layout)
    g = f.create_group("g")
    g["inner"] = np.arange(3, dtype="u1")
    g["circle"] = f["/"]
    f["soft"] = h5py.SoftLink("/a")
    f["dangling"] = h5py.SoftLink("/nowhere")
    f["outside"] = h5py.ExternalLink("other.h5", "/x")
    f.close()


def user_block(path):
    f = h5py.File(path, "w", userblock_size=2048)
    f["contiguous"] = np.arange(10, dtype="i4")
    f.create_dataset("chunked", data=np.arange(100, dtype="i4").reshape(10, 10), chunks=(3, 4), compression="gzip", shuffle=True)
    f.close()


def scales(path):
    """Dimension scales as h5py makes them: no NetCDF-4 numbers."""
    f = h5py.File(path, "w", libver="latest")
    f["y"] = np.arange(3.0)
    f["x"] = np.arange(4.0)
    f["y"].make_scale("latitude")
    f["x"].make_scale()
    f["data"] = np.arange(12.0).reshape(3, 4)
    f["data"].dims[0].attach_scale(f["y"])
    f["data"].dims[1].attach_scale(f["x"])
    f["half_named"] = np.arange(12.0).reshape(3, 4)
    f["half_named"].dims[1].attach_scale(f["x"])
    f.close()


if __name__ == "__main__":
    where = sys.argv[1]
    full(where + "/full.nc")
    plain(where + "/plain.h5")
    user_block(where + "/user.h5")
    scales(where + "/scales.h5")
