"""What can be done from the command line, beside the server's requests; `manage.py` is its door."""
