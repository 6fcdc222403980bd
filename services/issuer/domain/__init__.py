"""The rules of the issuer, pure: what a guarantee is, how it moves, and what people are shown of it.

`states` holds the two life cycles and 手続状況, `names` the numbers and words, `form` what is read of an application,
`certificate` what is signed, `guarantee` one guarantee and everything that can happen to it, `announcements` what is
told of that, `shown` what portals and the office read.
"""
