#!/usr/bin/python3
# timeout: 900
# builds: release
"""Random expressions of the whole algebra (algebra.c): right values, and the same bits on 1, 2, 3 and 4 ranks, with one and two threads, three placements
two budgets, and arrays on the way persisted, with everything spilled to scratch files, with other scheduling policies, and with schedules drawn at random."""
import support

FIRST, N, RANKS = 1, 2000, (1, 2, 3, 4)
SCHEDULES = [{"VARVE_POLICY": "critical-path"}, {"VARVE_STORE": "0"}, {"VARVE_STORE": "3000", "VARVE_FUZZ": "1"}]
SCHEDULES += [{"VARVE_FUZZ": str(seed)} for seed in range(2, 6)]


class Algebra(support.Case):
    def lines(self, program, ranks, *arguments, env=None):
        return self.done(support.run(support.command(program, arguments, ranks), timeout=400, env=env)).out.splitlines()

    def test_ranks_do_not_change_bits(self):
        program = support.helper("algebra")
        if program is None:
            self.skipTest("the helper program algebra is not built")
        alone = self.lines(program, 0, FIRST, N, "all")
        self.assertEqual(len(alone), N)
        for ranks in RANKS:
            self.assertEqual(self.lines(program, ranks, FIRST, N), alone, f"{ranks} ranks")
        some = N // 10
        self.assertEqual(self.lines(program, 3, FIRST, some, "all"), alone[:some])
        for ranks in RANKS:
            for env in SCHEDULES:
                self.assertEqual(self.lines(program, ranks, FIRST, some, env=env), alone[:some], f"{ranks} ranks, {env}")


if __name__ == "__main__":
    support.main()
