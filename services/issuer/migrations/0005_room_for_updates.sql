-- expand: what each guarantee costs to write.

-- Compressing a form took longer than everything else about its row.
alter table application set (toast_tuple_target = 8160);

-- Each row is updated within seconds; with room on its page no index needs to hear of that.
alter table guarantee set (fillfactor = 60);
alter table version set (fillfactor = 60);
