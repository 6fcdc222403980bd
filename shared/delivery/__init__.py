"""The life of one delivery: take, decode, one transaction, acknowledge. Nothing else acknowledges.

A fact ends in exactly one of *done*, *retry* (time heals it: nothing is acknowledged, the consumer waits) and *park*
(nobody heals it: kept for the desk in the same commit). What is heard and what an error means for it stands in
`hearing`; the pipeline is `Consumer.settle` in `consumer`, and fits a screen.
"""

from shared.delivery.consumer import Consumer
from shared.delivery.hearing import Ending, Handler, Heard, Hearing, Item, code_of, hear, outcome_of, park_fact

__all__ = ["Consumer", "Ending", "Handler", "Heard", "Hearing", "Item", "code_of", "hear", "outcome_of", "park_fact"]
