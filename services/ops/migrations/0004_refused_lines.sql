-- expand: refused certificates are shown on the front page, which must not count the whole ledger for them.

create index ledger_line_refused on ledger_line (since) where status = 'refused_by_platform';
