-- expand: a look at a key says whether it was read on a page or printed as the key notice.

-- Null only in the looks from before, and in those that a process of the version before still notes.
alter table auth_key_reveal
    add column shown_by text,
    add constraint a_key_is_shown_by_a_page_or_a_notice check (shown_by in ('page', 'key_notice'));
