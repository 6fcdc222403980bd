"""All pages of the portal, put together."""

from pathlib import Path

from aiohttp import web

from simulators.pages import Pages
from simulators.portal.client import Portal
from simulators.portal.site.applying import Applying
from simulators.portal.site.changing import Changing
from simulators.portal.site.contracts import Contracts
from simulators.portal.site.entrance import Entrance

NAME = "ほしょうポータル（見本）"
ABOUT = "動作確認用の見本です。実在のサービスではありません。"
FOLDER = Path(__file__).parents[1]


def site_routes(portal: Portal) -> list[web.RouteDef]:
    """The routes of all pages."""
    pages = Pages(NAME, ABOUT, FOLDER / "templates", FOLDER / "page.js")
    return [
        *pages.routes(),
        *Entrance(portal, pages).routes(),
        *Applying(portal, pages).routes(),
        *Contracts(portal, pages).routes(),
        *Changing(portal, pages).routes(),
    ]
