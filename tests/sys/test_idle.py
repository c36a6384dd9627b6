#!/usr/bin/python3
# builds: release
# cores: 2
"""Ranks that wait leave the processor alone: while the driver computes by itself for ten seconds, the other three ranks together use
less than 2 % of one core. Processor time comes from /proc; a second try is granted, as other programs on the machine disturb."""
import os
import time

import support

SECONDS, RANKS, LIMIT = 10, 4, 0.02


def used(pid):
    """Processor seconds of a process so far."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wanted(pid):
    """Seconds so far in which a process ran or waited for a processor to run on."""
    with open(f"/proc/{pid}/schedstat") as f:
        running, waiting, _ = map(int, f.read().split())
    return 1e-9 * (running + waiting)


class Idle(support.Case):
    def share(self, program):
        """What ranks 1.. use together, in cores, and rank 0 would use if nobody else were there, over the middle of the busy time."""
        job = support.Job(support.command(program, [SECONDS], RANKS))
        deadline = time.monotonic() + 15
        while len(job.ranks("idle_driver")) < RANKS and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(1.5)
        table = job.ranks("idle_driver")
        if sorted(table) != list(range(RANKS)):
            self.fail(f"ranks found: {sorted(table)}\n{job.wait(0)}")
        before, busy, start = {r: used(p) for r, p in table.items()}, wanted(table[0]), time.monotonic()
        time.sleep(SECONDS - 3)
        after, seconds = {r: used(p) for r, p in table.items()}, time.monotonic() - start
        busy = wanted(table[0]) - busy
        self.done(job.wait(SECONDS + 30))
        return sum(after[r] - before[r] for r in table if r) / seconds, busy / seconds

    def test_idle_ranks_sleep(self):
        program = support.helper("idle_driver")
        if program is None:
            self.skipTest("the helper program idle_driver is not built")
        for _ in range(2):
            idle, busy = self.share(program)
            print(f"ranks 1 to {RANKS - 1} together {100 * idle:.3f} % of a core, rank 0 wants {100 * busy:.0f} %")
            if idle < LIMIT:
                break
        self.assertLess(idle, LIMIT)
        self.assertGreater(busy, 0.8)


if __name__ == "__main__":
    support.main()
