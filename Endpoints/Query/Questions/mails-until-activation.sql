-- title: Mails until activation
-- asks: After how many mails did people activate their account, and how many never did after that many?
-- chart: bars
with lives as (
  select created.stream_id,
         (select min(version) from events a where a.stream_id = created.stream_id and a.type = 'AccountActivated') as activated_at
  from events created
  where created.type = 'AccountCreated' and created.timestamp >= @from and created.timestamp < @to),
counted as (
  select activated_at is not null as activated,
         (select count(*) from events m where m.stream_id = lives.stream_id and m.type = 'ActivationMailSent'
            and (activated_at is null or m.version < activated_at)) as mails
  from lives)
select mails::text || case mails when 1 then ' mail' else ' mails' end as after,
       count(*) filter (where activated) as activated, count(*) filter (where not activated) as not_activated
from counted group by mails order by mails
