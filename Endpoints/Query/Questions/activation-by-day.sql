-- title: Activation by day of sign-up
-- asks: Of those who signed up on a day, how many activated within an hour, a day, ever?
-- chart: lines
with lives as (
  select created.stream_id, min(created.timestamp) as began, min(activated.timestamp) - min(created.timestamp) as took
  from log.mt_events created
  left join log.mt_events activated on activated.stream_id = created.stream_id and activated.type = 'AccountActivated'
  where created.type = 'AccountCreated' and created.timestamp >= @from and created.timestamp < @to
  group by created.stream_id)
select (began at time zone 'utc')::date as day,
       count(*) as signed_up,
       count(*) filter (where took <= interval '1 hour') as activated_within_an_hour,
       count(*) filter (where took <= interval '1 day') as activated_within_a_day,
       count(took) as activated
from lives group by day order by day
