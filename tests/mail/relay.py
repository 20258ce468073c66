# An SMTP server for one test. Its one argument is a folder with config.json, rules.json, and what it is to fill with the
# mails that it takes: 1.json, 2.json …
import asyncio
import email
import email.policy
import json
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

folder = pathlib.Path(sys.argv[1])
config = json.loads((folder / "config.json").read_text())
attempts = {}
taken = 0


def rules():
    return json.loads((folder / "rules.json").read_text())


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        attempts[address] = attempts.get(address, 0) + 1
        (folder / "attempts.json").write_text(json.dumps(attempts))
        refused = rules().get("recipients", {}).get(address)
        if refused:
            return refused
        if attempts[address] <= rules().get("greylist", 0):
            return "450 4.2.0 <%s>: Greylisted, try again in a moment" % address
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        global taken
        refused = rules().get("data")
        if refused:
            return refused
        content = envelope.original_content
        message = email.message_from_bytes(content, policy=email.policy.default)
        leaves = [part for part in message.walk() if not part.is_multipart()]
        parts = {part.get_content_type(): part.get_content().replace("\r\n", "\n") for part in leaves}
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "options": envelope.mail_options,
            "hello": session.host_name,
            "tls": session.ssl is not None,
            "user": session.auth_data.login.decode() if session.auth_data else None,
            # As a program reads them: decoded.
            "headers": {name.lower(): str(value) for name, value in message.items()},
            "to_name": message["to"].addresses[0].display_name,
            "from_name": message["from"].addresses[0].display_name,
            "defects": [str(defect) for defect in message.defects],
            "longest": max(len(line) for line in content.split(b"\r\n")),
            "is_ascii": content.isascii(),
            "text": parts.get("text/plain"),
            "html": parts.get("text/html"),
        }
        taken += 1
        unfinished = folder / "unfinished"
        unfinished.write_text(json.dumps(mail))
        unfinished.rename(folder / ("%d.json" % taken))
        return "250 2.0.0 Taken"


def authenticate(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"ana@relay.example", b"s3cret word")
    if good:
        return AuthResult(success=True, auth_data=data)
    return AuthResult(success=False, handled=False, message="535 5.7.8 ana@relay.example: not with this password")


async def main():
    context = None
    if config.get("certificate"):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(config["certificate"], config["key"])
    implicit = config.get("implicit", False)
    auth = config.get("auth", False)

    def factory():
        return SMTP(
            Handler(),
            hostname="relay.example",
            enable_SMTPUTF8=config.get("utf8", True),
            tls_context=None if implicit else context,
            require_starttls=bool(context) and not implicit,
            authenticator=authenticate if auth else None,
            auth_required=auth,
            auth_require_tls=not implicit,
            auth_exclude_mechanism=config.get("exclude", []),
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(factory, "127.0.0.1", config.get("port", 0), ssl=context if implicit else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
