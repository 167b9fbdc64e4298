"""Users, and the roles they hold."""

from fastapi import APIRouter

from controllers import user_controller
from dependencies.auth import MEMBER, own_or, require
from dependencies.documentation.answers import documented_errors
from dependencies.documentation.examples import request_examples
from dependencies.params import IDEMPOTENT
from dependencies.rate_limit import limit
from dependencies.routing.json_route import HashingRoute, JsonRoute
from dto.role_dto import Role
from dto.user_dto import Export, OwnProfile, User, UserProfile

# All routes but the sign-up count for the limit of a member.
router = APIRouter(
    prefix="/api/users",
    tags=["users"],
    route_class=JsonRoute,
    dependencies=[limit("user")],
)
# Hashing a password takes long, so these routes have their own threads.
hashing = APIRouter(prefix="/api/users", tags=["users"], route_class=HashingRoute)

router.get(
    "",
    summary="List the users",
    response_model=list[User],
    dependencies=[require("user:read")],
)(user_controller.get_users)

hashing.post(
    "",
    summary="Create an account for somebody",
    status_code=201,
    response_model=UserProfile,
    responses=documented_errors(
        {
            403: "Only a superuser may change who is one",
            404: "There is no role painter",
            409: "User already exists",
        }
    ),
    dependencies=[limit("user"), require("user:create"), IDEMPOTENT],
)(user_controller.create_user)

hashing.post(
    "/signup",
    summary="Create an account without logging in",
    status_code=201,
    response_model=User,
    responses=documented_errors({409: "User already exists"}),
    dependencies=[limit("register")],
    openapi_extra=request_examples(
        bodies={
            "Boris": {
                "user_name": "gopher_boris",
                "password": "gopher1!",
                "password_confirm": "gopher1!",
                "first_name": "Boris",
                "last_name": "Petrov",
            }
        }
    ),
)(user_controller.sign_up)

router.get(
    "/me",
    summary="Read your own profile",
    response_model=OwnProfile,
    responses=documented_errors({404: "User not found"}),
    dependencies=[MEMBER],
)(user_controller.get_me)

router.get(
    "/me/export",
    summary="Export your account",
    response_model=Export,
    dependencies=[limit("export"), MEMBER],
)(user_controller.export_me)

router.get(
    "/{user_id:user}",
    summary="Read a user's profile",
    response_model=User | UserProfile,
    responses=documented_errors({404: "User not found"}),
    dependencies=[own_or("user:read")],
)(user_controller.get_user)

for method in ("PUT", "PATCH"):
    hashing.add_api_route(
        "/{user_id:user}",
        user_controller.update_user_by_id,
        methods=[method],
        operation_id="update_user" if method == "PATCH" else "put_user",
        summary="Change an account",
        response_model=User,
        responses=documented_errors(
            {
                400: "No fields to update",
                403: "This change needs the present password, as current_password",
                404: "User not found",
                409: "User already exists",
            }
        ),
        dependencies=[limit("user"), own_or("user:update_any")],
        openapi_extra=request_examples(
            bodies={
                "Another first name": {"first_name": "Hanna"},
                "All that the web client sends": {
                    "user_name": "gopher_anna",
                    "first_name": "Anna",
                    "last_name": "Petrova",
                    "password": "gopher1!",
                    "password_confirm": "gopher1!",
                },
            }
        ),
    )

router.delete(
    "/{user_id:user}",
    summary="Delete an account",
    operation_id="delete_user",
    status_code=204,
    responses=documented_errors(
        {
            403: "A superuser cannot delete their own account",
            404: "User not found",
            409: "This is the last active superuser: make somebody else a superuser first",
        }
    ),
    dependencies=[own_or("user:delete_any")],
    openapi_extra=request_examples(path={"user_id": 3}),
)(user_controller.delete_user_by_id)

# These come after the roles themselves in /docs.
roles = APIRouter(
    prefix="/api/users",
    tags=["roles"],
    route_class=JsonRoute,
    dependencies=[limit("user")],
)

roles.get(
    "/{user_id:user}/roles",
    summary="Read a user's roles",
    response_model=list[Role],
    responses=documented_errors({404: "User not found"}),
    dependencies=[require("role:read")],
    openapi_extra=request_examples(path={"user_id": 4}),
)(user_controller.get_user_roles)

roles.put(
    "/{user_id:user}/roles",
    summary="Set a user's roles",
    response_model=list[Role],
    responses=documented_errors({404: "There is no role painter"}),
    dependencies=[require("role:write")],
    openapi_extra=request_examples(path={"user_id": 4}),
)(user_controller.set_user_roles)
