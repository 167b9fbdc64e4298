"""What a program does with the generated Python client; `test_python.py` makes it and runs this.

The argument is the server's address. It ends with an error where something is not as it should be.
"""

import sys
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
from gopher_talk_client import AuthenticatedClient, Client
from gopher_talk_client.api.auth import register
from gopher_talk_client.api.orders import create_order
from gopher_talk_client.api.posts import create_post, get_posts, like_post
from gopher_talk_client.api.products import get_products
from gopher_talk_client.models import (
    CreateOrderDto,
    CreatePostDto,
    Error,
    OrderItemDto,
    RegisterDto,
    Tokens,
)


def logged_in(url: str) -> AuthenticatedClient:
    anna = RegisterDto(
        user_name=f"py_{uuid4().hex[:8]}",
        password="gopher1!",
        password_confirm="gopher1!",
        first_name="Анна",
        last_name="Petrova",
    )
    pair = register.sync(client=Client(url), body=anna)
    assert isinstance(pair, Tokens)
    return AuthenticatedClient(url, token=pair.access_token)


def page_by_link(client: AuthenticatedClient) -> None:
    mark = str(uuid4())
    written = [
        create_post.sync(client=client, body=CreatePostDto(f"{mark} {n}")).id for n in range(5)
    ]
    read, more = [], {}
    while True:
        page = get_posts.sync_detailed(client=client, search=mark, limit=2, **more)
        read += [post.id for post in page.parsed]
        following = httpx.Response(200, headers=page.headers).links.get("next")
        if following is None:
            break
        more = {"cursor": parse_qs(urlsplit(following["url"]).query)["cursor"][0]}
    assert read == written[::-1]


def like_twice(client: AuthenticatedClient) -> None:
    post = create_post.sync(client=client, body=CreatePostDto("Like me"))
    assert like_post.sync_detailed(post.id, client=client).status_code == HTTPStatus.CREATED
    again = like_post.sync_detailed(post.id, client=client)
    assert again.status_code == HTTPStatus.CONFLICT
    assert isinstance(again.parsed, Error)


def order_once(client: AuthenticatedClient) -> None:
    [product, *_] = get_products.sync(client=client)
    wanted = CreateOrderDto([OrderItemDto(product_id=product.id, quantity=2)])
    key = str(uuid4())
    first, again = (
        create_order.sync(client=client, body=wanted, idempotency_key=key) for _ in range(2)
    )
    assert (first.id, first.status) == (again.id, "PENDING")


client = logged_in(sys.argv[1])
page_by_link(client)
like_twice(client)
order_once(client)
