-- expand: the journal becomes a chain, and the ledger and the desk keep what people ask of them.

-- One row per batch: its hash is over the stored lines of its entries and the hash of the batch before.
create table journal_batch (
    batch_no   bigint      primary key,
    previous   bytea       not null,
    chain      bytea       not null,
    entries    bigint      not null,
    written_at timestamptz not null default now(),
    constraint a_batch_follows_exactly_one_other unique (previous),
    constraint batches_count_from_one check (batch_no >= 1)
);
comment on table journal_batch is 'insert only: a journal is not edited';

-- What was journalled before there was a chain has no batch.
alter table journal_entry
    add column batch_no bigint references journal_batch (batch_no),
    add column line     bytea,
    add column search   jsonb,
    add constraint an_entry_in_the_chain_has_its_line check ((batch_no is null) = (line is null));
comment on table journal_entry is 'insert only: a journal is not edited';
create index journal_entry_batch on journal_entry (batch_no, entry_no);
create index journal_entry_of_type on journal_entry (type, entry_no);

-- One row per accepted application; grams are the pairs of characters of contractor, project and obligee.
create table ledger_application (
    correlation    text        primary key,
    portal         text        not null,
    application_id text        not null,
    contractor     text        not null,
    project        text        not null,
    obligee        text        not null,
    folded         text        not null,
    grams          text[]      not null,
    accepted_at    timestamptz not null
);
create index ledger_application_id on ledger_application (application_id);
create index ledger_application_accepted on ledger_application (accepted_at);
create index ledger_application_grams on ledger_application using gin (grams) with (fastupdate = off);

-- One row per guarantee applied for. `form` is null while only its status is known: services' records race.
create table ledger_line (
    correlation      text        not null,
    kind             text        not null,
    form             text,
    guarantee_number text,
    status           text        not null,
    since            timestamptz not null,
    primary key (correlation, kind)
);
create index ledger_line_number on ledger_line (guarantee_number);
create index ledger_line_unsettled on ledger_line (status, since)
    where status in ('', 'requested', 'awaiting_conclusion', 'in_transit');

create table ledger_mail (
    subject     text        not null,
    ordinal     integer     not null,
    correlation text        not null,
    wanted_at   timestamptz,
    ended_at    timestamptz,
    primary key (subject, ordinal)
);
create index ledger_mail_waiting on ledger_mail (wanted_at) where ended_at is null;

-- What is wrong right now, or was: raised once, seen again and again, cleared when it is no longer so.
create table alarm (
    kind       text        not null,
    key        text        not null,
    told       text        not null,
    ids        text[]      not null,
    raised_at  timestamptz not null default now(),
    seen_at    timestamptz not null default now(),
    cleared_at timestamptz,
    primary key (kind, key)
);
create index alarm_raised on alarm (raised_at) where cleared_at is null;

alter table parked_fact
    add column replayable boolean     not null default false,
    add column state      text        not null default 'open',
    add column act_id     uuid,
    add column acted_by   text,
    add column acted_at   timestamptz,
    add column acted_why  text,
    add constraint a_parked_fact_is_open_replayed_or_discarded check (state in ('open', 'replayed', 'discarded')),
    add constraint only_acted_on_facts_say_by_whom_and_why check (
        (state = 'open') = (act_id is null) and (act_id is null) = (acted_by is null)
        and (act_id is null) = (acted_at is null) and (act_id is null) = (acted_why is null));
update parked_fact set replayable = true
 where fact_id is not null and type <> '' and position('"fact":'::bytea in body) > 0 and code <> 'same_id_other_content';
create index parked_fact_open on parked_fact (consumer, code, parked_id) where state = 'open';
create index parked_fact_correlation on parked_fact (correlation);
create index parked_fact_act on parked_fact (act_id) where act_id is not null;
create index parked_fact_fact on parked_fact (fact_id);
