"""What cannot be put into a file: names, logs, memory, keys, passwords, timing (leak channels 16 to 28)."""
