"""The statements, one row each."""

from typing import Final

SUBMISSION: Final = """
    insert into submission (portal, application_id, outcome, message_id, answer, body)
    values (%s, %s, 'accepted', %s, %s, %s) on conflict do nothing
"""
SERIAL: Final = "select nextval('guarantee_serial')"
APPLICATION: Final = """
    insert into application (portal, application_id, accepted_at, form) values (%s, %s, now(), %s)
    on conflict do nothing
"""
GUARANTEE: Final = """
    insert into guarantee (guarantee_number, portal, application_id, kind, state, customer_number, contractor_name,
                           obligee_code, obligee_name, project_name, price, amount, depository, guarantee_until,
                           auth_key)
    values (%s, %s, %s, 'advance_payment', 'active', %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    on conflict do nothing returning guarantee_number
"""
VERSION: Final = """
    insert into version (guarantee_number, version, state, certificate, mail_address, mail_state)
    values (%s, 1, 'in_transit', %s, %s, 'none')
"""
KNOWN: Final = """
    select guarantee_number, certificate from guarantee join version using (guarantee_number)
     where portal = %s and application_id = %s
"""
POSTED: Final = """
    insert into certificate_post (guarantee_number, version, certificate, arrived_at, certificate_id)
    values (%s, 1, %s, %s, %s) on conflict do nothing
"""
ISSUED: Final = """
    update guarantee set issued_at = coalesce(issued_at, %s) where guarantee_number = %s
    returning contractor_name, obligee_name, project_name
"""
ARRIVED: Final = """
    update version set state = 'arrived', issued_at = coalesce(issued_at, %s), certificate_id = %s,
           mail_state = case mail_state when 'none' then 'waiting' else mail_state end
     where guarantee_number = %s and version = 1
    returning mail_address
"""
MAIL: Final = """
    insert into mail (guarantee_number, version, address, message_id) values (%s, 1, %s, %s) on conflict do nothing
"""
SENT: Final = "update version set mail_state = 'sent' where guarantee_number = %s and version = 1"
