-- expand: a look at a key says where it came from, and rows are found by the key that sealed them.

-- Null only in the looks from before; text, since an address may name a zone that inet does not know.
alter table auth_key_reveal
    add column address text,
    add constraint an_address_is_not_empty check (address <> '');

-- By key id and number: what an old key still seals is counted and sealed again without reading the whole table.
create index guarantee_sealed_by on guarantee (split_part(sealed_auth_key, '.', 2), guarantee_number)
    where sealed_auth_key is not null;
