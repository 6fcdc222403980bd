-- expand: a statement of several writes ends with nothing done where one of them did not touch the rows it was to.

create function touched(told anyarray, wanted bigint) returns anyarray language plpgsql as $$
begin
    if coalesce(cardinality(told), 0) <> wanted then
        raise exception using errcode = 'HO001', message = 'a write touched another number of rows than it was to';
    end if;
    return told;
end
$$;
