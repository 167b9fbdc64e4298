"""Small helpers without a framework, and the errors of the domain."""
