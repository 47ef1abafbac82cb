"""Failing machines: each call of a run fails once, with every error that it may have, or the process ends there.

`shim.c.in` is preloaded before libc and fails the call that a shared struct names. `server` is a process under it that
has everything imported; each run is a fork of it. `scenes` are the runs, `campaign` counts the calls of a clean one and
fails them one by one, `allocations` chooses those of memory, `judge` says what became of the files. `kills` ends runs
over a folder at random moments.

    python -m tests.faults                  all of it: see `__main__` for its parts
    python -m tests.faults kill --times 500

A few of these are in the tests, some more in those marked `ci`. gcc is needed, as it is to build dcmveil.
"""
