-- expand: what every service needs to hear, to announce and to do errands without losing or doubling anything.

create table inbox (
    consumer   text        not null,
    message_id uuid        not null,
    digest     bytea       not null,
    outcome    text        not null default 'done',
    replay     integer     not null default 0,
    heard_at   timestamptz not null default now(),
    primary key (consumer, message_id),
    constraint a_fact_ends_done_or_parked check (outcome in ('done', 'parked'))
);

-- Counted in a commit of its own before a redelivered fact runs, so that a fact that kills its process is known.
create table attempt (
    consumer   text    not null,
    message_id uuid    not null,
    attempts   integer not null,
    counted_at timestamptz not null default now(),
    primary key (consumer, message_id)
);

-- A process is alive while it holds the advisory lock of its id; missing_since is set by whoever first misses it.
create table owner (
    owner_id      bigint primary key,
    started_at    timestamptz not null default now(),
    missing_since timestamptz
);

create table outbox (
    id          bigint generated always as identity primary key,
    exchange    text        not null,
    routing_key text        not null,
    message_id  uuid        not null,
    type        text        not null,
    subject     text        not null,
    correlation text        not null,
    body        bytea       not null,
    headers     jsonb,
    digest      bytea       not null,
    journalled  boolean     not null,
    time        text        not null,
    due_at      timestamptz not null default now(),
    attempts    integer     not null default 0,
    lease_owner bigint,
    lease_until timestamptz,
    last_error  text,
    constraint a_lease_has_an_owner_and_an_end check ((lease_owner is null) = (lease_until is null))
);
create index outbox_waiting on outbox (due_at, id) where lease_owner is null;
create index outbox_leased on outbox (lease_owner) where lease_owner is not null;

create table errand (
    errand      text        not null,
    key         text        not null,
    turn_of     text        not null,
    turn        bigint      not null,
    order_key   text,
    order_no    integer,
    payload     bytea       not null,
    correlation text        not null,
    traceparent text,
    state       text        not null default 'due',
    created_at  timestamptz not null default now(),
    due_at      timestamptz not null default now(),
    settled_at  timestamptz,
    attempts    integer     not null default 0,
    unknown     boolean     not null default false,
    lease_owner bigint,
    lease_until timestamptz,
    lease_token bigint      not null default 0,
    last_error  text,
    primary key (errand, key),
    constraint an_errand_is_due_held_or_settled check (state in ('due', 'held', 'settled')),
    constraint only_due_errands_are_leased check (lease_owner is null or state = 'due'),
    constraint a_lease_has_an_owner_and_an_end check ((lease_owner is null) = (lease_until is null)),
    constraint settled_errands_say_when check ((state = 'settled') = (settled_at is not null)),
    constraint an_ordered_errand_has_its_number check ((order_key is null) = (order_no is null))
);
create unique index an_ordered_errand_is_alone_at_its_number on errand (errand, order_key, order_no)
    where order_key is not null;
create index errand_waiting on errand (errand, turn, due_at) where state = 'due' and lease_owner is null;
create index errand_leased on errand (lease_owner) where lease_owner is not null;
create index errand_settled on errand (settled_at) where state = 'settled';

-- The next turn of each portal in each errand: rows are claimed by turn, so a flood waits behind its own rows.
create table turn (
    errand    text   not null,
    turn_of   text   not null,
    next_turn bigint not null,
    primary key (errand, turn_of)
);

-- What all processes of a service must agree on about one errand's outside: paused, why, and when to probe.
create table stage (
    errand       text primary key,
    closed_until timestamptz,
    reason       text,
    failures     integer not null default 0,
    changed_at   timestamptz not null default now()
);

alter table outbox set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
alter table inbox set (autovacuum_vacuum_insert_scale_factor = 0.1);
