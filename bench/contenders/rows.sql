-- The rows that every contender but the product makes durable: what the product keeps, without its own book-keeping.

create table submission (
    submission_no  bigint generated always as identity primary key,
    portal         text        not null,
    application_id text        not null,
    outcome        text        not null,
    message_id     text,
    answered_at    timestamptz not null default now(),
    answer         json        not null,
    body           bytea       not null,
    unique (portal, application_id)
);

create table application (
    portal         text        not null,
    application_id text        not null,
    accepted_at    timestamptz not null,
    form           jsonb       not null,
    primary key (portal, application_id)
);

create sequence guarantee_serial;

create table guarantee (
    guarantee_number text        primary key,
    portal           text        not null,
    application_id   text        not null,
    kind             text        not null,
    state            text        not null,
    customer_number  text        not null,
    contractor_name  text        not null,
    obligee_code     text        not null,
    obligee_name     text        not null,
    project_name     text        not null,
    price            bigint      not null,
    amount           bigint      not null,
    depository       text,
    guarantee_until  date        not null,
    auth_key         text        not null,
    taken_in_at      timestamptz not null default now(),
    issued_at        timestamptz,
    unique (portal, application_id, kind)
) with (fillfactor = 85);
create index guarantee_of_portal on guarantee (portal, guarantee_number);
create index guarantee_of_customer on guarantee (customer_number, guarantee_number);

create table version (
    guarantee_number text        not null,
    version          integer     not null,
    state            text        not null,
    certificate      text        not null,
    created_at       timestamptz not null default now(),
    issued_at        timestamptz,
    certificate_id   text,
    mail_address     text,
    mail_state       text        not null,
    primary key (guarantee_number, version)
) with (fillfactor = 70);

create table certificate_post (
    guarantee_number text        not null,
    version          integer     not null,
    certificate      bytea       not null,
    arrived_at       timestamptz not null,
    certificate_id   text        not null,
    settled_at       timestamptz not null default now(),
    primary key (guarantee_number, version)
);

create table mail (
    guarantee_number text        not null,
    version          integer     not null,
    address          text        not null,
    message_id       text        not null,
    sent_at          timestamptz not null default now(),
    primary key (guarantee_number, version)
);
