"""Helpers that know nothing of GopherTalk, and its errors."""
