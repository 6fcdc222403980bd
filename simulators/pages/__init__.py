"""What the pages of all simulators have in common: the layout, the look, and safe answers.

A simulator keeps its templates in a folder `templates` of its own and lets them extend `layout.html`, which fills in
the skip link, the header and the footer. Its routes are `Pages.routes()` and those that answer `Pages.page(…)`.
Every value is escaped; a page asks no other host for anything and runs no script.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from aiohttp import web
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined

from simulators.clock import TOKYO

FOLDER = Path(__file__).parent
LOOK_ADDRESS = "/look.css"

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Pages:
    """The pages of one simulator.

    Attributes:
        name: what stands in its header.
        about: one sentence on what it stands for; in its footer.
    """

    def __init__(self, name: str, about: str, templates: Path) -> None:
        loader = ChoiceLoader([FileSystemLoader(templates), FileSystemLoader(FOLDER / "templates")])
        self._environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        self._environment.filters["moment"] = moment
        self._environment.globals.update(site_name=name, site_about=about, look=LOOK_ADDRESS)
        self._look = (FOLDER / "look.css").read_bytes()

    def routes(self) -> list[web.RouteDef]:
        """What the layout itself needs."""
        return [web.get(LOOK_ADDRESS, self._look_sheet)]

    def page(self, template: str, facts: Mapping[str, object], status: int = 200) -> web.Response:
        """One page."""
        text = self._environment.get_template(template).render(facts)
        return web.Response(text=text, status=status, content_type="text/html", headers=HEADERS)

    async def _look_sheet(self, _: web.Request) -> web.Response:
        headers = {"Cache-Control": "max-age=300", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=self._look, content_type="text/css", charset="utf-8", headers=headers)


def moment(written: str | datetime, form: str = "%Y/%m/%d %H:%M:%S") -> str:
    """A moment in Japan time."""
    read = datetime.fromisoformat(written) if isinstance(written, str) else written
    return read.astimezone(TOKYO).strftime(form)
