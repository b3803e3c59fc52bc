-- title: Created, given up, and created again
-- asks: How many accounts were created each day, how many were given up (expired or deleted), and how many of the new ones were created again, with an address of an account that was given up before?
-- chart: lines
-- note: Days are UTC, from the first to the last on which anything of it happened. All addresses count that an account ever had. They are compared as Uniqueness does it, by their keyed hashes: also those that nobody can read any more.
with moments as (
  select seq_id, type, timestamp, coalesce(data #>> '{email,hash}', stream_id::text) as address from events where type in ('AccountCreated', 'AccountExpired', 'AccountDeleted')
  union all -- its earlier addresses are given up with an account, too
  select gone.seq_id, 'an address before', gone.timestamp, changed.data #>> '{oldEmail,hash}' from events changed join events gone using (stream_id)
  where changed.type = 'EmailChanged' and gone.type in ('AccountExpired', 'AccountDeleted')),
befores as (
  select type, timestamp, count(*) filter (where type <> 'AccountCreated') over (partition by address order by seq_id) as given_up_before
  from moments),
counts as (
  select (timestamp at time zone 'utc')::date as day,
         count(*) filter (where type = 'AccountCreated') as created,
         count(*) filter (where type in ('AccountExpired', 'AccountDeleted')) as given_up,
         count(*) filter (where type = 'AccountCreated' and given_up_before > 0) as created_again
  from befores where timestamp >= @from and timestamp < @to group by day)
select day, coalesce(created, 0) as created, coalesce(given_up, 0) as given_up, coalesce(created_again, 0) as created_again
from (select generate_series(min(day), max(day), interval '1 day')::date as day from counts) days left join counts using (day)
order by day
