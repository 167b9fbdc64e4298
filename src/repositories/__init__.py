"""SQL, one statement per function."""
