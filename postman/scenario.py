"""What a run of the collection needs that the OpenAPI document does not say.

Operations are named by their ids. Most need nothing here: a value in a path, or of the same name
in a body, is the variable of that name, and `create_<thing>` keeps the id of its answer in the
variable `<thing>_id`.
"""

ABOUT = """The whole API, in an order in which a run from top to bottom succeeds.

Choose the environment "GopherTalk on this machine" and run the collection, or begin with
**Create an account**: its script keeps the tokens for the requests that follow. Every run creates
new users.

Requests that need an administrator are skipped until you put the password that
`python3 src/create_superuser.py` printed into the environment's `admin_password`. The two
requests that need the code from a mail are skipped until you fill in `mail_code`, and the stream,
which would not end, until you fill in `stream_ticket`."""

# Names in the examples that must be new in every run.
NEW_IN_EVERY_RUN = [
    (r"gopher_(anna|boris|clara)", r"\1_{{run}}"),
    (r"(anna|boris|clara)@example\.org", r"\1_{{run}}@example.org"),
    (r'"(host|helper|pin)"', r'"\1_{{run}}"'),
]

# Fields of a body that come from earlier answers.
FIELDS = {
    "create_post": {"reply_to_id": "{{post_id}}"},
    "create_report": {"user_id": "{{boris_id}}"},
    "create_order": {"items": [{"product_id": "{{product_id}}", "quantity": 2}]},
    "refresh": {"refresh_token": "{{refresh_token}}"},
    "reset_password": {"token": "{{mail_code}}"},
    "confirm_email": {"token": "{{mail_code}}"},
}

# Values in a path that are not the variable of that name.
PATHS = {
    "delete_post": {"post_id": "{{reply_id}}"},
    "delete_product": {"product_id": "{{shirt_id}}"},
    "delete_role": {"role_id": "{{helper_id}}"},
    "delete_user": {"user_id": "{{clara_id}}"},
    "get_user": {"user_id": "anna_{{run}}"},
    "get_user_roles": {"user_id": "{{boris_id}}"},
    "set_user_roles": {"user_id": "{{boris_id}}"},
    **{
        f"{prefix}{verb}_user": {"user_id": "{{boris_id}}"}
        for verb in ("follow", "mute", "block")
        for prefix in ("", "un")
    },
}

# Parameters of a query that are switched on.
QUERIES = {"read_stream": {"ticket": "{{stream_ticket}}"}}

# Everybody may delete their own account; the run deletes somebody else's.
BY_ADMIN = {"delete_user"}
# It ends the session that the request before it has ended already.
LOGIN_BEFORE = "end_sessions"

# Runs before every request. `run` is new with every account. A request is skipped when a variable
# in it is empty: without the administrator's password, or when an earlier request was skipped.
BEFORE_EACH = """\
if (pm.info.requestName === 'Create an account') {
  const kept = pm.collectionVariables;
  Object.keys(kept.toObject()).forEach((name) => kept.unset(name));
  kept.set('run', Date.now().toString(36));
}
const sent = [pm.request.url.toString(), pm.request.body?.raw, JSON.stringify(pm.request.auth)];
const needed = [...sent.join(' ').matchAll(/{{(\\w+)}}/g)].map((found) => found[1]);
const missing = needed.filter((name) => !pm.variables.get(name));
if (missing.length) {
  console.log(`${pm.info.requestName} is skipped: ${missing.join(', ')} is empty`);
  pm.execution.skipRequest();
}"""

AFTER_EACH = (
    "pm.test('has a request id', () => "
    "pm.expect(pm.response.headers.has('X-Request-ID')).to.be.true);"
)


def keep(variable: str, field: str = "id") -> str:
    return f"pm.collectionVariables.set('{variable}', body.{field});"


def kept(variable: str) -> str:
    return f"pm.collectionVariables.get('{variable}')"


def equal(title: str, what: str, value: str) -> str:
    return f"pm.test('{title}', () => pm.expect({what}).to.equal({value}));"


KEEP_TOKENS = """\
pm.environment.set('access_token', body.access_token);
pm.environment.set('refresh_token', body.refresh_token);"""
ANNA = "`anna_${pm.variables.get('run')}`"
NAMES = [
    equal("has the new name", "body.first_name", "'Hanna'"),
    equal("has the old name", "body.first_name", "'Anna'"),
]

# Runs after a request: what must be true of the answer, and what later requests need of it. One
# text for each example of the body.
AFTER = {
    "register": [KEEP_TOKENS],
    "login": [KEEP_TOKENS],
    "refresh": [KEEP_TOKENS],
    "get_access_token": ["pm.environment.set('access_token', body.access_token);"],
    "create_post": [
        equal("is what was written", "body.text", "'Hello, gophers!'")
        + f"\n{keep('post_id')}\n{keep('user_id', 'user.id')}",
        equal("answers the first", "body.reply_to_id", kept("post_id")) + f"\n{keep('reply_id')}",
    ],
    "get_posts": [
        equal("has the new post", f"body.some((each) => each.id === {kept('post_id')})", "true")
    ],
    "get_post": [equal("is the post", "body.id", kept("post_id"))],
    "create_product": [
        equal("has an exact price", "body.price", "'1000.00'") + f"\n{keep('product_id')}",
        equal("is not in stock", "body.in_stock", "false") + f"\n{keep('shirt_id')}",
    ],
    "create_order": [
        equal("has an exact total", "body.total_price", "'2000.00'") + f"\n{keep('order_id')}"
    ],
    "get_order": [equal("is the order", "body.id", kept("order_id"))],
    "update_order": [equal("is canceled", "body.status", "'CANCELED'")],
    "get_me": [equal("is who logged in", "body.user_name", ANNA)],
    "get_user": [equal("is who was asked for", "body.user_name", ANNA)],
    "put_user": NAMES,
    "update_user": NAMES,
    "create_user": [keep("clara_id")],
    "sign_up": [keep("boris_id")],
    "create_role": [keep("role_id"), keep("helper_id")],
    "set_role_permissions": [equal("holds both", "body.permissions.length", "2")],
    "set_user_roles": [equal("has two roles", "body.length", "2")],
    "issue_token": [keep("token", "token")],
    "check_token": [equal("is good", "body.status", "true")],
    "get_sessions": [
        "pm.collectionVariables.set('session_id', body.find((each) => !each.current).id);"
    ],
    "ping": [equal("has a database", "body.database", "'ok'")],
}

ADMIN_LOGIN = {
    "name": "Log in as the administrator",
    "description": "For the requests that need an administrator. Put the password that "
    "`python3 src/create_superuser.py` printed into the environment's `admin_password`.",
    "body": {"user_name": "{{admin_user_name}}", "password": "{{admin_password}}"},
    "test": "pm.test('is 200', () => pm.response.to.have.status(200));\n"
    "pm.environment.set('admin_token', pm.response.json().access_token);",
}
