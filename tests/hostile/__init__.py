"""Inputs that somebody got wrong, by accident or on purpose."""
