"""The rules of the issuer, pure: what a guarantee is, how it moves, and what people are shown of it.

`states` holds the two life cycles and 手続状況, `names` the numbers and words, `catalogue` what every problem says.
`form` is what is read of an application, `particulars` what one version says, `certificate` what is signed of that.
`guarantee` is one guarantee; `events`, `mails` and `change` are everything that can happen to it, `limits` and
`interim` the rules its values are judged by. `announcements` is what is told of all that, `shown` what portals and the
office read.
"""
