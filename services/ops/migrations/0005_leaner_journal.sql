-- expand: what each entry costs; one application brings seven of them.

-- One writer appends a batch and its entries in one transaction, and `verify` compares them: no row needs to ask.
alter table journal_entry drop constraint journal_entry_batch_no_fkey;

-- Of all types only the acts of operators are ever listed.
create index journal_entry_acts on journal_entry (entry_no) where type = 'operator.acted.v1';
drop index journal_entry_of_type;
