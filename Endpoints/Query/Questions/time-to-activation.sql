-- title: Time from sign-up to activation
-- asks: How long does it take people to activate their account?
-- chart: bars
with lives as (
  select created.stream_id, min(activated.timestamp) - min(created.timestamp) as took
  from events created
  join events activated on activated.stream_id = created.stream_id and activated.type = 'AccountActivated'
  where created.type = 'AccountCreated' and created.timestamp >= @from and created.timestamp < @to
  group by created.stream_id)
select name as within, count(took) as accounts
from (values (1, '1 min', interval '0', interval '1 min'), (2, '5 min', '1 min', '5 min'), (3, '15 min', '5 min', '15 min'), (4, '1 h', '15 min', '1 h'),
             (5, '6 h', '1 h', '6 h'), (6, '1 day', '6 h', '1 day'), (7, '3 days', '1 day', '3 days'), (8, '7 days', '3 days', '7 days'),
             (9, 'longer', '7 days', '1000 years')) bucket (n, name, above, up_to)
left join lives on took > above and took <= up_to or n = 1 and took <= above
group by n, name order by n
