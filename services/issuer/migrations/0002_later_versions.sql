-- expand: versions after the first say values of their own; changes, holds, terms and earlier guarantees are kept.

-- The obligee's terms stay with the guarantees for life; null only where the application came without them.
alter table application add column terms jsonb;

alter table guarantee
    add column earlier_guarantee_number text,
    add constraint only_an_interim_advance_payment_has_an_earlier_one
        check (earlier_guarantee_number is null or kind = 'interim_advance_payment');
create index guarantee_after_earlier on guarantee (earlier_guarantee_number)
    where earlier_guarantee_number is not null;

-- The first version says what was applied for, so only later ones need room for what they say.
alter table version
    add column particulars jsonb,
    add column revocable   boolean not null default false,
    add column held_at     timestamptz,
    add column released_at timestamptz,
    add column hold_reason text,
    add constraint a_later_version_says_its_values check (version = 1 or particulars is not null),
    add constraint a_hold_has_a_reason check ((held_at is null) = (hold_reason is null));

-- Every accepted change with what became of it: a version, or the problems it was refused with.
create table change (
    portal           text        not null,
    change_id        text        not null,
    guarantee_number text        not null,
    version_kind     text        not null,
    content_sha256   bytea       not null,
    form             jsonb       not null,
    accepted_at      timestamptz not null,
    decided_at       timestamptz not null,
    version          integer,
    problems         jsonb       not null,
    constraint a_change_is_decided_once primary key (portal, change_id),
    constraint a_version_comes_of_one_change unique (guarantee_number, version),
    constraint a_change_makes_a_version_that_is_there
        foreign key (guarantee_number, version) references version (guarantee_number, version),
    constraint a_change_makes_a_version_or_is_refused_with_problems
        check ((version is null) = (jsonb_array_length(problems) > 0))
);
