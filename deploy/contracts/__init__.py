"""`make contracts`: what crosses the border and what services tell each other, published under `docs/contracts/`.

Everything but its README is written from the code and compared with it in a test, so that a change of a contract is
seen by whoever reviews it. `services` builds the programs as they run, `story` is one application with every message
it can cause, `schemas` and `messages` make JSON Schemas and examples of it, `asyncapi`, `openapi` and `platform` the
descriptions of doors, `catalogue` the page of statuses and codes, `folder` the files.
"""
