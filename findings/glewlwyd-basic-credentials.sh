#!/usr/bin/env bash
# glewlwyd takes a client's id and secret out of HTTP Basic as they stand, without the form encoding that OAuth 2.0 has there.
#
# Guess: a client that encodes its secret before it puts it into the header, as RFC 6749 wants it, is let in.
# Really: a secret with a sign that the encoding changes (`:`, `%`, `+`, `=`, a blank) is refused when it is encoded, with 403
#   unauthorized_client, and taken when it is not. Secrets of letters, digits and `-._~` are the same either way.
# Version: glewlwyd 2.7.5-3+deb12u1 (Debian 12).
# Source: RFC 6749, section 2.3.1; observed.
# Date: 2026-12-01.
# For us: where a provider also lists client_secret_post, a secret with such signs goes by POST, where there is one way to write it
#   (src/outbound/oidc/client.rs).
set -euo pipefail

dir=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
for package in glewlwyd=2.7.5-3+deb12u1 glewlwyd-common=2.7.5-3+deb12u1 libconfig9 libcbor0.8 libhoel1.4 libiddawc1.1 libjansson4 \
    libldap-2.5-0 liboath0 liborcania2.3 librhonabwy1.1 libulfius2.7 libyder2.0 libmicrohttpd12 libsasl2-2 libmariadb3 libpq5; do
    apt-get download -q "$package" >/dev/null 2>apt.log || { cat apt.log; exit 1; }
done
for file in *.deb; do dpkg -x "$file" root; done
zcat root/usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz >init.sql
python3 - <<'PY'
import sqlite3
sqlite3.connect('glewlwyd.db').executescript(open('init.sql', encoding='utf-8').read())
PY
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
modules=$dir/root/usr/lib/glewlwyd
cat >glewlwyd.conf <<CONF
port=$port
bind_address="127.0.0.1"
external_url="http://127.0.0.1:$port"
login_url="login.html"
api_prefix="api"
log_mode="console"
log_level="ERROR"
cookie_domain="127.0.0.1"
session_key="GLEWLWYD2_SESSION_ID"
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="$modules/user"
user_middleware_module_path="$modules/user_middleware"
client_module_path="$modules/client"
user_auth_scheme_module_path="$modules/scheme"
plugin_module_path="$modules/plugin"
hash_algorithm="SHA512"
database = { type = "sqlite3"; path = "$dir/glewlwyd.db"; };
CONF
LD_LIBRARY_PATH=$(echo root/usr/lib/*-linux-*) root/usr/bin/glewlwyd --config-file=glewlwyd.conf >server.log 2>&1 &
server=$!
url=http://127.0.0.1:$port/api
curl -s --retry 50 --retry-delay 1 --retry-connrefused -o /dev/null "$url/"
echo "glewlwyd $(dpkg-deb -f glewlwyd_*.deb Version)"

openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem
openssl pkey -in key.pem -pubout -out public.pem
python3 - "$url" "$port" <<'PY'
import json, sys
url, port = sys.argv[1:]
on = ['auth-type-client-enabled', 'allow-non-oidc', 'refresh-token-rolling']
off = [f'auth-type-{kind}-enabled' for kind in ('code', 'token', 'id-token', 'none', 'password', 'device', 'refresh')]
parameters = {
    'iss': url + '/oidc', 'jwt-type': 'rsa', 'jwt-key-size': '256', 'key': open('key.pem').read(), 'cert': open('public.pem').read(),
    'access-token-duration': 3600, 'refresh-token-duration': 3600, 'code-duration': 600, 'subject-type': 'public',
    **{name: True for name in on}, **{name: False for name in off},
}
plugin = {'module': 'oidc', 'name': 'oidc', 'display_name': 'OIDC', 'enabled': True, 'order_rank': 0, 'parameters': parameters}
json.dump(plugin, open('plugin.json', 'w'))
for number, secret in enumerate(['plain-secret', 's3:cr%t']):
    client = {
        'client_id': f'chat{number}', 'name': 'Chat', 'enabled': True, 'confidential': True, 'client_secret': secret,
        'redirect_uri': ['http://127.0.0.1/back'], 'authorization_type': ['client_credentials'],
        'token_endpoint_auth_method': ['client_secret_basic'], 'scope': ['g_profile'],
    }
    json.dump(client, open(f'client{number}.json', 'w'))
PY
send() { curl -s -b jar -c jar -o answer -w '%{http_code}\n' -H 'content-type: application/json' "$@"; }
send -d '{"username":"admin","password":"password"}' "$url/auth/" >/dev/null
for body in plugin.json client0.json client1.json; do
    case $body in plugin*) path=mod/plugin/ ;; *) path='client/?source=database' ;; esac
    status=$(send -d "@$body" "$url/$path")
    [[ $status = 200 ]] || { echo "setting up: $status $(cat answer)"; exit 1; }
done
# token ID SECRET: the status, and the error if there is one, for a secret written like this in the header.
token() {
    curl -s -o answer -w '%{http_code}' -H "authorization: Basic $(printf '%s:%s' "$1" "$2" | base64)" \
        -d grant_type=client_credentials -d scope=g_profile "$url/oidc/token"
    grep -o '"error":"[a-z_]*"' answer | sed 's/.*:/ /' || true
}
plain=$(token chat0 plain-secret)
raw=$(token chat1 's3:cr%t')
encoded=$(token chat1 's3%3Acr%25t')
echo "plain-secret: $plain"
echo "s3:cr%t as it is: $raw"
echo "s3:cr%t form-encoded, as RFC 6749 has it: $encoded"
if [[ $plain = 200* && $raw = 200* && $encoded = 403* ]]; then
    echo 'seen: the encoded secret is refused, the bare one is taken'
else
    echo "changed: $plain / $raw / $encoded"
    exit 1
fi
