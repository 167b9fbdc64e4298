"""The trace that a caller sends, which is taken as it is or not at all."""

import pytest

from utils import context

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_traceparent_is_taken():
    context.continue_trace(TRACE)
    assert context.traceparent.get() == TRACE


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "",
        7,
        {"a": TRACE},
        TRACE.upper(),
        TRACE + "-x",
        TRACE + "\n",
        TRACE.replace("00-", "ff-"),
        TRACE.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32),
        TRACE.replace("b7ad6b7169203331", "0" * 16),
    ],
)
def test_anything_else_counts_as_none(sent):
    context.continue_trace(TRACE)
    context.continue_trace(sent)
    assert context.traceparent.get() is None
