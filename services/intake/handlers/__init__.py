"""What intake does with what portals send, whichever door it comes through: every delivery is answered.

There is no inbox here: identity is (portal, application or change id, digest of the content), so the same
content again gets the same answer with the same ids.
"""

from services.intake.handlers.deliveries import answer_all, give_up
from services.intake.handlers.requests import answer_one, judged_for
from services.intake.handlers.sent import read_delivery

__all__ = ["answer_all", "answer_one", "give_up", "judged_for", "read_delivery"]
