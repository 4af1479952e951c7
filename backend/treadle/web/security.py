"""The gate in front of every request: nothing behind it runs unless Host, login, Origin and CSRF token are right.

It is plain ASGI outside the router and denies by default, so a route that forgets about safety is safe all the same.
Only `/login`, `/health` and `/static/` are open to somebody who has not logged in.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from treadle.web.problems import Refusal

BODY_LIMIT = 2 * 1024 * 1024
FIELD_LIMIT = 200
SESSION_SECONDS = 30 * 24 * 3600
CSRF_FIELD = "_csrf"
CSRF_HEADER = "x-csrf-token"

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_OPEN_PATHS = ("/login", "/health")
_SAFE_METHODS = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class SecurityConfig:
    """Who may talk to the studio.

    `token` is the bearer token of programs, `code` the one-time code in the printed URL, `secret` signs cookies and
    must outlive the process, `open_access` drops the login (never the Host, Origin and CSRF checks), `allowed_hosts`
    are exact `host:port` values beside those that follow from `host` and `port`.
    """

    host: str
    port: int
    token: str | None
    code: str | None
    secret: bytes
    open_access: bool = False
    allowed_hosts: tuple[str, ...] = ()
    style_hashes: tuple[str, ...] = field(default=())

    @property
    def hosts(self) -> frozenset[str]:
        """Every Host header that is answered."""
        names = {self.host} if self.host not in ("0.0.0.0", "::") else set()  # noqa: S104 - compared, not bound
        if not names or self.host in ("127.0.0.1", "localhost", "::1"):
            names |= set(_LOOPBACK)
        names = {f"[{name}]" if ":" in name and not name.startswith("[") else name for name in names}
        ports = {f":{self.port}"} | ({""} if self.port in (80, 443) else set())
        return frozenset({name + port for name in names for port in ports} | set(self.allowed_hosts))


@dataclass(frozen=True, slots=True)
class Session:
    """Who is asking: a browser with a signed cookie (`id`), a program with the token, or nobody yet."""

    id: str
    csrf: str
    by_token: bool = False
    fresh: bool = False
    """True when the cookie has still to be sent."""

    @property
    def stream_key(self) -> str:
        """Whose open streams are counted together; programs and strangers have none."""
        return "" if self.fresh else self.id


class Security:
    """Signs and checks; knows the one-time code until it is used."""

    def __init__(self, config: SecurityConfig, *, clock: Callable[[], float] = time.time) -> None:
        self.config = config
        self._clock = clock
        self._code = config.code
        # Cookies do not tell ports apart: two studios on one machine must not log each other out.
        self.cookie = f"treadle_{config.port}"

    def exchange(self, code: str) -> Session | None:
        """A new session for the one-time code; None when it is wrong or used up."""
        if self._code is None or not hmac.compare_digest(code.encode(), self._code.encode()):
            return None
        self._code = None
        return self.new_session()

    def new_session(self) -> Session:
        session_id = f"{secrets.token_urlsafe(16)}.{int(self._clock()) + SESSION_SECONDS}"
        return Session(session_id, self._sign("csrf", session_id), fresh=True)

    def set_cookie(self, session: Session, *, secure: bool) -> str:
        """The Set-Cookie value that carries this session."""
        value = f"{session.id}.{self._sign('session', session.id)}"
        tail = "; Secure" if secure else ""
        return f"{self.cookie}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={SESSION_SECONDS}{tail}"

    def session_of(self, headers: Headers) -> Session | None:
        """The session of a request: its bearer token or its signed cookie, else None."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        known = self.config.token
        if known and scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), known.encode()):
            return Session("", "", by_token=True)
        try:
            morsel = SimpleCookie(headers.get("cookie", "")).get(self.cookie)
        except CookieError:
            return None
        session_id, _, signature = (morsel.value if morsel else "").rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._sign("session", session_id).encode()):
            return None
        expires = session_id.rpartition(".")[2]
        if not expires.isdigit() or int(expires) < self._clock():
            return None
        return Session(session_id, self._sign("csrf", session_id))

    def _sign(self, purpose: str, value: str) -> str:
        return hmac.new(self.config.secret, f"{purpose}:{value}".encode(), hashlib.sha256).hexdigest()


