-- expand: facts pass through the outbox in moments; compressing each costs more than everything else about its row.

alter table outbox set (toast_tuple_target = 8160);
