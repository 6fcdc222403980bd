-- expand: applications taken over, their guarantees, the versions of the certificates, and who looked at a key.

create sequence guarantee_serial as bigint minvalue 1 maxvalue 99999999999 no cycle;

-- The form is kept whole, as intake normalised it, so that nothing a contractor told is ever missing.
create table application (
    portal         text        not null,
    application_id text        not null,
    accepted_at    timestamptz not null,
    remarks        jsonb       not null,
    form           jsonb       not null,
    primary key (portal, application_id)
);

-- What is shown of a guarantee stands in columns; issued_at and the amounts are those of the latest arrived version.
create table guarantee (
    guarantee_number       text        primary key,
    portal                 text        not null,
    application_id         text        not null,
    kind                   text        not null,
    certificate_form       text        not null,
    state                  text        not null,
    status_no              integer     not null,
    customer_number        text        not null,
    contractor_name        text        not null,
    jv_name                text,
    obligee_code           text        not null,
    obligee_name           text        not null,
    project_name           text        not null,
    price                  bigint      not null,
    amount                 bigint      not null,
    depository             text,
    guarantee_until        date        not null,
    taken_in_at            timestamptz not null,
    concluded_at           timestamptz,
    issued_at              timestamptz,
    message_from_guarantor text,
    problems               jsonb       not null,
    sealed_auth_key        text,
    auth_key_fingerprint   bytea,
    constraint one_guarantee_per_line_of_an_application unique (portal, application_id, kind),
    constraint no_two_guarantees_have_one_auth_key unique (auth_key_fingerprint),
    constraint a_guarantee_belongs_to_an_application
        foreign key (portal, application_id) references application (portal, application_id),
    constraint a_guarantee_number_is_five_and_six_digits check (guarantee_number ~ '^[0-9]{5}-[0-9]{6}$'),
    constraint a_guarantee_is_of_a_known_kind
        check (kind in ('advance_payment', 'interim_advance_payment', 'contract_performance')),
    constraint a_certificate_is_on_paper_or_electronic check (certificate_form in ('paper', 'electronic')),
    constraint a_guarantee_is_in_a_known_state
        check (state in ('requested', 'awaiting_conclusion', 'active', 'declined', 'terminated')),
    constraint money_is_more_than_zero_yen check (price > 0 and amount > 0),
    constraint a_guarantee_is_active_from_its_conclusion_on
        check ((concluded_at is not null) = (state in ('active', 'terminated'))),
    constraint concluded_electronic_guarantees_and_no_others_have_an_auth_key
        check ((sealed_auth_key is not null) = (certificate_form = 'electronic' and concluded_at is not null)),
    constraint a_sealed_auth_key_bears_its_fingerprint
        check ((sealed_auth_key is null) = (auth_key_fingerprint is null)),
    constraint nothing_on_paper_is_issued check (issued_at is null or certificate_form = 'electronic')
) with (fillfactor = 85);
-- The number is also the order of the lists, newest first; an application is found by the unique constraint above.
create index guarantee_of_portal on guarantee (portal, guarantee_number);
create index guarantee_of_customer on guarantee (customer_number, guarantee_number);
alter sequence guarantee_serial owned by guarantee.guarantee_number;

create table version (
    guarantee_number text        not null,
    version          integer     not null,
    version_kind     text        not null,
    state            text        not null,
    certificate      text,
    content_sha256   text,
    signature        text,
    created_at       timestamptz not null,
    issued_at        timestamptz,
    certificate_id   text,
    refused_at       timestamptz,
    refusal          text,
    mail_wanted      boolean     not null,
    mail_address     text,
    mail_state       text        not null,
    mail_ordinal     integer     not null,
    mail_refusal     text,
    primary key (guarantee_number, version),
    constraint a_version_belongs_to_a_guarantee foreign key (guarantee_number) references guarantee (guarantee_number),
    constraint versions_are_counted_from_one check (version >= 1),
    constraint a_version_is_of_a_known_kind
        check (version_kind in ('new', 'change', 'correction', 'change_cancellation', 'termination')),
    constraint a_version_is_in_a_known_state check (state in
        ('created', 'in_transit', 'arrived', 'refused', 'ordered', 'superseded', 'corrected', 'cancelled')),
    constraint an_electronic_certificate_is_signed_and_a_paper_one_is_not
        check (num_nulls(certificate, content_sha256, signature) in (0, 3)),
    constraint only_a_signed_certificate_travels
        check (certificate is not null or state not in ('in_transit', 'arrived', 'refused')),
    constraint what_arrived_has_the_platforms_time check (state <> 'arrived' or issued_at is not null),
    constraint what_did_not_arrive_has_no_time
        check (issued_at is null or state not in ('created', 'in_transit', 'refused', 'ordered')),
    constraint a_mail_is_about_an_issued_version
        check (mail_state in ('none', 'waiting', 'sent', 'refused') and (mail_state = 'none' or issued_at is not null)),
    constraint a_wanted_mail_has_an_address check (not mail_wanted or mail_address is not null)
) with (fillfactor = 70);

-- Every look at a 認証キー. Rows are only ever added.
create table auth_key_reveal (
    reveal_no        bigint generated always as identity primary key,
    guarantee_number text        not null,
    portal           text        not null,
    viewer           text        not null,
    revealed_at      timestamptz not null,
    constraint a_look_is_at_the_key_of_a_guarantee
        foreign key (guarantee_number) references guarantee (guarantee_number),
    constraint who_looks_says_who_it_is check (viewer <> '')
);
create index auth_key_reveal_of_guarantee on auth_key_reveal (guarantee_number);
