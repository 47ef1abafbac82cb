"""The sample image of the documentation and the tests, and the script that makes it."""
