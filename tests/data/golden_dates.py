#!/usr/bin/python3
"""Writes the golden table of tests/unit/test_calendar.c: python3 tests/data/golden_dates.py > tests/unit/data/calendar.txt

One line per date, decoded by cftime: calendar | units | value | year month day hour minute second microsecond | day of year
"""
import random

import cftime

CALENDARS = ["standard", "proleptic_gregorian", "julian", "noleap", "all_leap", "360_day"]
PER_DAY = {"days": 1, "hours": 24, "minutes": 1440, "seconds": 86400}
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


def main():
    rng = random.Random(1582)
    for calendar in CALENDARS:
        for units, value in values(rng, calendar):
            d = cftime.num2date(value, units, calendar, only_use_cftime_datetimes=True)
            fields = f"{d.year} {d.month} {d.day} {d.hour} {d.minute} {d.second} {d.microsecond}"
            print(f"{calendar}|{units}|{value!r}|{fields}|{d.dayofyr}")


if __name__ == "__main__":
    main()
