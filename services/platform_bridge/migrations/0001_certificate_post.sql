-- expand: each certificate is kept once, as the bytes that were signed, until and after the platform has spoken.

-- The one place of this service in which a sealed key rests: it is erased in the commit that records the outcome.
create table certificate_post (
    guarantee_number text        not null,
    version          integer     not null,
    portal           text        not null,
    application_id   text        not null,
    concluded_at     timestamptz not null,
    certificate      bytea       not null,
    content_sha256   text        not null,
    signature        text        not null,
    sealed_auth_key  text,
    created_at       timestamptz not null default now(),
    outcome          text,
    settled_at       timestamptz,
    arrived_at       timestamptz,
    certificate_id   text,
    problem_type     text,
    detail           text,
    constraint a_version_is_kept_once primary key (guarantee_number, version),
    constraint versions_count_from_one check (version >= 1),
    constraint a_certificate_ends_arrived_or_refused check (outcome in ('arrived', 'refused')),
    constraint an_outcome_says_when check ((outcome is null) = (settled_at is null)),
    constraint only_an_arrival_has_a_time_and_an_id check (
        (outcome is not distinct from 'arrived') = (arrived_at is not null)
        and (arrived_at is null) = (certificate_id is null)),
    constraint only_a_refusal_has_a_problem check (
        (outcome is not distinct from 'refused') = (problem_type is not null)
        and (problem_type is null) = (detail is null)),
    constraint a_key_is_kept_exactly_while_it_is_needed check ((sealed_auth_key is null) = (outcome is not null))
);
create index certificate_post_waiting on certificate_post (created_at) where outcome is null;
create index certificate_post_settled on certificate_post (settled_at) where outcome is not null;
