"""HTTP for users."""

from typing import cast

from dependencies.auth import CurrentUser, CurrentUserId
from dependencies.pagination import OffsetPage
from dependencies.params import UserId, UserRef
from dto.user_dto import UpdateUserDto, User, UserChanges, UserProfile
from services import user_service
from services.user_service import delete as delete_user
from services.user_service import get_all as get_all_users
from services.user_service import get_by_id as get_user_by_id
from services.user_service import update as update_user


def get_users(page: OffsetPage) -> list[User]:
    """Everybody, ordered by id."""
    return page.by_offset(get_all_users(page.limit, page.offset))


def get_me(user_id: CurrentUserId) -> UserProfile:
    """Your own profile, with what others do not see."""
    return user_service.get_profile(user_id)


def get_user(user: UserRef) -> User:
    """One user's public profile, by id or by user name."""
    return get_user_by_id(user) if isinstance(user, int) else user_service.get_by_name(user)


def update_user_by_id(user_id: UserId, dto: UpdateUserDto, caller: CurrentUser) -> User:
    """Changes the fields that are sent. A new password ends your other sessions; it needs
    `current_password`, unless you logged in within the last 15 minutes."""
    return update_user(user_id, _changes(dto, caller.get("sid")))


def delete_user_by_id(user_id: UserId) -> None:
    """Deletes the account: the name becomes free, the posts stay without it."""
    delete_user(user_id)


def _changes(dto: UpdateUserDto, session_id: str | None) -> UserChanges:
    """Only a change of the password is the session's business."""
    changes = dto.model_dump(exclude_unset=True, exclude={"password_confirm"})
    if session_id and "password" in changes:
        changes["session_id"] = session_id
    return cast(UserChanges, changes)
