"""What is told once, and remembered."""
