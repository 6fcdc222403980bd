"""The two papers: 電子保証にかかる「認証キー」のお知らせ and 電子証書, set by Typst in a process of its own.

`content` says what stands on them, `press` runs the process and hands it orders, `worker` is that process, `setting`
and `lettering` are what it does. Nothing here touches a disk: an order goes in through a pipe, a PDF comes out.
"""
