"""What codes of refusals, tags and compression cost each answer, in microseconds of CPU.

    .venv/bin/python bench/cost_of_answers.py

In one process without a network: each answer as Starlette's own JSON would be, and as it is here.
The kinds take turns in every round, so that what else the machine does falls on all of them alike;
what is shown is the difference to the first of each group, as the median over the rounds and the
quartiles around it.
"""

import argparse
import asyncio
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

SRC = Path(__file__).resolve().parents[1] / "src"
SENTENCE = "Post not found"
WORDS = ("tea", "gopher", "rain", "the", "shop", "a", "code", "of", "summer", "talks", "mug", "and")


def post(number: int) -> dict[str, Any]:
    """As long as those of the benchmark's database."""
    words = (WORDS[number * step % len(WORDS)] for step in range(3, 17))
    return {
        **{"id": 1_000_000 - number, "text": " ".join(words), "reply_to_id": None},
        **{"created_at": f"2026-11-26T12:00:{number % 60:02}.{number * 7919:06}Z"},
        **{"edited_at": None, "likes_count": number * 7 % 50, "views_count": number * 31 % 500},
        **{"replies_count": number % 9, "user_liked": number % 3 == 0, "user_viewed": True},
        "user": {
            **{"id": number * 263 % 50_000, "user_name": f"gopher_{number * 263 % 50_000}"},
            **{"first_name": "Anna", "last_name": "Petrova"},
        },
    }


def scope(*headers: tuple[str, str]) -> dict[str, Any]:
    raw = [(name.encode(), value.encode()) for name, value in (("host", "x"), *headers)]
    return {"type": "http", "method": "GET", "path": "/api/posts", "headers": raw}


def groups() -> dict[str, dict[str, tuple[Callable[[], Any], dict[str, Any]]]]:
    """Of each kind: what makes the application that answers, and the request."""
    from pydantic_core import to_json
    from starlette.responses import JSONResponse, Response

    from dependencies.errors import error_response
    from dependencies.middleware.compression import Compression
    from dependencies.routing.problems import PROBLEM
    from dependencies.routing.tagged_json import TaggedJson
    from utils.entity_tag import entity_tag

    body = {"detail": SENTENCE, "error": SENTENCE}
    problem, gzip = scope(("accept", PROBLEM)), scope(("accept-encoding", "gzip"))
    one = post(7)
    has_it = scope(("if-none-match", entity_tag(to_json(one))))

    def answer(data: Any) -> Any:
        return Response(to_json(data), media_type="application/json")

    def page(posts: int) -> dict[str, Any]:
        data = [post(number) for number in range(posts)]

        async def application(*call: Any) -> None:
            await answer(data)(*call)

        compressed = Compression(application)
        return {
            f"{posts} posts, {len(to_json(data))} bytes": (lambda: application, scope()),
            "  through the middleware": (lambda: compressed, scope()),
            "  compressed": (lambda: compressed, gzip),
        }

    return {
        "a refusal": {
            "JSON": (lambda: JSONResponse(body, 404), scope()),
            "  with its code": (lambda: error_response(404, SENTENCE), scope()),
            "  with the code given": (lambda: error_response(404, SENTENCE, code="x"), scope()),
            "  as a problem": (lambda: error_response(404, SENTENCE, code="x"), problem),
        },
        "one post": {
            "JSON": (lambda: answer(one), scope()),
            "  with its tag": (lambda: TaggedJson(one), scope()),
            "  304": (lambda: TaggedJson(one), has_it),
        },
        "small": page(1),
        "page": page(10),
        "long page": page(100),
    }


async def serve(make: Callable[[], Any], request: dict[str, Any], requests: int) -> float:
    """Microseconds of CPU for each request."""

    async def ignore(message: Any = None) -> None:
        pass

    started = process_time()
    for _ in range(requests):
        await make()(dict(request), ignore, ignore)
    return (process_time() - started) / requests * 1e6


def spread(values: list[float]) -> str:
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:7.1f} us   ({low:.1f} to {high:.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--requests", type=int, default=1000, help="in each round, of each kind")
    options = parser.parse_args()
    sys.path.insert(0, str(SRC))
    print(f"{options.rounds} rounds of {options.requests} requests; median (quartiles)")
    for kinds in groups().values():
        taken: dict[str, list[float]] = {name: [] for name in kinds}
        for number in range(options.rounds + 1):  # the first only warms up
            for name, (make, request) in kinds.items():
                microseconds = asyncio.run(serve(make, request, options.requests))
                if number:
                    taken[name].append(microseconds)
        (first, base), *others = taken.items()
        print(f"  {first:<28}{spread(base)}")
        for name, values in others:
            print(f"  {name:<27}+{spread([a - b for a, b in zip(values, base, strict=True)])}")


if __name__ == "__main__":
    main()
