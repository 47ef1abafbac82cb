"""Objects made wrong step by step: cut at each byte, each byte changed, and whatever could make the work grow."""
