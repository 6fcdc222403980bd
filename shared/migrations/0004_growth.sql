-- expand: what keeps the cost of one delivery the same however many came before it.

-- Facts pass through the outbox in moments; compressing each cost more than everything else about its row.
alter table outbox set (toast_tuple_target = 8160);

-- Rows are only ever added at the end, so a block range index tells for a few pages where the old ones lie.
create index inbox_heard on inbox using brin (heard_at) with (pages_per_range = 32);

-- Every errand row is updated at least once; what its first version held is to be free again soon.
alter table errand set (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);
alter table inbox set (autovacuum_vacuum_scale_factor = 0.05);
