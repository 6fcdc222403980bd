-- expand: some sixty grams of each application went into the index one by one; a short list lets them go in together.

-- A search reads the list too, so it stays short.
alter index ledger_application_grams set (fastupdate = on, gin_pending_list_limit = 512);
