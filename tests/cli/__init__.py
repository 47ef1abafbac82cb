"""The command line: what it says, what it leaves behind, and its exit status."""
