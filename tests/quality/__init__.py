"""What is true of the sources themselves: lint, types, layers, which requirement has a test."""
