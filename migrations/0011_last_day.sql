-- Whose last day of eligibility is this one; asked every time that the day may have changed.
create index roster_person_by_last_day on roster_person (valid_until);
