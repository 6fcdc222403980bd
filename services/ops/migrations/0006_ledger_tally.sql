-- expand: the ledger is counted every half minute and on every look, so its counts are kept and not counted anew.

-- How many rows there are: of lines by status and form, of applications together. There is one writer at a time, so
-- nobody waits for these few rows; and a row that is written again and again needs room beside itself.
create table ledger_tally (
    counted text   not null,
    status  text   not null,
    form    text   not null,
    facts   bigint not null,
    primary key (counted, status, form),
    constraint lines_and_applications_are_counted check (counted in ('line', 'application'))
) with (fillfactor = 50);

-- Triggers and not statements of the writer: the counts are true whoever changes a line, in whatever order facts come.
create function tally_lines() returns trigger language plpgsql set search_path from current as $$
begin
    if tg_op = 'INSERT' then
        insert into ledger_tally as tally (counted, status, form, facts)
        select 'line', line.status, coalesce(line.form, 'electronic'), count(*)
          from fresh line group by 2, 3 order by 2, 3
        on conflict (counted, status, form) do update set facts = tally.facts + excluded.facts;
    elsif tg_op = 'UPDATE' then
        insert into ledger_tally as tally (counted, status, form, facts)
        select 'line', change.status, change.form, sum(change.facts)
          from (select status, coalesce(form, 'electronic') as form, 1 as facts from fresh
                union all select status, coalesce(form, 'electronic'), -1 from stale) change
         group by 2, 3 having sum(change.facts) <> 0 order by 2, 3
        on conflict (counted, status, form) do update set facts = tally.facts + excluded.facts;
    else
        insert into ledger_tally as tally (counted, status, form, facts)
        select 'line', line.status, coalesce(line.form, 'electronic'), -count(*)
          from stale line group by 2, 3 order by 2, 3
        on conflict (counted, status, form) do update set facts = tally.facts + excluded.facts;
    end if;
    return null;
end
$$;
create trigger inserted_lines_are_counted after insert on ledger_line
    referencing new table as fresh for each statement execute function tally_lines();
create trigger changed_lines_are_counted after update on ledger_line
    referencing old table as stale new table as fresh for each statement execute function tally_lines();
create trigger deleted_lines_are_counted after delete on ledger_line
    referencing old table as stale for each statement execute function tally_lines();

create function tally_applications() returns trigger language plpgsql set search_path from current as $$
begin
    if tg_op = 'INSERT' then
        insert into ledger_tally as tally (counted, status, form, facts)
        select 'application', '', '', count(*) from fresh having count(*) > 0
        on conflict (counted, status, form) do update set facts = tally.facts + excluded.facts;
    else
        insert into ledger_tally as tally (counted, status, form, facts)
        select 'application', '', '', -count(*) from stale having count(*) > 0
        on conflict (counted, status, form) do update set facts = tally.facts + excluded.facts;
    end if;
    return null;
end
$$;
create trigger inserted_applications_are_counted after insert on ledger_application
    referencing new table as fresh for each statement execute function tally_applications();
create trigger deleted_applications_are_counted after delete on ledger_application
    referencing old table as stale for each statement execute function tally_applications();

-- The triggers stand, and hold off writers until this commits: what is there by now is counted once.
insert into ledger_tally (counted, status, form, facts)
select 'line', status, coalesce(form, 'electronic'), count(*) from ledger_line group by 2, 3
union all
select 'application', '', '', count(*) from ledger_application having count(*) > 0;

create index parked_fact_unmended on parked_fact (correlation) where state in ('open', 'discarded');
