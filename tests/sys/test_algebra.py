#!/usr/bin/python3
# timeout: 900
# cores: 1
# builds: release
"""Random expressions of the whole algebra (algebra.c): right values, and the same bits on 1, 2, 3 and 4 ranks, with one and two threads, three placements
two budgets, and arrays on the way persisted, with everything spilled to scratch files, with other scheduling policies, and with schedules drawn at random."""
import itertools
import os

import support

N, RANKS = int(os.environ.get("VARVE_ALGEBRA", 2000)), (1, 2, 3, 4)
SCHEDULES = [{"VARVE_POLICY": "critical-path"}, {"VARVE_STORE": "0"}, {"VARVE_STORE": "3000", "VARVE_FUZZ": "1"}]
SCHEDULES += [{"VARVE_FUZZ": str(seed)} for seed in range(2, 6)]


class Algebra(support.Case):
    def lines(self, program, ranks, *arguments, env=None):
        return self.done(support.run(support.command(program, arguments, ranks), timeout=400, env=env)).out.splitlines()

    def test_ranks_do_not_change_bits(self):
        program = support.helper("algebra")
        if program is None:
            self.skipTest("the helper program algebra is not built")
        alone = self.lines(program, 0, 1, N, "all")
        self.assertEqual(len(alone), N)
        half, some = N // 2, N // 20
        # (ranks, first, how many, settings, environment): each half of the expressions meets two numbers of ranks, each schedule other expressions
        runs = [(1, N - some, some, (), None), (2, 0, half, (), None), (3, half, half, (), None), (4, N // 4, half, (), None), (3, 0, some, ("all",), None)]
        for i, (ranks, env) in enumerate(itertools.product(RANKS, SCHEDULES)):
            runs.append((ranks, i * some % N, some, (), env))

        def one(run):
            ranks, first, n, settings, env = run
            return self.lines(program, ranks, first + 1, n, *settings, env=env)

        for (ranks, first, n, _, env), lines in zip(runs, support.side_by_side(one, runs)):
            self.assertEqual(lines, alone[first:first + n], f"{ranks} ranks, {env}")


if __name__ == "__main__":
    support.main()
