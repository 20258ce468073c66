// Requests to the server. What it refuses is thrown as a Problem with words for people.

import { texts } from './texts.js';

export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || texts.errors.offline);
    this.status = status;
    this.code = body.code;
    this.fields = body.fields || {};
    this.retryAfter = body.retryAfter;
    if (body.detail) this.message = texts.errors.of(this);
  }
}

/** What an answer says, or a Problem. */
export async function answered(response) {
  if (response.status === 204) return null;
  const found = await response.json().catch(() => ({ detail: texts.errors.loadFailed }));
  if (!response.ok) throw new Problem(response.status, { ...found, retryAfter: Number(response.headers.get('retry-after')) || undefined });
  return found;
}

/** `body` goes out as JSON; a Blob as it is. */
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
