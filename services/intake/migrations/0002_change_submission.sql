-- expand: answered changes, kept apart from applications because both may bear the same id; and the way to old refusals.

create table change_submission (
    submission_no  bigint generated always as identity primary key,
    answer_id      uuid        not null,
    portal         text        not null,
    change_id      text,
    outcome        text        not null,
    message_id     text,
    content_sha256 text,
    answered_at    timestamptz not null,
    answer         json        not null,
    body           bytea       not null,
    constraint every_answer_to_a_change_is_kept_once unique (answer_id),
    constraint a_change_is_accepted_rejected_or_conflicted
        check (outcome in ('accepted', 'rejected', 'conflicted')),
    constraint an_accepted_change_has_an_identity
        check (outcome <> 'accepted' or (change_id is not null and content_sha256 is not null))
);

create unique index an_accepted_change_occupies_its_id on change_submission (portal, change_id)
    where outcome = 'accepted';
create index change_submission_by_portal on change_submission (portal, submission_no);
create index change_submission_by_change on change_submission (portal, change_id, submission_no);
create index change_submission_by_guarantee on change_submission ((answer ->> 'guarantee_number'), submission_no);

-- Refusals are forgotten after their time; what is accepted stays.
create index refused_submission_by_age on submission (answered_at) where outcome <> 'accepted';
create index refused_change_by_age on change_submission (answered_at) where outcome <> 'accepted';
