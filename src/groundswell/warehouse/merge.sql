-- One batch of observations, copied into `incoming`, becomes rows of the tables. {schema} is the schema of these.

create temp table latest on commit drop as
select distinct on (platform, post) * from incoming
order by platform, post, observed_at desc nulls last, ingest_seq desc;

create temp table won on commit drop as
with merged as (
    insert into {schema}.posts as there (platform, post, url, creator, author_name, created_at, observed_at, text, lang,
        region, kind, duration_s, views, likes, comments, shares, saves, followers, sound, musician, location, source,
        layout, imported_at, ingest_seq)
    select platform, post, url, creator, author_name, created_at, observed_at, text, lang, region, kind, duration_s,
        views, likes, comments, shares, saves, followers, sound, musician, location, source, layout, imported_at,
        ingest_seq
    from latest
    on conflict (platform, post) do update set url = excluded.url, creator = excluded.creator,
        author_name = excluded.author_name, created_at = excluded.created_at, observed_at = excluded.observed_at,
        text = excluded.text, lang = excluded.lang, region = excluded.region, kind = excluded.kind,
        duration_s = excluded.duration_s, views = excluded.views, likes = excluded.likes,
        comments = excluded.comments, shares = excluded.shares, saves = excluded.saves,
        followers = excluded.followers, sound = excluded.sound, musician = excluded.musician,
        location = excluded.location, source = excluded.source, layout = excluded.layout,
        imported_at = excluded.imported_at, ingest_seq = excluded.ingest_seq
    where (coalesce(excluded.observed_at, '-infinity'), excluded.ingest_seq)
        > (coalesce(there.observed_at, '-infinity'), there.ingest_seq)
    returning platform, post, (xmax = 0) as is_new
) select * from merged;

delete from {schema}.post_hashtags h using won where not won.is_new and (h.platform, h.post) = (won.platform, won.post);
delete from {schema}.post_challenges c using won where not won.is_new and (c.platform, c.post) = (won.platform, won.post);

insert into {schema}.post_hashtags (platform, post, hashtag, position)
select l.platform, l.post, tag.value, min(tag.position)
from latest l join won using (platform, post), jsonb_array_elements_text(l.hashtags) with ordinality tag (value, position)
group by 1, 2, 3
on conflict do nothing;

insert into {schema}.post_challenges (platform, post, challenge)
select distinct l.platform, l.post, coalesce(page ->> 'id', page ->> 'name')
from latest l join won using (platform, post), jsonb_array_elements(l.challenges) page
where coalesce(page ->> 'id', page ->> 'name') is not null
on conflict do nothing;

insert into {schema}.hashtags as there (hashtag, first_post_at, last_post_at)
select tag, min(created_at), max(created_at) from incoming, jsonb_array_elements_text(hashtags) tag group by 1
on conflict (hashtag) do update set first_post_at = least(there.first_post_at, excluded.first_post_at),
    last_post_at = greatest(there.last_post_at, excluded.last_post_at);

insert into {schema}.challenges as there (platform, challenge, name, first_post_at, last_post_at)
select platform, coalesce(page ->> 'id', page ->> 'name'), max(page ->> 'name'), min(created_at), max(created_at)
from incoming, jsonb_array_elements(challenges) page
where coalesce(page ->> 'id', page ->> 'name') is not null group by 1, 2
on conflict (platform, challenge) do update set name = coalesce(excluded.name, there.name),
    first_post_at = least(there.first_post_at, excluded.first_post_at),
    last_post_at = greatest(there.last_post_at, excluded.last_post_at);

insert into {schema}.sounds as there (platform, sound, title, musician, first_post_at, last_post_at)
select platform, sound, max(music_title), max(musician), min(created_at), max(created_at)
from incoming where sound is not null group by 1, 2
on conflict (platform, sound) do update set title = coalesce(excluded.title, there.title),
    musician = coalesce(excluded.musician, there.musician),
    first_post_at = least(there.first_post_at, excluded.first_post_at),
    last_post_at = greatest(there.last_post_at, excluded.last_post_at);

insert into {schema}.musicians as there (platform, musician, first_post_at, last_post_at)
select platform, musician, min(created_at), max(created_at) from incoming where musician is not null group by 1, 2
on conflict (platform, musician) do update set
    first_post_at = least(there.first_post_at, excluded.first_post_at),
    last_post_at = greatest(there.last_post_at, excluded.last_post_at);

insert into {schema}.creators as there (platform, creator, author_name, region, followers, following, verified,
    account_created_at, first_post_at, last_post_at, ingest_seq)
select distinct on (platform, creator) platform, creator, author_name, null, followers, following, verified,
    author_created_at, min(created_at) over who, max(created_at) over who, ingest_seq
from incoming where creator is not null
window who as (partition by platform, creator)
order by platform, creator, observed_at desc nulls last, ingest_seq desc
on conflict (platform, creator) do update set author_name = coalesce(excluded.author_name, there.author_name),
    followers = coalesce(excluded.followers, there.followers),
    following = coalesce(excluded.following, there.following),
    verified = coalesce(excluded.verified, there.verified),
    account_created_at = coalesce(excluded.account_created_at, there.account_created_at),
    first_post_at = least(there.first_post_at, excluded.first_post_at),
    last_post_at = greatest(there.last_post_at, excluded.last_post_at),
    ingest_seq = greatest(there.ingest_seq, excluded.ingest_seq);
