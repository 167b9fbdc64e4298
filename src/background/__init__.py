"""Work that no request waits for: started and stopped with the app."""
