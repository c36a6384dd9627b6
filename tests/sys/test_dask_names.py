#!/usr/bin/python3
# builds: release
"""A table in README.md says for every name of dask.array what it is here. It is made from the registry, the headers and dask_names.py; with --write it is made anew:

    VARVE=build/release/bin/varve tests/sys/test_dask_names.py --write"""
import re
import sys

import dask_names
import support

README = support.ROOT / "README.md"
BEGIN, END = "<!-- names of dask.array, by tests/sys/test_dask_names.py --write -->\n", "<!-- end of names -->\n"
HEAD = """| dask.array | Varve |
|---|---|
"""


def headers():
    """Public functions, those that macros make too; and all public names."""
    text = "".join(p.read_text() for p in sorted((support.ROOT / "include/varve").glob("*.h")))
    functions = set(re.findall(r"\bvv_(\w+)\(", text)) | set(re.findall(r"^\s*X\((\w+)\)", text, re.M))
    return functions, functions | set(re.findall(r"\bvv_(\w+)", text))


def registry(program, script):
    with open(script, "w") as f:
        f.write("list\n")
    lines = support.run(support.command(program, [script], 0), timeout=60).out.splitlines()
    return {line.split(" ")[1]: line.split(" ")[0] for line in lines}


def names(text):
    """Those of the table, or of dask where it is installed."""
    known = set(re.findall(r"^\| `([\w.]+)` \|", text, re.M))
    try:
        import dask
        import dask.array
    except ImportError:
        return known
    if not dask.__version__.startswith("2022.12"):  # others have other names
        return known
    array = dask.array
    for module, there in (("linalg", dir(array.linalg)), ("fft", dir(array.fft)), ("random", dir(array.random.RandomState) + ["RandomState"])):
        known |= {f"{module}.{n}" for n in there if own_name(array, module, n)}
    return known | {n for n in dir(array) if not n.startswith("_")}


def own_name(array, module, name):
    """What users call: not what a module has imported for itself."""
    if name.startswith("_") or module == "random":
        return not name.startswith("_")
    what = getattr(getattr(array, module), name)
    if module == "fft":
        return callable(what) and "fft" in name
    return getattr(what, "__module__", "") == "dask.array.linalg"


def answer(name, functions, public):
    if name in dask_names.OURS:
        return dask_names.OURS[name]
    name = name.split(".")[-1]
    here = functions.get(name)
    if here == "reduction" and name not in public:
        return f'`vv_reduce(.., "{name}", ..)`'
    if name in public:
        return f"`vv_{name}`"
    if here:
        return f'`vv_call(s, "{name}", ..)`'
    return "- " + dask_names.NOT[name] if name in dask_names.NOT else None


class DaskNames(support.Case):
    def setUp(self):
        super().setUp()
        self.program = support.helper("trees")
        if self.program is None:
            self.skipTest("the helper program trees is not built")
        self.functions, (self.public, self.words) = registry(self.program, self.path("script")), headers()
        self.readme = README.read_text()
        self.before, rest = self.readme.split(BEGIN)
        self.text, self.after = rest.split(END)
        self.names = sorted(names(self.text), key=lambda n: (n.lower(), n))

    def table(self):
        rows = [(name, answer(name, self.functions, self.public)) for name in self.names]
        return HEAD + "".join(f"| `{name}` | {what} |\n" for name, what in rows)

    def test_every_name_has_an_answer(self):
        self.assertGreater(len(self.names), 350)
        self.assertEqual([n for n in self.names if answer(n, self.functions, self.public) is None], [])

    def test_answers_are_true(self):
        for name, text in dask_names.OURS.items():
            for said in re.findall(r"\bvv_(\w+)", text):
                self.assertTrue(said in self.words, f"{name}: there is no vv_{said}")
            self.assertNotIn(name, dask_names.NOT)
        for name in dask_names.NOT:
            self.assertFalse(name in self.functions or name in self.public, f"{name} is there: take it out of NOT in dask_names.py, then --write")
            self.assertIn(name, self.names)

    def test_table_is_up_to_date(self):
        self.assertEqual(self.text, self.table(), "make it anew: tests/sys/test_dask_names.py --write")


if __name__ == "__main__":
    if "--write" in sys.argv:
        case = DaskNames("test_table_is_up_to_date")
        case.setUp()
        README.write_text(case.before + BEGIN + case.table() + END + case.after)
        case.doCleanups()
    else:
        support.main()
