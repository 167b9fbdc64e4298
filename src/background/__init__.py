"""Work that nobody waits for: started and stopped with the app."""
