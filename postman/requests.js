// What the generator cannot know: which answers the later requests need, and what must be in them.
'use strict';

exports.ABOUT = `The whole API, in an order in which a run from top to bottom succeeds.

Choose the environment "GopherTalk on this machine" and run the collection, or begin with
**Create an account**: its script keeps the tokens for the requests that follow. Every run makes
people of its own.

What administrators alone may do is left out of a run until you put the password that
\`python3 src/create_superuser.py\` printed into the environment's \`admin_password\`. The two
requests that need the code from a mail wait for \`mail_code\`.`;

// In texts of the examples: names that must be new in every run.
exports.TEXTS = [
  [/gopher_(anna|boris|clara)/g, '$1_{{run}}'],
  [/(anna|boris|clara)@example\.org/g, '$1_{{run}}@example.org'],
  [/"(moderator|helper|pin)"/g, '"$1_{{run}}"'],
];

// Fields of a body, by operation. A # marks a number.
exports.FIELDS = {
  create_post: { reply_to_id: '#{{post_id}}' },
  create_order: { items: [{ product_id: '#{{product_id}}', quantity: 2 }] },
  refresh: { refresh_token: '{{refresh_token}}' },
  reset_password: { token: '{{mail_code}}' },
  confirm_email: { token: '{{mail_code}}' },
};

// Values in a path: for all operations, and for those that need another.
exports.PATHS = {
  post_id: '{{post_id}}',
  product_id: '{{product_id}}',
  order_id: '{{order_id}}',
  user_id: '{{user_id}}',
  role_id: '{{role_id}}',
  permission_id: '{{permission_id}}',
  session_id: '{{session_id}}',
  token: '{{token}}',
  delete_post: { post_id: '{{reply_id}}' },
  delete_product: { product_id: '{{shirt_id}}' },
  get_user: { user_id: 'anna_{{run}}' },
  delete_user: { user_id: '{{clara_id}}' },
  get_user_roles: { user_id: '{{boris_id}}' },
  set_user_roles: { user_id: '{{boris_id}}' },
  delete_role: { role_id: '{{helper_id}}' },
};

// A member may do these too, but not to somebody else's account.
exports.BY_ADMIN = ['delete_user'];
// It logs the visitor out, as the request before it does.
exports.LOGIN_AGAIN_BEFORE = 'end_sessions';

// Before every request. `run` is new with every account. A request is left out if it has a variable
// that nothing has filled: for want of an administrator's password, or of what one would have made.
exports.BEFORE_EACH = [
  "if (pm.info.requestName === 'Create an account') {",
  '  const kept = pm.collectionVariables;',
  '  Object.keys(kept.toObject()).forEach((name) => kept.unset(name));',
  "  kept.set('run', Date.now().toString(36));",
  '}',
  "const sent = [pm.request.url.toString(), pm.request.body?.raw, JSON.stringify(pm.request.auth)];",
  "const needed = [...sent.join(' ').matchAll(/{{(\\w+)}}/g)].map((found) => found[1]);",
  'const missing = needed.filter((name) => !pm.variables.get(name));',
  'if (missing.length) {',
  "  console.log(`${pm.info.requestName}: left out for want of ${missing.join(', ')}`);",
  '  pm.execution.skipRequest();',
  '}',
];

exports.ALWAYS = [
  "pm.test('has a request id', () => pm.expect(pm.response.headers.has('X-Request-ID')).to.be.true);",
];

const keepTokens = [
  "pm.environment.set('access_token', body.access_token);",
  "pm.environment.set('refresh_token', body.refresh_token);",
];
const keep = (variable, field = 'id') => `pm.collectionVariables.set('${variable}', body.${field});`;

// After a request, by operation and example.
exports.SAVES = {
  register: [keepTokens],
  login: [keepTokens],
  refresh: [keepTokens],
  get_access_token: [["pm.environment.set('access_token', body.access_token);"]],
  create_post: [[keep('post_id'), keep('user_id', 'user.id')], keep('reply_id')],
  create_product: [keep('product_id'), keep('shirt_id')],
  create_order: [keep('order_id')],
  create_user: [keep('clara_id')],
  sign_up: [keep('boris_id')],
  create_role: [keep('role_id'), keep('helper_id')],
  create_permission: [keep('permission_id')],
  issue_token: [keep('token', 'token')],
  get_sessions: [
    ["pm.collectionVariables.set('session_id', body.find((each) => !each.current).id);"],
  ],
};

const equal = (title, what, value) => [[title, `pm.expect(${what}).to.equal(${value})`]];
const names = [
  equal('has the new name', 'body.first_name', "'Hanna'"),
  equal('has the old name', 'body.first_name', "'Anna'"),
];
const variable = (name) => `pm.collectionVariables.get('${name}')`;

const ANNA = "`anna_${pm.variables.get('run')}`";

// What must be true of an answer beyond its fields, by operation and example.
exports.CHECKS = {
  create_post: [
    equal('is what was written', 'body.text', "'Hello, gophers!'"),
    equal('answers the first', 'body.reply_to_id', variable('post_id')),
  ],
  get_posts: [
    equal('has the new post', `body.some((each) => each.id === ${variable('post_id')})`, 'true'),
  ],
  get_post: [equal('is the post', 'body.id', variable('post_id'))],
  create_product: [
    equal('has an exact price', 'body.price', "'1000.00'"),
    equal('is not in stock', 'body.in_stock', 'false'),
  ],
  create_order: [equal('has an exact total', 'body.total_price', "'2000.00'")],
  get_order: [equal('is the order', 'body.id', variable('order_id'))],
  update_order: [equal('is canceled', 'body.status', "'CANCELED'")],
  get_me: [equal('is who logged in', 'body.user_name', ANNA)],
  get_user: [equal('is who was asked for', 'body.user_name', ANNA)],
  put_user: names,
  update_user: names,
  set_role_permissions: [equal('holds both', 'body.permissions.length', '2')],
  set_user_roles: [equal('has two roles', 'body.length', '2')],
  check_token: [equal('is good', 'body.status', 'true')],
  ping: [equal('has a database', 'body.database', "'ok'")],
};

exports.ADMIN_LOGIN = {
  description: 'For what administrators alone may do. Put the password that '
    + "`python3 src/create_superuser.py` printed into the environment's `admin_password`.",
  body: { user_name: '{{admin_user_name}}', password: '{{admin_password}}' },
  test: [
    "pm.test('is 200', () => pm.response.to.have.status(200));",
    "pm.environment.set('admin_token', pm.response.json().access_token);",
  ],
};
