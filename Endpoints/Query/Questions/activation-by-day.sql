-- title: Activation by day of sign-up
-- asks: Of those who signed up on a day, how many activated within an hour, a day, ever?
-- chart: lines
with lives as (
  select created.stream_id, min(created.timestamp) as began, min(activated.timestamp) - min(created.timestamp) as took
  from log.mt_events created
  left join log.mt_events activated on activated.stream_id = created.stream_id and activated.type = 'AccountActivated'
  where created.type = 'AccountCreated' and created.timestamp >= @from and created.timestamp < @to
  group by created.stream_id),
days as (
  select (began at time zone 'utc')::date as day,
         count(*) as signed_up,
         count(*) filter (where took <= interval '1 hour') as within_an_hour,
         count(*) filter (where took <= interval '1 day') as within_a_day,
         count(took) as ever
  from lives group by 1)
select every.day::date as day, coalesce(signed_up, 0) as signed_up, coalesce(within_an_hour, 0) as activated_within_an_hour,
       coalesce(within_a_day, 0) as activated_within_a_day, coalesce(ever, 0) as activated
from generate_series((select min(day) from days), (select max(day) from days), interval '1 day') every (day) left join days on days.day = every.day::date
order by 1
