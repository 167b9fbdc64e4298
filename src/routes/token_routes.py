"""The token service. Public: a token is its own proof."""

from fastapi import APIRouter

from controllers import token_controller
from dependencies.documentation.answers import documented_errors
from dependencies.rate_limit import limit
from dependencies.routing.json_route import JsonRoute
from dto.token_dto import IssuedToken, TokenStatus

router = APIRouter(
    prefix="/api/app",
    tags=["tokens"],
    route_class=JsonRoute,
    dependencies=[limit("token")],
    responses=documented_errors(429),
)

router.post(
    "/token",
    summary="Issue a token",
    response_model=IssuedToken,
    responses=documented_errors(413, 422),
)(token_controller.issue_token)

router.get(
    "/valid/{token:anything}",
    summary="Is this token good?",
    response_model=TokenStatus,
    responses=documented_errors(422),
)(token_controller.check_token)

router.delete(
    "/clear/all/tokens",
    summary="Remove the expired tokens",
    response_model=TokenStatus,
)(token_controller.clear_tokens)
