#!/usr/bin/python3
"""Writes a small climate dataset: three years of daily fields on a 2 degree grid, the same bytes of data on every machine.

    examples/make_climate.py t2m.nc [--years 3] [--step 2] [--seed 1]

    t2m  air temperature, float32, chunked and compressed, with a region where data is missing in the first spring
    pr   precipitation, packed into 16 bit integers
    lsm  land mask of an invented planet whose continents look a little like ours (time, lat, lon are those of Earth)

Nothing in it is observed. The fields have what programs trip over: a calendar, bounds, fill values, packing, unlimited time.
"""
import argparse
import datetime

import netCDF4
import numpy as np

FIRST_YEAR = 1990
FILL = np.float32(9.96921e36)
PACKED_FILL = np.int16(-32768)
# Continents as blobs: latitude, longitude, half height, half width, height in metres
BLOBS = [(52, 80, 26, 60, 700), (35, 95, 8, 18, 4200), (22, 15, 14, 26, 500), (-8, 25, 24, 16, 900), (48, 262, 20, 32, 500),
         (45, 248, 18, 8, 1900), (-12, 300, 16, 17, 400), (-38, 291, 16, 6, 1500), (-25, 134, 12, 19, 300), (72, 320, 10, 17, 2000),
         (14, 268, 7, 9, 700), (18, 102, 9, 10, 500), (22, 79, 11, 8, 500)]


def smooth_noise(rng, shape, scale):
    """A random field on the sphere's grid, periodic in longitude, with features of about `scale` cells and variance one."""
    ky = np.fft.fftfreq(shape[0])[:, None]
    kx = np.fft.rfftfreq(shape[1])[None, :]
    spectrum = np.exp(-2 * (np.pi * scale) ** 2 * (kx**2 + ky**2) / 2)
    field = np.fft.irfft2(np.fft.rfft2(rng.standard_normal(shape)) * spectrum, s=shape)
    return field / field.std()


def land_and_height(rng, lat, lon):
    """Land as 0 or 1 and the height of the ground in metres."""
    field, height = np.full((lat.size, lon.size), -0.6), np.zeros((lat.size, lon.size))
    for y, x, half_y, half_x, top in BLOBS:
        dx = (lon[None, :] - x + 180) % 360 - 180
        blob = np.exp(-(((lat[:, None] - y) / half_y) ** 2 + (dx / half_x) ** 2) * 1.2)
        field = np.maximum(field, 2 * blob - 0.9)
        height += top * blob
    field += 0.22 * smooth_noise(rng, field.shape, 1.5)
    field[lat < -70] = 1
    land = (field > 0).astype(np.int8)
    height = land * np.clip(height * (1 + 0.35 * smooth_noise(rng, field.shape, 1.2)) + 60, 0, None)
    height[lat < -72] = 2300
    return land, height


class Weather:
    """Anomalies that drift eastwards and forget within a few days: a first-order autoregressive process of smooth fields."""

    def __init__(self, rng, shape, memory, scale, drift):
        self.rng, self.shape, self.memory, self.scale, self.drift = rng, shape, memory, scale, drift
        self.state = smooth_noise(rng, shape, scale)

    def next(self):
        fresh = smooth_noise(self.rng, self.shape, self.scale)
        self.state = self.memory * np.roll(self.state, self.drift, axis=1) + np.sqrt(1 - self.memory**2) * fresh
        return self.state


def days(years):
    """(hours since the first instant, day of the year) of every day's noon."""
    first, last = datetime.date(FIRST_YEAR, 1, 1), datetime.date(FIRST_YEAR + years, 1, 1)
    n = (last - first).days
    dates = [first + datetime.timedelta(days=i) for i in range(n)]
    return 24.0 * np.arange(n) + 12, np.array([d.timetuple().tm_yday for d in dates])


def temperature(lat, land, height, season, weather):
    """Kelvin: warm tropics, cold heights and poles, seasons that are strong over northern land, and the weather."""
    y = np.deg2rad(lat)[:, None]
    yearly = -np.cos(season - 0.45)  # warmest a month after the solstice
    swing = np.sin(y) * (6 + 15 * land * np.abs(np.sin(y)) ** 0.5)
    storms = 1 + 3.5 * np.sin(2 * y) ** 2 * (0.6 + 0.6 * land)
    return 301 - 41 * np.sin(y) ** 2 - 8 * np.sin(y) ** 4 - 0.0058 * height + swing * yearly + storms * weather


