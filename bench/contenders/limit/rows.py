"""The limit's statements: one for each stage, all rows of a batch in it."""

from typing import Final

SERIALS: Final = "select nextval('guarantee_serial') from generate_series(1, $1)"

SUBMISSIONS: Final = """
    insert into submission (portal, application_id, outcome, message_id, answer, body)
    select $1, new.*
      from unnest($2::text[], $3::text[], $4::text[], $5::json[], $6::bytea[]) as new
    on conflict do nothing
"""

# A second delivery finds its guarantee made; the number it has then stands, whatever number was drawn for it now.
GUARANTEES: Final = """
    with new as (
        select * from unnest($2::text[], $3::jsonb[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                             $9::text[], $10::bigint[], $11::bigint[], $12::text[], $13::date[], $14::text[],
                             $15::text[], $16::text[])
            as new(application_id, form, guarantee_number, customer_number, contractor_name, obligee_code,
                   obligee_name, project_name, price, amount, depository, guarantee_until, auth_key, certificate,
                   address)),
    applications as (
        insert into application (portal, application_id, accepted_at, form)
        select $1, application_id, now(), form from new on conflict do nothing),
    guarantees as (
        insert into guarantee (guarantee_number, portal, application_id, kind, state, customer_number,
                               contractor_name, obligee_code, obligee_name, project_name, price, amount, depository,
                               guarantee_until, auth_key)
        select guarantee_number, $1, application_id, 'advance_payment', 'active', customer_number, contractor_name,
               obligee_code, obligee_name, project_name, price, amount, depository, guarantee_until, auth_key
          from new on conflict do nothing
        returning guarantee_number)
    insert into version (guarantee_number, version, state, certificate, mail_address, mail_state)
    select guarantee_number, 1, 'in_transit', certificate, address, 'none'
      from new join guarantees using (guarantee_number)
    returning guarantee_number
"""
KNOWN: Final = """
    select application_id, guarantee_number, certificate
      from guarantee join version using (guarantee_number)
     where portal = $1 and application_id = any($2::text[])
"""

POSTED: Final = """
    insert into certificate_post (guarantee_number, version, certificate, arrived_at, certificate_id)
    select number, 1, certificate, at, id
      from unnest($1::text[], $2::bytea[], $3::timestamptz[], $4::text[]) as new(number, certificate, at, id)
    on conflict do nothing
"""

ARRIVED: Final = """
    with new as (
        select * from unnest($1::text[], $2::timestamptz[], $3::text[]) as new(guarantee_number, at, id)),
    guarantees as (
        update guarantee set issued_at = coalesce(issued_at, at) from new
         where guarantee.guarantee_number = new.guarantee_number
        returning guarantee.guarantee_number, contractor_name, obligee_name, project_name),
    versions as (
        update version set state = 'arrived', issued_at = coalesce(issued_at, at), certificate_id = id,
               mail_state = case mail_state when 'none' then 'waiting' else mail_state end from new
         where version.guarantee_number = new.guarantee_number and version.version = 1
        returning version.guarantee_number, mail_address)
    select guarantee_number, contractor_name, obligee_name, project_name, mail_address
      from guarantees join versions using (guarantee_number)
"""

MAILS: Final = """
    insert into mail (guarantee_number, version, address, message_id)
    select number, 1, address, id from unnest($1::text[], $2::text[], $3::text[]) as new(number, address, id)
    on conflict do nothing
"""

SENT: Final = """
    update version set mail_state = 'sent' where guarantee_number = any($1::text[]) and version = 1
"""
