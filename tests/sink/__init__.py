"""The sink: segment scripts, their two executors, and output that appears under its name only when whole."""
