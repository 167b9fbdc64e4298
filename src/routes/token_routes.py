"""The token service. Public: whoever has a token may check it."""

from fastapi import APIRouter

from controllers import token_controller
from dependencies.rate_limit import limit
from dependencies.routing.json_route import JsonRoute
from dto.token_dto import IssuedToken, TokenStatus

router = APIRouter(
    prefix="/api/app",
    tags=["tokens"],
    route_class=JsonRoute,
    dependencies=[limit("token")],
)

router.post(
    "/token",
    summary="Issue a token",
    response_model=IssuedToken,
)(token_controller.issue_token)

router.get(
    "/valid/{token:anything}",
    summary="Check a token",
    response_model=TokenStatus,
)(token_controller.check_token)

router.delete(
    "/clear/all/tokens",
    summary="Remove the expired tokens",
    response_model=TokenStatus,
)(token_controller.clear_tokens)
