#!/usr/bin/python3
"""Adds up what CTest wrote: tests/summary.py NAME=JUNIT.xml ... [--failed NAME=LOG ...]

Prints every test that failed with the end of its output, a table, and last the line that CI looks for. A build that gave no tests because
configuring or compiling failed counts as one failed test (--failed).
"""
import argparse
import sys
import xml.etree.ElementTree as xml

TAIL = 120  # lines of a failed test's output


def cases(path):
    """(name, status, seconds, output) of every test; status is passed, failed or skipped."""
    for case in xml.parse(path).getroot().iter("testcase"):
        status = {"run": "passed", "fail": "failed"}.get(case.get("status"), "skipped")
        why = case.find("skipped")
        why = why.get("message", "") if why is not None else ""
        if status == "skipped" and "SKIP_" not in why:
            status = "failed"  # not run: its program or what it depends on is missing
        yield case.get("name"), status, float(case.get("time") or 0), case.findtext("system-out") or why


def show(title, text):
    print(f"\n=== FAILED: {title}")
    lines = text.rstrip().splitlines()
    if len(lines) > TAIL:
        print(f"... {len(lines) - TAIL} lines before")
    print(*lines[-TAIL:], sep="\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="*")
    parser.add_argument("--failed", action="append", default=[])
    given = parser.parse_intermixed_args()
    counts, failed, slowest = {}, [], []
    for run in given.runs:
        build, path = run.split("=", 1)
        count = counts.setdefault(build, {"passed": 0, "failed": 0, "skipped": 0})
        for name, status, seconds, output in cases(path):
            count[status] += 1
            slowest.append((seconds, f"{build}: {name}"))
            if status == "failed":
                failed.append((f"{build}: {name}", seconds))
                show(f"{build}: {name}", output)
            elif status == "skipped":
                print(f"skipped {build}: {name}: {(output.strip().splitlines() or [''])[-1]}")
    for run in given.failed:
        build, path = run.split("=", 1)
        counts.setdefault(build, {"passed": 0, "failed": 0, "skipped": 0})["failed"] += 1
        failed.append((f"{build}: the build itself", 0))
        show(f"{build}: the build itself", open(path, errors="replace").read())
    print("\nslowest:", *(f"{name} {seconds:.0f} s" for seconds, name in sorted(slowest, reverse=True)[:6]), sep="\n  ")
    print(f"\n{'build':10} passed failed skipped")
    for build, count in counts.items():
        print(f"{build:10} {count['passed']:6} {count['failed']:6} {count['skipped']:7}")
    if failed:
        print("\nfailed:")
        for name, seconds in failed:
            print(f"  {name} ({seconds:.1f} s)")
    total = {k: sum(c[k] for c in counts.values()) for k in ("passed", "failed", "skipped")}
    print(f"\n{total['passed']} passed, {total['failed']} failed" + (f", {total['skipped']} skipped" if total["skipped"] else ""))
    sys.exit(1 if total["failed"] or not total["passed"] else 0)


main()
