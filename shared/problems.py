"""One shape for everything that is told about somebody's input: a problem refuses it, a remark only informs.

Which codes there are and what they say stands beside the rules of each service.
"""

from pydantic import BaseModel, ConfigDict


class Problem(BaseModel):
    """One thing to say about one place of what was sent, for a program (`code`, `pointer`) and for two readers.

    Attributes:
        code: names the problem for ever, snake_case.
        pointer: JSON Pointer (RFC 6901) into what was sent; empty for the whole of it.
        message_ja: what is wrong and what to do, for contractors and officials.
        message_en: the same for developers.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    code: str
    pointer: str
    message_ja: str
    message_en: str
