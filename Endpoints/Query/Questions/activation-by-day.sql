-- title: Activation by day of sign-up
-- asks: Of those who signed up on a day, how many activated within an hour, a day, ever?
-- chart: lines
-- note: Days are UTC, from the first to the last on which anybody signed up.
with lives as (
  select (min(created.timestamp) at time zone 'utc')::date as day, created.stream_id, min(activated.timestamp) - min(created.timestamp) as took
  from events created
  left join events activated on activated.stream_id = created.stream_id and activated.type = 'AccountActivated'
  where created.type = 'AccountCreated' and created.timestamp >= @from and created.timestamp < @to
  group by created.stream_id),
days as (
  select generate_series(min(day), max(day), interval '1 day')::date as day from lives)
select day,
       count(stream_id) as signed_up,
       count(*) filter (where took <= interval '1 hour') as activated_within_an_hour,
       count(*) filter (where took <= interval '1 day') as activated_within_a_day,
       count(took) as activated
from days left join lives using (day) group by day order by day
