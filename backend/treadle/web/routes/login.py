"""The one-time code of the printed URL, exchanged for a session cookie."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from treadle.web.dependencies import InStudio
from treadle.web.problems import Refusal

router = APIRouter()


@router.get("/login")
async def login(request: Request, studio: InStudio, code: str = "") -> Response:
    """The only GET with an effect: it uses up the code. A browser that is logged in already just goes home."""
    home = RedirectResponse("/", status_code=303)
    if studio.security.config.open_access or studio.security.session_of(request.headers) is not None:
        return home
    session = studio.security.exchange(code)
    if session is None:
        raise Refusal(
            401, "bad_code", "This login link is wrong or was used before. Restart treadle serve for a new one."
        )
    secure = request.url.scheme == "https"
    home.headers.append("Set-Cookie", studio.security.set_cookie(session, secure=secure))
    return home
