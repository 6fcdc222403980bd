"""The console: what ops knows, as pages for people, in Japanese and English, live, and usable by keyboard.

`gate` lets people in and reads their forms, `sessions` remembers who is in, `views` puts together what each page shows,
`live` tells pages what changed, `acts` does what a person pressed, `pages` and `words` write it all down as HTML.
Pages ask no other host for anything. What a person does goes out with that person's own token.
"""

from fastapi import APIRouter

from services.ops.web.console.acts import act_routes
from services.ops.web.console.gate import Gate, gate_routes
from services.ops.web.console.live import live_routes
from services.ops.web.console.looking import page_routes
from services.ops.web.console.pages import Pages, static_routes
from services.ops.web.console.sessions import Sessions
from services.ops.web.means import Means


def console_routes(means: Means) -> APIRouter:
    """Every page, and what pages ask for."""
    pages = Pages()
    gate = Gate(Sessions(means.operators), pages)
    router = APIRouter(include_in_schema=False)
    router.include_router(static_routes())
    router.include_router(gate_routes(gate))
    router.include_router(page_routes(means, gate))
    router.include_router(live_routes(means, gate))
    router.include_router(act_routes(means, gate))
    return router
