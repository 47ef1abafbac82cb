"""What surrounds a run, case by case: CASES.md has the list, each case is in the names of its tests."""
