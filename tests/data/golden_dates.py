#!/usr/bin/python3
"""Dates as cftime decodes and encodes them, for tests/unit/test_calendar.c. One line per date:

    calendar | units | value | year month day hour minute second microsecond | day of year

    golden_dates.py > tests/unit/data/calendar.txt       the table kept in the repository
    golden_dates.py --random N [--seed S]                N dates of each calendar drawn at random: everyday and far ones, every unit, reference dates with
                                                         time, fraction and zone. Each was encoded again by cftime and came back as the same number.
"""
import argparse
import random

import cftime
import numpy as np

CALENDARS = ["standard", "proleptic_gregorian", "julian", "noleap", "all_leap", "360_day"]
PER_DAY = {"days": 1, "hours": 24, "minutes": 1440, "seconds": 86400}
FINE = {**PER_DAY, "milliseconds": 86400 * 10**3, "microseconds": 86400 * 10**6}
REFERENCES = ["1970-01-01", "1850-1-1", "1990-01-01 12:30:00", "0001-01-01 00:00:00", "1582-10-15 00:00", "2000-02-28T06:00:00Z",
              "1900-01-01 00:00:0.0 +01:30"]


def values(rng, calendar):
    """(units, value): everyday ones, the switch of 1582, leap days, far past and future, fractions that doubles hold exactly."""
    for i in range(90):
        unit = rng.choice(list(PER_DAY))
        yield f"{unit} since {rng.choice(REFERENCES)}", rng.randrange(-400 * 365, 400 * 365) * PER_DAY[unit] + rng.randrange(PER_DAY[unit])
    for day in range(-8, 8):
        yield "days since 1582-10-15", day
    for year in (1600, 1700, 1900, 2000, 2004, 2100):
        yield f"days since {year}-01-01", 58
        yield f"hours since {year}-01-01", 59 * 24 + 13
        yield f"days since {year}-01-01", 60
        yield f"days since {year}-12-01", 29
        yield f"days since {year}-12-01", 30
    for i in range(30):
        yield "days since 1970-01-01", rng.randrange(-2_000_000, 2_000_000) + rng.randrange(16) / 16
    for i in range(20):
        yield "seconds since 1980-01-06", rng.randrange(-10**10, 10**10) + rng.randrange(64) / 64
    for i in range(10):
        yield "milliseconds since 1950-01-01", rng.randrange(-10**13, 10**13)
    for year in (-4000, -1, 1, 4, 100, 9999):
        yield "days since 1-1-1", (year - 1) * 365 + rng.randrange(365)


def reference(rng):
    """A date in some usual spelling, that every calendar has. Not an hour without minutes, nor
    CF's own "-6:00": cftime reads on without them, UDUNITS and Varve do not."""
    year = rng.choice([rng.randrange(1800, 2100), rng.randrange(1, 3000), 1582, 1, 1970])
    text = rng.choice(["{:04d}-{:02d}-{:02d}", "{}-{}-{}"]).format(year, rng.randrange(1, 13), rng.choice([1, 1, rng.randrange(1, 5), rng.randrange(15, 29)]))
    clock = [rng.randrange(24), rng.randrange(60), rng.randrange(60)]
    zone = rng.choice(["", "", " UTC", " Z", f" +{rng.randrange(13):02d}:{rng.choice([0, 30, 45]):02d}", f" -{rng.randrange(1, 12):02d}:00", f" +{rng.randrange(1, 12):02d}30"])
    return text + rng.choice(["", " {}:{:02d}", "T{:02d}:{:02d}:{:02d}" + zone, " {}:{}:{}" + zone, " {:02d}:{:02d}:{:02d}.0",
                              " {:02d}:{:02d}:{:02d}." + f"{rng.randrange(10**6):06d}", " 0:0:0"]).format(*clock)


def drawn(rng, calendar, n):
    """(units, value, date): cftime's dates of numbers, in stretches of the same units; only those that cftime itself encodes back."""
    while n > 0:
        unit, most = rng.choice(list(FINE.items())), rng.choice([400, 40_000, 1_000_000])
        units = f"{unit[0]} since {reference(rng)}"
        chosen = np.array([rng.randrange(-most, most) * unit[1] + rng.randrange(unit[1]) for _ in range(min(n, 50))], "i8")
        dates = cftime.num2date(chosen, units, calendar, only_use_cftime_datetimes=True)
        back = cftime.date2num(dates, units, calendar)
        for value, date, again in zip(chosen, dates, back):
            if again != value:
                raise SystemExit(f"cftime: {value} {units} ({calendar}) is {date}, which is {again}")
            yield units, int(value), date
        n -= len(chosen)


def line(calendar, units, value, d):
    print(f"{calendar}|{units}|{value!r}|{d.year} {d.month} {d.day} {d.hour} {d.minute} {d.second} {d.microsecond}|{d.dayofyr}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--random", type=int)
    parser.add_argument("--seed", type=int, default=1582)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    for calendar in CALENDARS:
        if options.random:
            for units, value, date in drawn(rng, calendar, options.random):
                line(calendar, units, value, date)
            continue
        for units, value in values(rng, calendar):
            line(calendar, units, value, cftime.num2date(value, units, calendar, only_use_cftime_datetimes=True))


if __name__ == "__main__":
    main()
