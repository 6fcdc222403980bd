"""The statements, one row each."""

from typing import Final

SUBMISSION: Final = """
    insert into submission (portal, application_id, outcome, message_id, answer, body)
    values ($1, $2, 'accepted', $2, $3, $4) on conflict do nothing
"""
SERIAL: Final = "select nextval('guarantee_serial')"
APPLICATION: Final = """
    insert into application (portal, application_id, accepted_at, form) values ($1, $2, now(), $3)
    on conflict do nothing
"""
GUARANTEE: Final = """
    insert into guarantee (guarantee_number, portal, application_id, kind, state, customer_number, contractor_name,
                           obligee_code, obligee_name, project_name, price, amount, depository, guarantee_until,
                           auth_key)
    values ($1, $2, $3, 'advance_payment', 'active', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    on conflict do nothing returning guarantee_number
"""
VERSION: Final = """
    insert into version (guarantee_number, version, state, certificate, mail_address, mail_state)
    values ($1, 1, 'in_transit', $2, $3, 'none')
"""
KNOWN: Final = """
    select guarantee_number, certificate from guarantee join version using (guarantee_number)
     where portal = $1 and application_id = $2
"""
POSTED: Final = """
    insert into certificate_post (guarantee_number, version, certificate, arrived_at, certificate_id)
    values ($1, 1, $2, $3, $4) on conflict do nothing
"""
ISSUED: Final = """
    update guarantee set issued_at = coalesce(issued_at, $2) where guarantee_number = $1
    returning contractor_name, obligee_name, project_name
"""
ARRIVED: Final = """
    update version set state = 'arrived', issued_at = coalesce(issued_at, $2), certificate_id = $3,
           mail_state = case mail_state when 'none' then 'waiting' else mail_state end
     where guarantee_number = $1 and version = 1
    returning mail_address
"""
MAIL: Final = """
    insert into mail (guarantee_number, version, address, message_id) values ($1, 1, $2, $3) on conflict do nothing
"""
SENT: Final = "update version set mail_state = 'sent' where guarantee_number = $1 and version = 1"
