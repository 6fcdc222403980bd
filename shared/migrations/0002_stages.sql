-- expand: stages that stop and start by themselves, pauses, closing hours, shared rates, and holds that can be counted.

-- `closed_until` is, by the state of the breaker: when the next probe may go (open), or the end of a wait (waiting).
alter table stage
    add column breaker       text             not null default 'closed',
    add column cause         text,
    add column broken_since  timestamptz,
    add column failing       text[]           not null default '{}',
    add column failing_since timestamptz,
    add column probe_key     text,
    add column paused_at     timestamptz,
    add column paused_by     text,
    add column paused_reason text,
    add column resumed_at    timestamptz,
    add column tokens        double precision not null default 0,
    add column tokens_at     timestamptz      not null default now(),
    add constraint a_breaker_is_in_a_known_state
        check (breaker in ('closed', 'waiting', 'open', 'probing', 'ramping')),
    add constraint a_breaker_that_is_not_closed_says_since_when check ((breaker = 'closed') = (broken_since is null)),
    add constraint a_probe_has_its_row check ((breaker = 'probing') = (probe_key is not null)),
    add constraint a_pause_says_by_whom_and_why
        check ((paused_at is null) = (paused_by is null) and (paused_at is null) = (paused_reason is null));

-- Hours in which an outside is announced to be closed, besides the weekly ones of the settings. One that is withdrawn
-- after it has begun ends at that moment.
create table closing (
    errand       text        not null,
    closes_at    timestamptz not null,
    opens_at     timestamptz not null,
    announced_by text        not null,
    reason       text        not null,
    announced_at timestamptz not null default now(),
    constraint the_same_hours_are_announced_once primary key (errand, closes_at),
    constraint closing_hours_end_after_they_begin check (opens_at > closes_at)
);

-- `holds` counts how often a row was held, so that the second hold is another fact than the first.
alter table errand
    add column holds   integer not null default 0,
    add column held_at timestamptz,
    add column held_by text;

-- The row that has been due for longest: what a probe takes, and the order in which operators read.
create index errand_longest_due on errand (errand, due_at, key) where state = 'due' and lease_owner is null;
-- The last success of an errand, and their number without a look at the rows themselves.
create index errand_settled_of on errand (errand, settled_at) where state = 'settled';
drop index errand_settled;
create index errand_held on errand (errand, due_at, key) where state = 'held';
