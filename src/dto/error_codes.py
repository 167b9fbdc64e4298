"""The codes of all refusals, for programs: `X-Error-Code`, and `code` in a problem.

What raises a `DomainError` names its code, or leaves it to the class; what the framework and the
server refuse has that of its status. A test compares this list with the code.
"""

# Where nothing more is known.
CODE_OF_STATUS = {
    400: "invalid_request",
    401: "invalid_credentials",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    409: "conflict",
    412: "precondition_failed",
    413: "body_too_large",
    422: "invalid_input",
    429: "rate_limited",
    431: "headers_too_large",
    499: "client_left",
    500: "internal_error",
    503: "unavailable",
}
# By status: each code with its sentence, in which `*` is any text.
SPECIAL_CODES: dict[int, dict[str, str]] = {
    400: {"no_fields_to_update": "No fields to update"},
    401: {
        "invalid_refresh_token": "Invalid refresh token",
        "invalid_token": "Invalid or expired token",
        "not_authenticated": "Not authenticated",
        "wrong_password": "Wrong password",
    },
    403: {
        "cookie_mode_off": "There is no cookie mode, *",
        "origin_not_allowed": "Not a page of an allowed origin",
        "permission_missing": "This needs the permission *",
        "reauthentication_required": "This change needs the present password, *",
        "superuser_required": "Only a superuser may change *",
    },
    404: {
        "order_not_found": "Order not found",
        "permission_not_found": "Permission not found",
        "post_not_found": "Post not found*",
        "product_not_found": "Product *not found",
        "reference_not_found": "There is no *",
        "report_not_found": "Report not found",
        "role_not_found": "Role not found",
        "session_not_found": "Session not found",
        "user_not_blocked": "User not blocked",
        "user_not_followed": "User not followed",
        "user_not_found": "User not found",
        "user_not_muted": "User not muted",
    },
    409: {
        "already_reported": "You have reported this already",
        "built_in": "The * is built in and *",
        "edit_time_over": "A post can be edited for * minutes only",
        "email_taken": "E-mail address already taken",
        "last_superuser": "This is the last active superuser: *",
        "not_yourself": "You cannot * yourself",
        "order_status": "The order cannot become * from its present status",
        "out_of_stock": "Product * is out of stock",
        "permission_exists": "There is a permission * already",
        "permission_in_use": "Take * from these roles first: *",
        "post_already_liked": "Post already liked",
        "post_already_viewed": "Post already viewed",
        "report_decided": "This report has been decided already",
        "role_exists": "There is a role * already, choose another *",
        "role_in_use": "The role * is held (users: *): take it from them first, *",
        "user_already_blocked": "User already blocked",
        "user_already_followed": "User already followed",
        "user_already_muted": "User already muted",
        "user_exists": "User already exists",
    },
    422: {
        "idempotency_key_reused": "This Idempotency-Key was used for another request",
        "report_without_post": "This report is not about a post",
        "user_name_reserved": "This name is reserved",
    },
    429: {"too_many_streams": "At most * streams at once"},
}
