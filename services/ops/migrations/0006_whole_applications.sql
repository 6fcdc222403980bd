-- expand: compressing sixty grams took longer than writing them.

alter table ledger_application set (toast_tuple_target = 8160);
