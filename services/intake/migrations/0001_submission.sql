-- expand: every application that was answered, with the answer and the bytes as they were sent.

create table submission (
    submission_no  bigint generated always as identity primary key,
    answer_id      uuid        not null,
    portal         text        not null,
    application_id text,
    outcome        text        not null,
    message_id     text,
    content_sha256 text,
    answered_at    timestamptz not null,
    answer         json        not null,
    body           bytea       not null,
    constraint every_answer_is_kept_once unique (answer_id),
    constraint a_submission_is_accepted_rejected_or_conflicted
        check (outcome in ('accepted', 'rejected', 'conflicted')),
    constraint an_accepted_submission_has_an_identity
        check (outcome <> 'accepted' or (application_id is not null and content_sha256 is not null))
);

create unique index an_accepted_application_occupies_its_id on submission (portal, application_id)
    where outcome = 'accepted';
create index submission_by_portal on submission (portal, submission_no);
create index submission_by_application on submission (portal, application_id, submission_no);
