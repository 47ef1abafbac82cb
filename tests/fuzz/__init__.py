"""Coverage-guided fuzzing by libFuzzer, under AddressSanitizer and UndefinedBehaviorSanitizer: needs clang.

    python -m tests.fuzz build                      the engine and the fuzzer, in build/fuzz
    python -m tests.fuzz run TARGET --runs N        from the seeds, or what earlier runs have found
    python -m tests.fuzz merge TARGET               what runs have found, minimised
    python -m tests.fuzz replay [TARGET]            all of it through this Python, without clang or sanitizers

Targets are modules with a function `one(data)`: `plan` (Scanner, Planner and Plan), `rewrite` (the whole rewriter,
pulled and pushed), `reidentify` (Re-identifier and CMS). They assert what must be true of any input; an exception is a
crash.
"""
