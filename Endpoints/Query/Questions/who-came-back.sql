-- title: Who came back, and who stayed
-- asks: Of the accounts that were created in that time, how many were the first with their address, how many came after one that had expired or was deleted, and what has become of them since?
-- chart: bars
-- note: Where there were several accounts with the address before, the one counts that was given up last. All addresses count that an account ever had. They are compared as Uniqueness does it, by their keyed hashes: also those that nobody can read any more.
with moments as (
  select seq_id, type, timestamp, stream_id, coalesce(data #>> '{email,hash}', stream_id::text) as address from events where type in ('AccountCreated', 'AccountExpired', 'AccountDeleted')
  union all -- its earlier addresses are given up with an account, too
  select gone.seq_id, gone.type, gone.timestamp, gone.stream_id, changed.data #>> '{oldEmail,hash}' from events changed join events gone using (stream_id)
  where changed.type = 'EmailChanged' and gone.type in ('AccountExpired', 'AccountDeleted')),
befores as (
  select type, timestamp, stream_id,
         coalesce(max(seq_id) filter (where type = 'AccountExpired') over earlier, 0) as expired,
         coalesce(max(seq_id) filter (where type = 'AccountDeleted') over earlier, 0) as deleted
  from moments window earlier as (partition by address order by seq_id)),
created as (
  select stream_id, case when expired = deleted then 1 when expired > deleted then 2 else 3 end as n
  from befores where type = 'AccountCreated' and timestamp >= @from and timestamp < @to),
lives as (
  select n, stream_id, bool_or(type = 'AccountActivated') as activated, bool_or(type = 'AccountExpired') as expired, bool_or(type = 'AccountDeleted') as deleted
  from created join events using (stream_id) group by n, stream_id)
select account,
       count(stream_id) as created, count(*) filter (where activated) as activated,
       count(*) filter (where expired) as expired, count(*) filter (where deleted) as deleted
from (values (1, 'the first'), (2, 'after an expired one'), (3, 'after a deleted one')) kind (n, account) left join lives using (n)
group by n, account order by n
