"""What the pages of all simulators have in common: the layout, the look, and safe answers.

A simulator keeps its templates in a folder `templates` of its own and lets them extend `layout.html`, which fills in
the skip link, the header and the footer. Its routes are `Pages.routes()` and those that answer `Pages.page(…)`.
Every value is escaped; a page asks no other host for anything and runs no script but the simulator's own one, if any.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from aiohttp import web
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined

from simulators.clock import TOKYO

FOLDER = Path(__file__).parent
LOOK_ADDRESS = "/look.css"
ICON_ADDRESS = "/icon.svg"
SCRIPT_ADDRESS = "/page.js"

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
POLICY_WITH_SCRIPT = f"{POLICY}; script-src 'self'; connect-src 'self'"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
KEPT_HEADERS = {"Cache-Control": "max-age=300", "X-Content-Type-Options": "nosniff"}


class Pages:
    """The pages of one simulator.

    Attributes:
        name: what stands in its header.
        about: one sentence on what it stands for; in its footer.
        script: the one script of its pages, which must work without it; None if they have none.
    """

    def __init__(self, name: str, about: str, templates: Path, script: Path | None = None) -> None:
        loader = ChoiceLoader([FileSystemLoader(templates), FileSystemLoader(FOLDER / "templates")])
        self._environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        self._environment.filters["moment"] = moment
        self._environment.globals.update(site_name=name, site_about=about, look=LOOK_ADDRESS, icon=ICON_ADDRESS)
        self._environment.globals["script"] = None if script is None else SCRIPT_ADDRESS
        self._look = (FOLDER / "look.css").read_bytes()
        self._icon = (FOLDER / "icon.svg").read_bytes()
        self._script = None if script is None else script.read_bytes()
        self._headers = HEADERS if script is None else HEADERS | {"Content-Security-Policy": POLICY_WITH_SCRIPT}

    def routes(self) -> list[web.RouteDef]:
        """What the layout itself needs."""
        script = [] if self._script is None else [web.get(SCRIPT_ADDRESS, self._own_script)]
        return [web.get(LOOK_ADDRESS, self._look_sheet), web.get(ICON_ADDRESS, self._own_icon), *script]

    def page(self, template: str, facts: Mapping[str, object], status: int = 200) -> web.Response:
        """One page."""
        text = self._environment.get_template(template).render(facts)
        return web.Response(text=text, status=status, content_type="text/html", headers=self._headers)

    async def _look_sheet(self, _: web.Request) -> web.Response:
        return web.Response(body=self._look, content_type="text/css", charset="utf-8", headers=KEPT_HEADERS)

    async def _own_icon(self, _: web.Request) -> web.Response:
        return web.Response(body=self._icon, content_type="image/svg+xml", headers=KEPT_HEADERS)

    async def _own_script(self, _: web.Request) -> web.Response:
        headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=self._script, content_type="text/javascript", charset="utf-8", headers=headers)


def moment(written: str | datetime, form: str = "%Y/%m/%d %H:%M:%S") -> str:
    """A moment in Japan time."""
    read = datetime.fromisoformat(written) if isinstance(written, str) else written
    return read.astimezone(TOKYO).strftime(form)
