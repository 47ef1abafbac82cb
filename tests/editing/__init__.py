"""Edits without a profile: what is asked for is done, and not one other byte changes."""
