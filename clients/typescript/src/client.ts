// GopherTalk for a front end: openapi-fetch with the types of `api.ts`, which `npm run generate`
// makes. It sends the access token, and renews it once when the server no longer takes it.
import createClient, { type Client } from 'openapi-fetch';

import type { components, paths } from './api.js';

export type TokenPair = components['schemas']['Tokens'];
export type Talk = Client<paths>;

/** Where the tokens are between two requests. Whoever has them is the user: choose with care. */
export interface TokenStore {
  read(): TokenPair | null;
  write(pair: TokenPair | null): void;
}

export function inMemory(): TokenStore {
  let kept: TokenPair | null = null;
  return {
    read: () => kept,
    write: (pair) => {
      kept = pair;
    },
  };
}

/**
 * A client of the server at `baseUrl`, such as `http://127.0.0.1:3000`. Its methods are the HTTP
 * methods: `await talk.POST('/api/posts', { body: { text: 'Hello' } })` gives `data` or `error`,
 * and the `response`. When the session has ended, the store is empty and the answer is the 401.
 */
export function createTalk(baseUrl: string, tokens: TokenStore = inMemory()): Talk {
  // Requests that are refused at the same time share one renewal: a refresh token is good once.
  let renewal: Promise<boolean> | null = null;

  async function renew(): Promise<boolean> {
    const refresh_token = tokens.read()?.refresh_token;
    if (!refresh_token) return false;
    const { data, response } = await createClient<paths>({ baseUrl }).POST('/api/auth/refresh', {
      body: { refresh_token },
    });
    if (data) tokens.write(data);
    else if (response.status === 401) tokens.write(null);
    return data !== undefined;
  }

  async function send(request: Request): Promise<Response> {
    const used = tokens.read()?.access_token;
    if (!used) return fetch(request);
    const again = request.clone(); // a body can be read once
    const answer = await fetch(withToken(request, used));
    if (answer.status !== 401) return answer;
    // Another request may have renewed it since this one was sent.
    if (tokens.read()?.access_token === used) {
      renewal ??= renew().finally(() => {
        renewal = null;
      });
      if (!(await renewal)) return answer;
    }
    const renewed = tokens.read()?.access_token;
    return renewed ? fetch(withToken(again, renewed)) : answer;
  }

  return createClient<paths>({ baseUrl, fetch: send });
}

/** The `cursor` of the next page of a list, or undefined on the last one. */
export function nextCursor(response: Response): string | undefined {
  const next = /<([^>]+)>; rel="next"/.exec(response.headers.get('Link') ?? '')?.[1];
  return (next && new URL(next, response.url).searchParams.get('cursor')) || undefined;
}

function withToken(request: Request, accessToken: string): Request {
  request.headers.set('Authorization', `Bearer ${accessToken}`);
  return request;
}
