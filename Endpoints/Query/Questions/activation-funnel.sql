-- title: From sign-up to activation
-- asks: Of the accounts that were created, how many were sent a mail, and how many were activated? And how many needed a second mail, or were given up?
-- chart: funnel
with accounts as (
  select stream_id from events where type = 'AccountCreated' and timestamp >= @from and timestamp < @to),
lives as (
  select stream_id,
         count(*) filter (where type = 'ActivationMailSent') as mails,
         bool_or(type = 'AccountActivated') as activated,
         bool_or(type in ('AccountExpired', 'AccountDeleted')) as given_up
  from events join accounts using (stream_id) group by stream_id)
select step, accounts from (
  select 1 as n, 'created' as step, count(*) as accounts from lives
  union all select 2, 'mail sent', count(*) from lives where mails > 0
  union all select 3, 'activated', count(*) from lives where activated
  union all select 4, 'activated after one mail', count(*) from lives where activated and mails = 1
  union all select 5, 'activated after more', count(*) from lives where activated and mails > 1
  union all select 6, 'given up', count(*) from lives where given_up) steps
order by n
