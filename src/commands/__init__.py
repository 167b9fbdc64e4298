"""The commands of `manage.py`: what is done from the command line instead of by a request."""
