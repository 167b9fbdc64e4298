"""HTTP for posts."""

from dependencies.auth import CurrentUserId, ReaderId
from dependencies.pagination import CursorPage
from dependencies.params import Following, OwnerId, PostId, ReplyToId, Search
from dto.post_dto import CreatePostDto, Post, PostFilter
from services import home_service, post_service


def get_all_posts(
    reader_id: ReaderId,
    page: CursorPage,
    reply_to_id: ReplyToId = 0,
    owner_id: OwnerId = 0,
    search: Search = "",
    following: Following = False,
) -> list[Post]:
    """The feed: top-level posts, the newest first, or the replies to one post, the oldest first;
    with `following`, your home timeline. Who is blocked or muted is left out. The `Link` header
    leads to the next page, without gaps or repeats while new posts arrive. A search without three
    letters in a row looks at 10,000 posts for a page, which can then be short or empty although
    `Link` leads on."""
    if following:
        home_service.check_alone(page.offset, reply_to_id, owner_id, search)
        return page.by_cursor(home_service.get_home(page.fetch_limit, page.after_id))
    wanted: PostFilter = {
        "user_id": reader_id,
        "limit": page.fetch_limit,
        "offset": page.offset,
        "after_id": page.after_id,
        "reply_to_id": reply_to_id,
        "owner_id": owner_id,
        "search": search,
    }
    return page.by_cursor(
        post_service.get_all_posts(wanted), lambda: post_service.get_end_of_search(wanted)
    )


def get_post(post_id: PostId, reader_id: ReaderId) -> Post:
    """One post."""
    return post_service.get_post(post_id, reader_id)


def create_post(dto: CreatePostDto, user_id: CurrentUserId) -> Post:
    """A new post, or a reply to one."""
    return post_service.create_post(
        {"text": dto.text, "user_id": user_id, "reply_to_id": dto.reply_to_id or None}
    )


def delete_post(post_id: PostId, user_id: CurrentUserId) -> None:
    """Deletes a post of your own; with `post:delete_any`, anybody's."""
    post_service.delete_post(post_id, owner_id=user_id)


def view_post(post_id: PostId, user_id: CurrentUserId) -> None:
    """Counts your view, once."""
    post_service.view_post(post_id, user_id)


def like_post(post_id: PostId, user_id: CurrentUserId) -> None:
    """Likes a post, once."""
    post_service.like_post(post_id, user_id)


def dislike_post(post_id: PostId, user_id: CurrentUserId) -> None:
    """Removes your like."""
    post_service.dislike_post(post_id, user_id)
