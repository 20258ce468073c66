// Requests to the server. A refusal is thrown as a Problem whose message can be shown.

import { sizeText } from './format.js';
import { texts } from './texts.js';

/** `status` is 0 where the server was not reached. `limit` is in bytes (413); `retryAfterMs` comes with 429 and 503. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || texts.errors.offline);
    this.status = status;
    this.code = body.code;
    this.fields = body.fields || {};
    this.limit = body.limit;
    this.retryAfterMs = body.retry_after_ms;
    if (this.limit) this.message = texts.errors.tooLarge(sizeText(this.limit));
    else if (body.detail) this.message = texts.errors.of(this);
  }
}

/** The body of an answer; throws a Problem. */
export async function answered(response) {
  if (response.status === 204) return null;
  const found = await response.json().catch(() => ({ detail: texts.errors.loadFailed }));
  if (!response.ok) throw new Problem(response.status, found);
  return found;
}

/** `body` is sent as JSON; a Blob is sent as it is. */
export async function ask(method, path, body) {
  const isBlob = body instanceof Blob;
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: body === undefined ? {} : { 'content-type': isBlob ? body.type : 'application/json' },
      body: body === undefined || isBlob ? body : JSON.stringify(body),
      credentials: 'same-origin',
    });
  } catch {
    throw new Problem(0, {});
  }
  return answered(response);
}

export const get = (path) => ask('GET', path);
export const post = (path, body = {}) => ask('POST', path, body);
export const put = (path, body) => ask('PUT', path, body);
export const patch = (path, body) => ask('PATCH', path, body);
export const remove = (path) => ask('DELETE', path);
