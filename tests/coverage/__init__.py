"""Branch coverage of ext/ and src/: `python -m tests.coverage`.

Copies the checkout to build/coverage, builds the extension modules there with every condition counted, runs the tests
in it (all but those marked slow), and prints per file how many of the branches were taken, with the totals of ext and
of src. Exit status 1 if a total is below its bound. Tests that fail are for pytest to judge: bounds on time and memory
do not hold while branches are counted.

Branches of src are those of coverage.py: the ways on from a line that has several. Nothing is left out but what is for
type checkers alone (coverage.ini).

Branches of ext are counted by our own means: coverage.py knows only lines of Cython sources, and most branches of the C
that Cython makes are its own. A condition is here

- what follows if, elif or while, and stands between if and else in an expression, in a .pyx or .pxd. If it is put
  together with and, or, not: each of its operands instead;
- the left operand of and, or where the result is used as a Value. The right one decides nothing;
- for, of a loop, a comprehension or a generator: true at each turn, false when there are no more turns.

Each has two branches: it was true at least once, and it was false at least once. Constants (while True) have none. One
of an inline function in a .pxd counts once, wherever it was compiled into. So there is one condition for each `if`,
`elif`, `while`, `for`, `and`, `or` in the text of a source: a test counts them. Exceptions are no conditions, and the
few lines of C that stand in the sources (system calls in bulk.pxd, with two conditions) are not looked into.

Outcomes are noted in a file that all processes map into memory, so that none is lost however a process ends.
"""
