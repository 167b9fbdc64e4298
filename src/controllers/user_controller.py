"""HTTP for users."""

from typing import cast

from fastapi.responses import StreamingResponse

from dependencies.pagination import SearchPage
from dependencies.params import DeletedPosts, UserId, UserRef, UserSearch
from dto.auth_dto import RegisterDto, RegisterFields
from dto.role_dto import Role, UserRolesDto
from dto.user_dto import (
    CreateUserDto,
    CreateUserFields,
    OwnProfile,
    UpdateUserDto,
    User,
    UserChanges,
    UserProfile,
)
from services import auth_service, export_service, role_service, user_service
from services.user_service import delete as delete_user
from services.user_service import get_all as get_all_users
from services.user_service import get_by_id as get_user_by_id
from services.user_service import update as update_user


def get_users(page: SearchPage, search: UserSearch = "") -> list[User]:
    """All users, or those whose user name or names contain a text, ordered by id. A search without
    three letters in a row looks at 10,000 accounts for a page, which can then be short or empty
    although the `Link` header leads on."""
    if not search:
        return page.by_offset(get_all_users(page.fetch_limit, page.offset))
    return page.by_cursor(
        user_service.search(search, page.fetch_limit, page.offset, page.after_id or 0),
        lambda: user_service.get_end_of_search(search, page.after_id or 0),
    )


def sign_up(dto: RegisterDto) -> User:
    """Creates an account without logging in."""
    return auth_service.sign_up(cast(RegisterFields, dto.model_dump(exclude_unset=True)))


def create_user(dto: CreateUserDto) -> UserProfile:
    """Creates an account. To give it roles needs `role:write`; only a superuser can set
    `is_superuser`."""
    optional = dto.model_dump(exclude_unset=True)
    flags = {"roles": dto.roles, "is_active": dto.is_active, "is_superuser": dto.is_superuser}
    return user_service.create(cast(CreateUserFields, optional | flags))


def get_me() -> OwnProfile:
    """Your whole profile, with your roles and permissions."""
    return user_service.get_own_profile()


def export_me() -> StreamingResponse:
    """Everything that the server stores about you, and what you wrote and did, as one JSON
    document."""
    attachment = {"Content-Disposition": 'attachment; filename="gophertalk.json"'}
    return StreamingResponse(export_service.export(), 200, attachment, "application/json")


def get_user(user_id: UserRef) -> User:
    """One user's public profile, by id or by user name; with `user:read_private`, all of it."""
    if isinstance(user_id, int):
        return get_user_by_id(user_id)
    return user_service.get_by_name(user_id)


def update_user_by_id(user_id: UserId, dto: UpdateUserDto) -> User:
    """Changes the fields that are sent. A new password ends your other sessions; it needs
    `current_password`, unless you logged in within the last 15 minutes. `is_active` needs
    `user:update_any`; only a superuser changes `is_superuser`."""
    changes = dto.model_dump(exclude_unset=True, exclude={"password_confirm"})
    return update_user(user_id, cast(UserChanges, changes))


def delete_user_by_id(user_id: UserId, posts: DeletedPosts = None) -> None:
    """Deletes the account for good: its names, address and password are erased, its user name
    becomes free. The posts stay, by an author called `deleted`, or go too with `posts=delete`."""
    user_service.delete_with_posts(user_id) if posts else delete_user(user_id)


def get_user_roles(user_id: UserId) -> list[Role]:
    """The roles of a user, ordered by name. Every member has `user`."""
    return role_service.get_of_user(user_id)


def set_user_roles(user_id: UserId, dto: UserRolesDto) -> list[Role]:
    """Replaces the roles of a user, given by name or id."""
    return role_service.set_of_user(user_id, dto.roles)
