-- title: Created, given up, and created again
-- asks: How many accounts were created, how many were given up (expired or deleted), and how many of the new ones had an address that someone had given up before? By day.
-- chart: lines
-- note: Addresses are compared without regard to case and Unicode form. A domain in letters and the same one in its ASCII form count as two.
with events as (
  select type, timestamp, seq_id,
         min(seq_id) filter (where type <> 'AccountCreated') over (partition by lower(normalize(trim(data ->> 'email'), nfc))) as first_given_up
  from log.mt_events where type in ('AccountCreated', 'AccountExpired', 'AccountDeleted'))
select (timestamp at time zone 'utc')::date as day,
       count(*) filter (where type = 'AccountCreated') as created,
       count(*) filter (where type <> 'AccountCreated') as given_up,
       count(*) filter (where type = 'AccountCreated' and first_given_up < seq_id) as created_again
from events where timestamp >= @from and timestamp < @to group by day order by day
