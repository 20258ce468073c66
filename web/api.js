// Requests to the server. A refusal is thrown as a Problem whose message can be shown.

import { sizeText } from './format.js';
import { language, texts } from './texts.js';

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

/** Statuses that say enough without a body of ours: a proxy sends them for a server that is away, busy, or takes no more. */
const PLAIN = (status) => status >= 500 || [408, 413, 429].includes(status);

/** Something in front of the server answered in its place: a sign-in page, a captive portal. Nothing of it is true of the server. */
export const intercepted = () => new Problem(502, { code: 'intercepted', detail: texts.errors.intercepted });

/** What a body of this type says; a Problem is thrown for one that is not ours, and for a refusal. */
export function understood(status, type, text) {
  // What was only taken on has no body either: a test of notifications, a mail.
  if (status === 204 || (status === 202 && !text)) return null;
  let found;
  try {
    if (/^application\/(?:problem\+)?json\b/.test(type)) found = JSON.parse(text);
  } catch {
    // Cut off, or no JSON.
  }
  const isGood = status >= 200 && status <= 299;
  // Our refusals have a code.
  const isOurs = Boolean(found) && typeof found === 'object' && (isGood || typeof found.code === 'string');
  if (!isOurs && !PLAIN(status)) throw intercepted();
  if (!isGood) throw new Problem(status, isOurs ? found : { detail: status === 413 ? texts.errors.tooLargeHere : texts.errors.loadFailed });
  return found;
}

/** The body of an answer; throws a Problem. */
export async function answered(response) {
  // Ours never lead elsewhere.
  if (response.type === 'opaqueredirect' || response.redirected) throw intercepted();
  const text = await response.text().catch(() => null);
  if (text === null) throw new Problem(0, {});
  return understood(response.status, response.headers.get('content-type') || '', text);
}

/** `body` is sent as JSON; a Blob is sent as it is. */
export async function ask(method, path, body) {
  const isBlob = body instanceof Blob;
  let response;
  try {
    response = await fetch(path, {
      method,
      // Mails are in the language of the page, which may be another than the browser's.
      headers: { 'accept-language': language(), ...(body === undefined ? {} : { 'content-type': isBlob ? body.type : 'application/json' }) },
      body: body === undefined || isBlob ? body : JSON.stringify(body),
      credentials: 'same-origin',
      redirect: 'manual',
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
export const remove = (path, body) => ask('DELETE', path, body);
