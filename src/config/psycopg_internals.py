"""The private names of psycopg that we use. A test fails loudly when a version changes them."""

from psycopg import errors

# `Connection.wait`, which `config.pool` overrides, raises it when its timeout expires.
WaitTimeout = errors._WaitTimeout  # pyright: ignore[reportPrivateUsage]
