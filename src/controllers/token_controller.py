"""HTTP for the token service. Its answers repeat the status, as its clients expect."""

from dependencies.params import Token
from dto.token_dto import IssuedToken, IssueTokenDto, TokenStatus
from services import token_service


def issue_token(dto: IssueTokenDto | None = None) -> IssuedToken:
    """Issues a token that is valid for `ttl_minutes`, or for an hour."""
    return {"status_code": 200, "token": token_service.issue((dto or IssueTokenDto()).ttl_minutes)}


def check_token(token: Token) -> TokenStatus:
    """Whether the token was issued here and is still valid."""
    return {"status_code": 200, "status": token_service.is_valid(token)}


def clear_tokens() -> TokenStatus:
    """Removes the expired tokens. The server also does it by itself."""
    token_service.clear_expired()
    return {"status_code": 200, "status": True}