def rain(lat, land, season, weather):
    """mm a day: a belt near the equator that follows the sun, mid-latitude storms, deserts between; often none."""
    y = lat[:, None]
    belt = -7 * np.cos(season - 0.6)
    amount = 1.2 * np.exp(-(((y - belt) / 9) ** 2)) + 0.75 * np.exp(-(((np.abs(y) - 48) / 17) ** 2)) + 0.05
    return 9 * amount * (1 - 0.25 * land) * np.clip(weather + 0.15, 0, None) ** 1.6


def bounds(x, half, low=-np.inf, high=np.inf):
    return np.clip(np.stack([x - half, x + half], axis=1), low, high)


def define(f, lat, lon, step):
    f.setncatts({"Conventions": "CF-1.8", "title": "An invented climate", "institution": "made by examples/make_climate.py",
                 "source": "harmonics, orography and autoregressive noise", "comment": "nothing in this file is observed"})
    f.createDimension("time", None)
    f.createDimension("lat", lat.size)
    f.createDimension("lon", lon.size)
    f.createDimension("bnds", 2)
    time = f.createVariable("time", "f8", ("time",), chunksizes=(512,))
    time.setncatts({"standard_name": "time", "long_name": "time", "units": f"hours since {FIRST_YEAR}-01-01 00:00:00", "calendar": "standard",
                    "axis": "T", "bounds": "time_bnds"})
    f.createVariable("time_bnds", "f8", ("time", "bnds"), chunksizes=(512, 2))
    for name, x, unit, axis, limit in (("lat", lat, "degrees_north", "Y", 90), ("lon", lon, "degrees_east", "X", np.inf)):
        v = f.createVariable(name, "f8", (name,))
        v.setncatts({"standard_name": {"lat": "latitude", "lon": "longitude"}[name], "units": unit, "axis": axis, "bounds": f"{name}_bnds"})
        v[:] = x
        f.createVariable(f"{name}_bnds", "f8", (name, "bnds"))[:] = bounds(x, step / 2, -limit, limit)

    squeezed = {"zlib": True, "shuffle": True, "complevel": 4, "chunksizes": (48, (lat.size + 1) // 2, (lon.size + 1) // 2)}
    t2m = f.createVariable("t2m", "f4", ("time", "lat", "lon"), fill_value=FILL, **squeezed)
    t2m.setncatts({"standard_name": "air_temperature", "long_name": "air temperature at 2 m", "units": "K", "cell_methods": "time: mean"})
    pr = f.createVariable("pr", "i2", ("time", "lat", "lon"), fill_value=PACKED_FILL, **squeezed)
    pr.setncatts({"standard_name": "lwe_precipitation_rate", "long_name": "precipitation", "units": "mm day-1", "cell_methods": "time: mean",
                  "scale_factor": np.float32(0.01), "add_offset": np.float32(300)})
    f.createVariable("lsm", "i1", ("lat", "lon")).setncatts({"standard_name": "land_binary_mask", "long_name": "land mask", "units": "1"})
    f.set_auto_maskandscale(False)


def write(path, years, step, seed):
    rng = np.random.default_rng(seed)
    lat, lon = np.arange(-90, 90 + step / 2, step), np.arange(0, 360, step)
    hours, day = days(years)
    land, height = land_and_height(rng, lat, lon)
    warm = Weather(rng, land.shape, memory=0.8, scale=3.0, drift=1)
    wet = Weather(rng, land.shape, memory=0.5, scale=1.6, drift=1)
    gap = (lat[:, None] > 0) & (lat[:, None] < 14) & (lon[None, :] > 288) & (lon[None, :] < 312)
    with netCDF4.Dataset(path, "w", format="NETCDF4") as f:
        define(f, lat, lon, step)
        f["lsm"][:] = land
        f["time"][:] = hours
        f["time_bnds"][:] = bounds(hours, 12)
        for start in range(0, hours.size, 48):  # whole chunks, so that each is compressed once
            now = slice(start, min(start + 48, hours.size))
            t, p = [], []
            for i in range(now.start, now.stop):
                season = 2 * np.pi * (day[i] - 1) / 365.25
                kelvin = temperature(lat, land, height, season, warm.next())
                t.append(np.where(gap & (31 + 28 <= i < 150), FILL, np.round(kelvin, 2)))
                p.append(np.clip(np.round((rain(lat, land, season, wet.next()) - 300) / 0.01), -32767, 32767))
            f["t2m"][now] = np.array(t, np.float32)
            f["pr"][now] = np.array(p, np.int16)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path")
    parser.add_argument("--years", type=int, default=3)
    parser.add_argument("--step", type=float, default=2, help="degrees between grid points")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    write(given.path, given.years, given.step, given.seed)


if __name__ == "__main__":
    main()