class Gate:
    """ASGI middleware: lets a request through with `scope["state"]["session"]` set, or refuses it."""

    def __init__(self, app: ASGIApp, *, security: Security) -> None:
        self._app = app
        self._security = security
        self._hosts = security.config.hosts
        self._headers = _headers(security.config)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, self._armoured(scope, send))
        else:
            # The studio speaks no websocket: the handshake is refused before anybody sees it.
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        try:
            self._check_host(headers)
            session = self._admit(scope, headers)
            scope.setdefault("state", {})["session"] = session
            if scope["method"] not in _SAFE_METHODS:
                body = await _read_body(headers, receive)
                self._check_write(headers, session, body)
                receive = _replay(body, receive)
        except Refusal as refusal:
            await refusal.response(headers, scope["path"])(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check_host(self, headers: Headers) -> None:
        if headers.get("host", "").lower() not in self._hosts:
            raise Refusal(421, "wrong_host", "This studio does not answer to that host name; open the URL it printed.")

    def _admit(self, scope: Scope, headers: Headers) -> Session:
        session = self._security.session_of(headers)
        if session is not None:
            return session
        if self._security.config.open_access:
            return self._security.new_session()
        path = scope["path"]
        if path in _OPEN_PATHS or path.startswith("/static/"):
            return Session("", "")
        raise Refusal(
            401,
            "login_required",
            "Open the URL that treadle serve printed when it started; programs send Authorization: Bearer TOKEN.",
        )

    def _check_write(self, headers: Headers, session: Session, body: bytes) -> None:
        site = headers.get("sec-fetch-site")
        origin = headers.get("origin")
        if origin is not None and not _own_origin(origin, headers.get("host", ""), site):
            raise Refusal(403, "foreign_origin", "This request comes from another site; nothing was changed.")
        if session.by_token:
            return
        if not session.fresh and session.csrf and hmac.compare_digest(_csrf(headers, body), session.csrf.encode()):
            return
        # A program on this machine that was let in without a login: no browser can send JSON without saying where it
        # comes from, so this opens no door to a web page.
        no_browser = origin is None and site in (None, "none", "same-origin")
        plain = _media_type(headers) == "application/json" or not (body or _media_type(headers))
        if self._security.config.open_access and no_browser and plain:
            return
        raise Refusal(403, "csrf", "The page this came from is too old; reload it and try again. Nothing was changed.")

    def _armoured(self, scope: Scope, send: Send) -> Send:
        async def armoured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers:
                    headers.setdefault(name, value)
                if not scope["path"].startswith("/static/"):
                    headers.setdefault("Cache-Control", "no-store")
                session = scope.get("state", {}).get("session")
                page = headers.get("content-type", "").startswith("text/html")
                if page and session is not None and session.fresh and message["status"] < 400:
                    headers.append("Set-Cookie", self._security.set_cookie(session, secure=scope["scheme"] == "https"))
            await send(message)

        return armoured


def _headers(config: SecurityConfig) -> tuple[tuple[str, str], ...]:
    styles = " ".join(["'self'", *(f"'{value}'" for value in config.style_hashes)])
    policy = (
        f"default-src 'none'; script-src 'self'; style-src {styles}; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    return (
        ("Content-Security-Policy", policy),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
    )


def _own_origin(origin: str, host: str, site: str | None) -> bool:
    # Under no-referrer a browser sends `Origin: null` with our own forms; Sec-Fetch-Site, which no page can set, tells
    # them from those of a sandboxed stranger.
    if origin == "null":
        return site == "same-origin"
    parts = urlsplit(origin)
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()


def _csrf(headers: Headers, body: bytes) -> bytes:
    given = headers.get(CSRF_HEADER)
    if given is None and _media_type(headers) == "application/x-www-form-urlencoded":
        given = dict(_form_pairs(body)).get(CSRF_FIELD)
    return (given or "").encode()


def _form_pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELD_LIMIT)
    except ValueError as error:
        raise Refusal(400, "bad_form", f"A form has at most {FIELD_LIMIT} fields, in UTF-8.") from error


def _media_type(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


async def _read_body(headers: Headers, receive: Receive) -> bytes:
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > BODY_LIMIT:
        raise _too_large()
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Refusal(400, "disconnected", "The request ended before its body did.")
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > BODY_LIMIT:
            raise _too_large()
        if not message.get("more_body", False):
            return b"".join(chunks)


def _too_large() -> Refusal:
    return Refusal(413, "body_too_large", f"A request carries at most {BODY_LIMIT // 1024 // 1024} MiB.")


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replayed() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed
