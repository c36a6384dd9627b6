#!/usr/bin/python3
"""Reads what tests/unit/test_writer.c wrote, with the libraries that its users have, and appends to it: check_written.py FILE"""
import shutil
import sys

import h5py
import netCDF4
import numpy as np
import xarray


def expected(shape, scale):
    return np.arange(np.prod(shape)).reshape(shape) * scale


def check_values(name, values):
    assert np.array_equal(values["time"], np.arange(7) * 6.0), name
    assert np.array_equal(values["lat"], [-60, -20, 20, 60]), name
    assert np.array_equal(values["plain"], expected((4, 6), 0.5)), name
    assert np.array_equal(values["packed"], expected((7, 4, 6), 1)), name
    assert np.array_equal(values["checked"], expected((7, 4, 6), 3)), name
    assert np.array_equal(values["time_bnds"], expected((7, 2), 1)), name
    assert values["scalar"] == 42, name


def netcdf4(path):
    f = netCDF4.Dataset(path)
    f.set_auto_maskandscale(False)
    check_values("netCDF4", {k: f[k][...] for k in f.variables})
    assert list(f.variables) == ["time", "lat", "time_bnds", "plain", "packed", "checked", "crs", "flag", "scalar", "lon", "u8", "i64"], list(f.variables)
    assert list(f.dimensions) == ["time", "lat", "lon", "nv"], list(f.dimensions)
    assert f.dimensions["time"].isunlimited() and not f.dimensions["lat"].isunlimited()
    assert f["packed"].chunking() == [3, 2, 4] and f["packed"].filters()["zlib"] and f["packed"].filters()["shuffle"]
    assert f["checked"].filters()["fletcher32"]
    assert f["plain"].chunking() == "contiguous"
    assert f["packed"]._FillValue == np.int16(-999) and f["packed"].ncattrs() == ["_FillValue", "units", "range"]
    assert f["plain"].long_name == "Grüße" and f["plain"].empty == ""
    assert list(f["packed"].range) == [1.5, 2.5]
    assert f["crs"].dtype == "S1" and f["crs"].grid_mapping_name == "latitude_longitude"
    assert f["lon"].dimensions == ("lat",)  # named like a dimension, but along another
    assert f["u8"][...].tolist() == [0, 255, 7, 1] and f["i64"][...].tolist() == [2**40, -(2**62), 0, 1]
    assert f.title == "written" and f.data_model == "NETCDF4"
    f.close()


def with_xarray(path, engine):
    d = xarray.open_dataset(path, engine=engine)
    assert d["packed"].dims == ("time", "lat", "lon"), engine
    assert str(d["time"].values[1])[:13] == "1990-01-01T06", engine
    assert d["flag"].dtype == bool and d["flag"].values.tolist() == [True, False, True, True], engine
    assert np.array_equal(d["packed"].values, expected((7, 4, 6), 1)), engine
    assert d["plain"].attrs["long_name"] == "Grüße", engine
    d.close()


def append(path):
    copy = path + ".appended.nc"
    shutil.copy(path, copy)
    f = netCDF4.Dataset(copy, "a")
    f["time"][7] = 42.0
    f["packed"][7] = 5
    f["plain"].more = "yes"
    f.createVariable("new", "f4", ("time", "lat"), zlib=True)[:] = 1
    f.history = "appended"
    f.close()
    f = netCDF4.Dataset(copy)
    assert f["packed"].shape == (8, 4, 6) and (f["packed"][7] == 5).all()
    assert np.array_equal(f["packed"][:7], expected((7, 4, 6), 1))
    assert f["checked"].shape == (8, 4, 6) and f["checked"][7].mask.all()
    assert (f["new"][:] == 1).all() and f["plain"].more == "yes"
    f.close()


def hdf5(path):
    f = h5py.File(path)
    assert f["packed"].dims[1][0].name == "/lat"
    assert h5py.h5ds.is_scale(f["lat"].id) and h5py.h5ds.is_scale(f["nv"].id)
    check_values("h5py", {k: f[k][...] for k in f if k not in ("crs", "_nc4_non_coord_lon")})
    f.close()


if __name__ == "__main__":
    file = sys.argv[1]
    netcdf4(file)
    with_xarray(file, "netcdf4")
    with_xarray(file, "h5netcdf")
    hdf5(file)
    append(file)
