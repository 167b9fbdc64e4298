// Run against a server by the project's tests (`__tests__/clients`), which gives its address, a
// product to buy, and a user name that nobody has.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';

import { createTalk, inMemory, nextCursor } from './client.js';

const url = process.env.GOPHERTALK_URL ?? 'http://127.0.0.1:3000';
const tokens = inMemory();
const talk = createTalk(url, tokens);

async function newPost(text: string): Promise<number> {
  const { data } = await talk.POST('/api/posts', { body: { text } });
  assert.ok(data);
  assert.equal(data.text, text);
  return data.id;
}

test('register', async () => {
  const { data } = await talk.POST('/api/auth/register', {
    body: {
      user_name: `ts_${randomUUID().slice(0, 8)}`,
      password: 'gopher1!',
      password_confirm: 'gopher1!',
      first_name: 'Анна',
      last_name: 'Petrova',
    },
  });
  assert.ok(data);
  tokens.write(data);
});

test('post, and page by Link', async () => {
  const mark = randomUUID();
  const written: number[] = [];
  for (const number of [1, 2, 3, 4, 5]) written.unshift(await newPost(`${mark} ${number}`));

  const read: number[] = [];
  let cursor: string | undefined;
  do {
    const { data, response } = await talk.GET('/api/posts', {
      params: { query: { search: mark, limit: 2, ...(cursor && { cursor }) } },
    });
    read.push(...(data ?? []).map((post) => post.id));
    cursor = nextCursor(response);
  } while (cursor);
  assert.deepEqual(read, written);
});

test('like once, and again is 409', async () => {
  const params = { path: { post_id: await newPost('Like me') } };
  assert.equal((await talk.POST('/api/posts/{post_id}/like', { params })).response.status, 201);
  assert.equal((await talk.GET('/api/posts/{post_id}', { params })).data?.user_liked, true);

  const { response } = await talk.POST('/api/posts/{post_id}/like', { params });
  assert.equal(response.status, 409);
  assert.equal(response.headers.get('X-Error-Code'), 'post_already_liked');
});

test('a 401 renews the tokens once, for all requests that met it', async () => {
  const before = tokens.read();
  assert.ok(before);
  tokens.write({ ...before, access_token: 'no longer good' });

  const answers = await Promise.all([1, 2, 3].map(() => talk.GET('/api/users/me')));
  assert.deepEqual(answers.map((each) => each.response.status), [200, 200, 200]);
  assert.notEqual(tokens.read()?.refresh_token, before.refresh_token);

  // With a body, which has to be sent a second time.
  tokens.write({ ...tokens.read()!, access_token: 'no longer good' });
  await newPost('Sent twice, written once');
});

test('order with an Idempotency-Key', async () => {
  const [product] = (await talk.GET('/api/products')).data ?? [];
  assert.ok(product);
  const wanted = {
    params: { header: { 'Idempotency-Key': randomUUID() } },
    body: { items: [{ product_id: product.id, quantity: 2 }] },
  };
  const first = await talk.POST('/api/orders', wanted);
  const again = await talk.POST('/api/orders', wanted);
  assert.equal(first.response.status, 201);
  assert.equal(again.data?.id, first.data?.id);
  assert.match(first.data?.total_price ?? '', /^\d+\.\d\d$/);
});

test('a new post comes over the stream', async () => {
  const { data } = await talk.GET('/api/stream', { parseAs: 'stream' });
  assert.ok(data);
  const id = await newPost('Live');

  const reader = data.pipeThrough(new TextDecoderStream()).getReader();
  let arrived = '';
  while (!arrived.includes(`"id":${id},`)) {
    const { done, value } = await reader.read();
    assert.ok(!done);
    arrived += value;
  }
  await reader.cancel();
  assert.match(arrived, /^event: post$/m);
});

test('when the session has ended, the answer is the 401 and no token is left', async () => {
  await talk.POST('/api/auth/logout');
  const { response } = await talk.GET('/api/users/me');
  assert.equal(response.status, 401);
  assert.equal(tokens.read(), null);
});
