-- Observations of accounts, copied into `incoming`, complete the creators. {schema} is the schema of the tables.

insert into {schema}.creators as there (platform, creator, author_name, display_name, about, region, followers,
    following, verified, account_created_at, ingest_seq)
select distinct on (platform, creator) platform, creator, author_name, display_name, about, region, followers,
    following, verified, account_created_at, 0
from incoming
order by platform, creator, observed_at desc nulls last, ingest_seq desc
on conflict (platform, creator) do update set author_name = coalesce(excluded.author_name, there.author_name),
    display_name = coalesce(excluded.display_name, there.display_name),
    about = coalesce(excluded.about, there.about), region = coalesce(excluded.region, there.region),
    followers = coalesce(excluded.followers, there.followers),
    following = coalesce(excluded.following, there.following),
    verified = coalesce(excluded.verified, there.verified),
    account_created_at = coalesce(excluded.account_created_at, there.account_created_at);
