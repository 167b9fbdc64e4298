// Makes the collection and the environment beside this file from the server's own description:
//   curl -s http://127.0.0.1:3000/openapi.json | npm --prefix postman run generate
// A folder as first argument takes the files instead. The same description gives the same bytes.
'use strict';

const { createHash } = require('node:crypto');
const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const converter = require('openapi-to-postmanv2');
const {
  ABOUT, ADMIN_LOGIN, ALWAYS, BEFORE_EACH, BY_ADMIN, CHECKS, FIELDS, LOGIN_AGAIN_BEFORE, PATHS,
  SAVES, TEXTS,
} = require('./requests');

const OPTIONS = {
  folderStrategy: 'Tags',
  enableOptionalParameters: false,
  optimizeConversion: false,
  requestParametersResolution: 'Example',
  exampleParametersResolution: 'Example',
};

function script(listen, lines) {
  return { listen, script: { type: 'text/javascript', exec: lines } };
}

// An id that stays the same as long as the name of the thing does.
function idOf(name) {
  const hex = createHash('sha256').update(name).digest('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}

function withVariables(text) {
  return TEXTS.reduce((done, [pattern, variable]) => done.replace(pattern, variable), text);
}

function bodyOf(operationId, example) {
  const fields = { ...example };
  for (const [name, value] of Object.entries(FIELDS[operationId] || {})) {
    if (name in fields) fields[name] = value;
  }
  // A number's variable stands without the quotes that JSON gave it.
  return withVariables(JSON.stringify(fields, null, 2)).replace(/"#(\{\{\w+\}\})"/g, '$1');
}

function keysOf(example) {
  const one = Array.isArray(example) ? example[0] : example;
  return one && typeof one === 'object' ? Object.keys(one) : [];
}

// What the answer must be: its status, the fields of its example, and what `CHECKS` adds.
function testsOf(operationId, which, status, answer) {
  const example = answer.content && Object.values(answer.content)[0].example;
  const lines = [`pm.test('is ${status}', () => pm.response.to.have.status(${status}));`];
  const checks = [].concat((CHECKS[operationId] || [])[which] || []);
  if (status === 204) {
    lines.push("pm.test('has no body', () => pm.expect(pm.response.text()).to.equal(''));");
  } else if (typeof example === 'string') {
    lines.push(`pm.test('says so', () => pm.expect(pm.response.text()).to.equal('${example}'));`);
  } else {
    lines.push('const body = pm.response.json();');
    if (Array.isArray(example)) {
      lines.push("pm.test('is a list', () => pm.expect(body).to.be.an('array'));");
    }
    if (keysOf(example).length) {
      const fields = keysOf(example).map((key) => `'${key}'`).join(', ');
      const each = Array.isArray(example) ? 'body' : '[body]';
      lines.push(`pm.test('has its fields', () => ${each}.forEach((each) =>`);
      lines.push(`  pm.expect(each).to.have.all.keys(${fields})));`);
    }
  }
  for (const [title, check] of checks) lines.push(`pm.test('${title}', () => ${check});`);
  return [...lines, ...[].concat((SAVES[operationId] || [])[which] || [])];
}

function urlOf(url, operationId, operation) {
  const defaults = Object.fromEntries(
    (operation.parameters || []).map((each) => [each.name, each.schema.default]),
  );
  const raw = ['{{api_url}}', ...url.path.slice(1)].join('/');
  return {
    raw,
    host: ['{{api_url}}'],
    path: url.path.slice(1),
    // The generator invents values for what has no default.
    query: url.query.map((each) => ({ ...each, value: String(defaults[each.key] ?? '') })),
    variable: url.variable.map(({ key, description }) => ({
      key, description, value: { ...PATHS, ...PATHS[operationId] }[key],
    })),
  };
}

function authOf(operationId, operation) {
  if (!operation.security) return { type: 'noauth' };
  if (operation['x-role'] !== 'admin' && !BY_ADMIN.includes(operationId)) return undefined;
  return { type: 'bearer', bearer: [{ key: 'token', value: '{{admin_token}}', type: 'string' }] };
}

function headersOf(headers) {
  return headers.map((each) =>
    each.key === 'Idempotency-Key' ? { ...each, value: '{{$guid}}' } : each);
}

function answerOf(status, answer) {
  const [type, content] = Object.entries(answer.content || {})[0] || [];
  return {
    id: '',
    name: answer.description,
    code: status,
    status: answer.description,
    header: type ? [{ key: 'Content-Type', value: type }] : [],
    body: type === 'application/json' ? JSON.stringify(content.example, null, 2) : content?.example,
    cookie: [],
    _postman_previewlanguage: type === 'application/json' ? 'json' : 'text',
  };
}

// One request for each example of the operation's body, or one if it has none.
function itemsOf(generated, operation) {
  const { operationId } = operation;
  const status = Number(Object.keys(operation.responses).find((each) => each.startsWith('2')));
  const answer = operation.responses[status];
  const [content] = Object.values(operation.requestBody?.content || {});
  const examples = content?.examples
    ? Object.entries(content.examples).map(([title, { value }]) => [title, value])
    : [['', content?.example]];
  return examples.map(([title, example], which) => {
    const { request } = generated;
    const body = request.body && { ...request.body };
    if (body?.mode === 'raw') body.raw = bodyOf(operationId, example);
    if (body?.mode === 'urlencoded') {
      body.urlencoded = body.urlencoded.map(
        ({ key, value }) => ({ key, value: withVariables(value) }),
      );
    }
    return {
      name: examples.length > 1 ? `${operation.summary}: ${title}` : operation.summary,
      event: [script('test', testsOf(operationId, which, status, answer))],
      request: {
        method: request.method,
        header: headersOf(request.header),
        url: urlOf(request.url, operationId, operation),
        description: operation.description,
        auth: authOf(operationId, operation),
        body,
      },
      response: [answerOf(status, answer)],
    };
  });
}

function createdFirst(a, b) {
  const samePath = a.request.url.path.join() === b.request.url.path.join();
  return samePath ? (b.request.method === 'POST') - (a.request.method === 'POST') : 0;
}

function folderOf(generated, document) {
  const operations = generated.item.map((item) => {
    const path = item.request.url.path.map((part) => part.replace(/^:(.+)$/, '{$1}')).join('/');
    return [item, document.paths[`/${path}`][item.request.method.toLowerCase()]];
  });
  // A list is read when there is something in it; what logs the visitor out comes last.
  const rank = ([, { operationId }]) => (operationId === LOGIN_AGAIN_BEFORE ? 1 : 0);
  const ordered = operations.sort((a, b) => rank(a) - rank(b) || createdFirst(a[0], b[0]));
  return {
    name: generated.name,
    description: document.tags.find((tag) => tag.name === generated.name).description,
    item: ordered.flatMap(([item, operation]) => itemsOf(item, operation)),
  };
}

function withLogins(folders) {
  const login = folders[0].item.find((item) => item.name === 'Log in');
  const sessions = folders.find((folder) => folder.name === 'sessions');
  sessions.item.splice(-1, 0, { ...login, name: 'Log in again' });
  const asAdmin = {
    ...login,
    name: 'Log in as the administrator',
    event: [script('test', ADMIN_LOGIN.test)],
    request: {
      ...login.request,
      description: ADMIN_LOGIN.description,
      body: { ...login.request.body, raw: JSON.stringify(ADMIN_LOGIN.body, null, 2) },
    },
  };
  folders[0].item.push(asAdmin);
  return folders;
}

function withIds(items, path) {
  items.forEach((item) => {
    item.id = idOf(`${path}/${item.name}`);
    (item.response || []).forEach((each) => {
      each.id = idOf(`${path}/${item.name}/${each.code}`);
    });
    if (item.item) withIds(item.item, `${path}/${item.name}`);
  });
  return items;
}

function collectionOf(generated, document) {
  return {
    info: {
      _postman_id: idOf(document.info.title),
      name: document.info.title,
      description: ABOUT,
      schema: generated.info.schema,
    },
    auth: { type: 'bearer', bearer: [{ key: 'token', value: '{{access_token}}', type: 'string' }] },
    event: [script('prerequest', BEFORE_EACH), script('test', ALWAYS)],
    item: withIds(withLogins(generated.item.map((each) => folderOf(each, document))), ''),
  };
}

function environmentOf(document) {
  const value = (key, text, type = 'default') => ({ key, value: text, type, enabled: true });
  return {
    id: idOf(`${document.info.title} on this machine`),
    name: `${document.info.title} on this machine`,
    values: [
      value('api_url', 'http://127.0.0.1:3000/api'),
      value('access_token', '', 'secret'),
      value('refresh_token', '', 'secret'),
      value('admin_user_name', 'admin'),
      value('admin_password', '', 'secret'),
      value('admin_token', '', 'secret'),
      value('mail_code', '', 'secret'),
    ],
    _postman_variable_scope: 'environment',
  };
}

const document = JSON.parse(readFileSync(0, 'utf8'));
const folder = process.argv[2] || __dirname;
converter.convert({ type: 'json', data: structuredClone(document) }, OPTIONS, (error, made) => {
  if (error || !made.result) throw error || new Error(made.reason);
  const write = (name, content) =>
    writeFileSync(join(folder, name), `${JSON.stringify(content, null, 2)}\n`);
  write('gophertalk.postman_collection.json', collectionOf(made.output[0].data, document));
  write('gophertalk.postman_environment.json', environmentOf(document));
});
