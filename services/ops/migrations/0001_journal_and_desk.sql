-- expand: the journal of every announcement and the desk of parked facts, so that nothing piles up unheard.

create table journal_entry (
    entry_no     bigint generated always as identity primary key,
    fact_id      uuid        not null,
    service      text        not null,
    type         text        not null,
    subject      text        not null,
    correlation  text        not null,
    announced_at timestamptz not null,
    digest       bytea       not null,
    heard_at     timestamptz not null default now(),
    constraint a_fact_is_journalled_once_per_content unique (fact_id, digest)
);
create index journal_entry_correlation on journal_entry (correlation, announced_at);
create index journal_entry_subject on journal_entry (subject, announced_at);

create table parked_fact (
    parked_id   uuid primary key,
    fact_id     uuid,
    consumer    text        not null,
    code        text        not null,
    reason      text        not null,
    type        text        not null,
    subject     text        not null,
    correlation text        not null,
    replay      integer     not null,
    body        bytea       not null,
    parked_at   timestamptz not null default now()
);
create index parked_fact_code on parked_fact (consumer, code, parked_at);
