"""The gate: who gets in, from where, and how much they may bring."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from treadle.runner.signals import Signals
from treadle.store.database import Database
from treadle.web.frames import Streams
from treadle.web.security import BODY_LIMIT
from treadle.web.site import make_app

from .conftest import HOST, Rows, Wishes, csrf_of, security


@pytest.fixture
def locked(database: Database, rows: Rows, wishes: Wishes, signals: Signals) -> TestClient:
    app = make_app(database=database, requests=wishes, signals=signals, security=security(open_access=False))
    return TestClient(app, base_url=HOST, headers={"accept": "text/html"}, follow_redirects=False)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:80", "localhost.evil.example:8765"])
def test_gate_refuses_foreign_host(studio: TestClient, host: str) -> None:
    assert studio.get("/health", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765"])
def test_gate_answers_its_own_hosts(studio: TestClient, host: str) -> None:
    assert studio.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/runs", "/runs.json", "/workflows/Asking", "/feed", "/nothing", "/openapi.json"]
)
def test_gate_denies_by_default(locked: TestClient, path: str) -> None:
    assert locked.get(path).status_code == 401


@pytest.mark.parametrize("path", ["/health", "/static/favicon.svg"])
def test_gate_leaves_health_and_static_files_open(locked: TestClient, path: str) -> None:
    assert locked.get(path).status_code == 200


def test_login_code_works_once(locked: TestClient, database: Database) -> None:
    answer = locked.get("/login?code=once")
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert locked.get("/").status_code == 200
    locked.cookies.clear()
    assert locked.get("/login?code=once").status_code == 401


def test_login_refuses_wrong_code(locked: TestClient) -> None:
    assert locked.get("/login?code=guess").status_code == 401
    assert locked.get("/login?code=once").status_code == 303


def test_session_survives_a_restart(locked: TestClient, database: Database) -> None:
    locked.get("/login?code=once")
    again = security(open_access=False, code="x")
    app = make_app(database=database, requests=Wishes(), signals=Signals(), security=again)
    assert TestClient(app, base_url=HOST, cookies=locked.cookies).get("/runs.json").status_code == 200


def test_session_with_another_signature_is_nobody(locked: TestClient) -> None:
    locked.get("/login?code=once")
    name, value = next(iter(locked.cookies.items()))
    assert TestClient(locked.app, base_url=HOST, cookies={name: value[:-1] + "!"}).get("/runs.json").status_code == 401


def test_bearer_token_lets_programs_in(locked: TestClient) -> None:
    assert locked.get("/runs.json", headers={"authorization": "Bearer tok"}).status_code == 200
    assert locked.get("/runs.json", headers={"authorization": "Bearer to"}).status_code == 401


def test_write_from_foreign_origin_changes_nothing(studio: TestClient, wishes: Wishes) -> None:
    token = csrf_of(studio)
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1:8765.evil.example"):
        form = {"topic": "x", "_csrf": token}
        answer = studio.post("/workflows/Asking/runs", data=form, headers={"origin": origin})
        assert answer.status_code == 403
    assert wishes.made == []


def test_write_with_token_from_foreign_origin_is_refused(program: TestClient, wishes: Wishes) -> None:
    answer = program.post("/workflows/Asking/runs", json={"topic": "x"}, headers={"origin": "http://evil.example"})
    assert answer.status_code == 403 and wishes.made == []


def test_write_of_a_form_needs_the_csrf_token_of_its_session(studio: TestClient, wishes: Wishes) -> None:
    other = csrf_of(TestClient(studio.app, base_url=HOST, headers={"accept": "text/html"}))
    own = csrf_of(studio)
    assert studio.post("/workflows/Asking/runs", data={"topic": "x"}).status_code == 403
    assert studio.post("/workflows/Asking/runs", data={"topic": "x", "_csrf": other}).status_code == 403
    assert wishes.made == []
    assert studio.post("/workflows/Asking/runs", data={"topic": "x", "_csrf": own}).status_code == 303


def test_own_form_under_no_referrer_has_a_null_origin(studio: TestClient) -> None:
    """Browsers send `Origin: null` with forms of a no-referrer page; Sec-Fetch-Site vouches for them."""
    form = {"topic": "x", "_csrf": csrf_of(studio)}
    headers = {"origin": "null", "sec-fetch-site": "same-origin"}
    assert studio.post("/workflows/Asking/runs", data=form, headers=headers).status_code == 303


def test_open_access_takes_json_from_programs_only(studio: TestClient) -> None:
    assert studio.post("/workflows/Asking/runs", json={"topic": "x"}).status_code == 201
    cross = {"sec-fetch-site": "cross-site"}
    assert studio.post("/workflows/Asking/runs", json={"topic": "x"}, headers=cross).status_code == 403


def test_body_limit_counts_what_really_arrives(program: TestClient, wishes: Wishes) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(BODY_LIMIT // 65536 + 2):
            yield b" " * 65536

    answer = program.post("/workflows/Asking/runs", content=endless(), headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert answer.json()["code"] == "body_too_large" and wishes.made == []


@pytest.mark.parametrize("path", ["/", "/health", "/nothing", "/static/css/studio.css"])
def test_every_answer_wears_the_headers(studio: TestClient, path: str) -> None:
    headers = studio.get(path).headers
    assert headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"


def test_pages_have_nothing_inline(studio: TestClient, rows: Rows) -> None:
    rows.run("r_x", "waiting")
    rows.prompt("r_x", 1)
    for path in ("/", "/workflows/Asking", "/runs", "/runs/r_x", "/inbox", "/runs/r_x/prompts/1"):
        html = studio.get(path).text
        assert " style=" not in html and "<style" not in html and " onclick=" not in html
        scripts = html.split("<script")[1:]
        assert all(" src=" in tag.split(">")[0] or "application/json" in tag.split(">")[0] for tag in scripts)


def test_streams_are_eight_for_a_session_and_a_thousand_in_all() -> None:
    streams = Streams(per_session=8, in_all=1000)
    assert [streams.admit("a") for _ in range(9)] == [True] * 8 + [False]
    streams.leave("a")
    assert streams.admit("a")
    assert sum(streams.admit("") for _ in range(1000)) == 992


def test_program_without_a_login_may_post_nothing_at_all(app: ASGIApp, rows: Rows) -> None:
    """`curl -X POST` from this machine; a browser would say where it comes from."""
    rows.run("r_1", status="held")
    bare = TestClient(app, base_url=HOST, follow_redirects=False)
    assert bare.post("/runs/r_1/release").status_code == 202
    assert bare.post("/runs/r_1/release", headers={"origin": "null", "sec-fetch-site": "cross-site"}).status_code == 403
