-- expand: the words by which the journal finds a fact again travel with it through the outbox.

alter table outbox add column search jsonb;

-- The desk and the ledger ask how many facts are parked, which must not read the whole memory of a consumer.
create index inbox_parked on inbox (consumer) where outcome = 'parked';
