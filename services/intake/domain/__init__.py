"""The rules of the door, pure: from the bytes a portal sent to one verdict.

`body` reads bytes into JSON, `reading` reads JSON into the `form`, `rules` judges the form with `amounts`, `dates`,
`depository` and `obligees`, `judgement` puts the steps together. `catalogue` holds what every problem says.
Each step collects all its problems and the next one judges whatever could be read, so that nobody mends one mistake
only to hear of the next.
"""
