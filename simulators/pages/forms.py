"""Reading what a page's form sent."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from aiohttp import web

FORM_TYPE = "application/x-www-form-urlencoded"
FORM_FIELDS_MAX = 64


async def sent_form(request: web.Request) -> Mapping[str, str]:
    """The fields of a form by name, the last one where a name stands twice.

    Raises:
        web.HTTPException: 415 for another content type, 400 for more fields than any page here has.
    """
    if request.content_type != FORM_TYPE:
        raise web.HTTPUnsupportedMediaType(text=f"Content-Type must be {FORM_TYPE}.")
    text = (await request.read()).decode("utf-8", "replace")
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=FORM_FIELDS_MAX))
    except ValueError:
        raise web.HTTPBadRequest(text="The form has too many fields.") from None
