"""What is read and opened at start and closed at stop: settings, database, logging."""
