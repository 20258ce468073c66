#!/usr/bin/env bash
# npm's web-push encrypts a payload of any length, as several records where it is long, which no push may have.
#
# Guess: a payload that does not fit into a push (4,096 bytes with header and tag: 3,993 of text) is refused, or said to be too
#   long, before it goes out.
# Really: generateRequestDetails takes 4,500 or 9,000 bytes without a word and makes two or three records of 4,096 bytes of
#   them. RFC 8291, section 4, wants exactly one; what comes of it is up to the push service (413) or the browser. One
#   byte too many, 3,994, makes a body of 4,097 bytes.
# Version: web-push 3.6.7, with http_ece 1.2.0.
# Source: RFC 8291, section 4; https://github.com/web-push-libs/web-push/blob/v3.6.7/src/encryption-helper.js
# Date: 2026-11-30.
# For us: senders that were written with it do not show how long a push may be. `push::encrypt` refuses what is too long, and a
#   notice is cut by its length in JSON before (`Notice::json` in src/chat/notifications.rs).
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --no-save --no-audit --no-fund --no-update-notifier --ignore-scripts --silent web-push@3.6.7
cat >run.mjs <<'JS'
import crypto from 'node:crypto';
import { createRequire } from 'node:module';
import webpush from 'web-push';

const require = createRequire(import.meta.url);
console.log(`web-push ${require('web-push/package.json').version}, http_ece ${require('http_ece/package.json').version}`);
const browser = crypto.createECDH('prime256v1');
browser.generateKeys();
const subscription = {
  endpoint: 'https://push.example/1',
  keys: { p256dh: browser.getPublicKey('base64url'), auth: crypto.randomBytes(16).toString('base64url') },
};
const vapidDetails = { subject: 'https://chat.example', ...webpush.generateVAPIDKeys() };
const found = [3993, 3994, 4500, 9000].map((bytes) => {
  const { body } = webpush.generateRequestDetails(subscription, 'x'.repeat(bytes), { vapidDetails });
  // RFC 8188: a salt of 16 bytes, the size of a record in 4, the length of the key in 1, and the key.
  const records = Math.ceil((body.length - 21 - body[20]) / body.readUInt32BE(16));
  console.log(`${bytes} bytes: a body of ${body.length}, ${records} record(s)`);
  return `${body.length}/${records}`;
});
const same = found.join() === '4096/1,4097/1,4620/2,9137/3';
console.log(same ? 'seen: payloads that do not fit are sent in several records' : `changed: ${found.join()}`);
process.exit(same ? 0 : 1);
JS
node run.mjs
