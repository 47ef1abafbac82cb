"""A synthetic set with an answer key: invented persons planted wherever texts are, in many scripts (R50, R55-R66)."""
