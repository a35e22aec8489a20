-- Tables and views of the warehouse. {schema} is the schema that they are made in.

create table if not exists {schema}.sync (
    name text primary key,                -- lake
    ingest_seq bigint not null,           -- rows of the lake up to this number are here
    lake_version bigint not null,         -- version of the lake's posts that was read last
    finished_at timestamptz               -- when a sync came to its end; null while the first one runs
);

create table if not exists {schema}.posts (
    platform text not null,
    post text not null,                   -- the platform's id, or a hash of author, time and text
    url text,
    creator text,                         -- id of the author, else the name
    author_name text,
    created_at timestamptz,
    observed_at timestamptz,              -- when the counters were so
    text text,
    lang text,
    region text,
    kind text,
    duration_s double precision,
    views bigint,
    likes bigint,
    comments bigint,
    shares bigint,
    saves bigint,
    followers bigint,                     -- of the creator, then
    sound text,                           -- id of the sound, else its title
    musician text,
    location text,
    source text,
    layout text,
    imported_at timestamptz,
    ingest_seq bigint not null,           -- number of the observation in the lake
    primary key (platform, post)
);
create index if not exists posts_created on {schema}.posts (created_at);
create index if not exists posts_creator on {schema}.posts (platform, creator);
create index if not exists posts_sound on {schema}.posts (platform, sound);

create table if not exists {schema}.creators (
    platform text not null,
    creator text not null,                -- id of the author, else the name
    author_name text,
    display_name text,
    about text,
    region text,
    followers bigint,
    following bigint,
    verified boolean,
    account_created_at timestamptz,
    first_post_at timestamptz,
    last_post_at timestamptz,
    ingest_seq bigint not null,
    primary key (platform, creator)
);

create table if not exists {schema}.hashtags (
    hashtag text primary key,             -- lower-case, without #
    first_post_at timestamptz,
    last_post_at timestamptz
);

create table if not exists {schema}.post_hashtags (
    platform text not null,
    post text not null,
    hashtag text not null,
    position integer not null,            -- from 1
    primary key (platform, post, hashtag)
);
create index if not exists post_hashtags_hashtag on {schema}.post_hashtags (hashtag);

create table if not exists {schema}.sounds (
    platform text not null,
    sound text not null,                  -- the platform's id, else the title
    title text,
    musician text,
    first_post_at timestamptz,
    last_post_at timestamptz,
    primary key (platform, sound)
);

create table if not exists {schema}.musicians (
    platform text not null,
    musician text not null,               -- or owner of the sound
    first_post_at timestamptz,
    last_post_at timestamptz,
    primary key (platform, musician)
);

create table if not exists {schema}.challenges (
    platform text not null,
    challenge text not null,              -- id of the platform's page, else its name
    name text,
    first_post_at timestamptz,
    last_post_at timestamptz,
    primary key (platform, challenge)
);

create table if not exists {schema}.post_challenges (
    platform text not null,
    post text not null,
    challenge text not null,
    primary key (platform, post, challenge)
);
create index if not exists post_challenges_challenge on {schema}.post_challenges (platform, challenge);

create table if not exists {schema}.trackers (
    tracker text primary key,
    name text not null,
    query text not null,
    created_at timestamptz not null,
    removed_at timestamptz
);

create table if not exists {schema}.alerts (
    alert text primary key,
    tracker text not null,
    signal text not null,                 -- posts, authors, engagement, …
    window_s integer not null,
    direction text not null,              -- burst, drop
    phase text not null,                  -- growing, peak, fading, closed
    started_at timestamptz not null,
    opened_at timestamptz not null,
    updated_at timestamptz not null,
    closed_at timestamptz,
    observed bigint not null,             -- in the strongest window
    expected double precision not null,
    return_days double precision not null,
    posts bigint not null,
    headline text not null,
    verdict text,                         -- real, false, known; null: nobody said
    verdict_at timestamptz,
    acknowledged_at timestamptz,
    story text                            -- the first alert with mostly the same posts
);
create index if not exists alerts_opened on {schema}.alerts (opened_at);

create table if not exists {schema}.baselines (
    platform text not null,
    hour timestamptz not null,
    posts bigint not null,                -- created in that hour, each once
    primary key (platform, hour)
);

create or replace view {schema}.post_engagement as
select p.*, coalesce(likes, 0) + coalesce(comments, 0) + coalesce(shares, 0) + coalesce(saves, 0) as interactions,
    case when views > 0 and num_nonnulls(likes, comments, shares, saves) > 0 then
        (coalesce(likes, 0) + coalesce(comments, 0) + coalesce(shares, 0) + coalesce(saves, 0))::double precision / views
    end as engagement
from {schema}.posts p;

create or replace view {schema}.hashtag_days as
select h.hashtag, p.platform, (p.created_at at time zone 'UTC')::date as day, count(*) as posts,
    count(distinct p.creator) as creators, sum(p.views) as views, sum(p.likes) as likes
from {schema}.post_hashtags h join {schema}.posts p using (platform, post)
where p.created_at is not null
group by 1, 2, 3;

create or replace view {schema}.sound_days as
select p.platform, p.sound, s.title, s.musician, (p.created_at at time zone 'UTC')::date as day, count(*) as posts,
    count(distinct p.creator) as creators, sum(p.views) as views
from {schema}.posts p join {schema}.sounds s using (platform, sound)
where p.created_at is not null
group by 1, 2, 3, 4, 5;

create or replace view {schema}.challenge_days as
select p.platform, c.challenge, c.name, (p.created_at at time zone 'UTC')::date as day, count(*) as posts,
    count(distinct p.creator) as creators, sum(p.views) as views
from {schema}.post_challenges l
join {schema}.posts p using (platform, post)
join {schema}.challenges c on c.platform = l.platform and c.challenge = l.challenge
where p.created_at is not null
group by 1, 2, 3, 4;

create or replace view {schema}.creator_summary as
select c.platform, c.creator, c.author_name, c.followers, c.verified, count(p.post) as posts,
    percentile_cont(0.5) within group (order by p.views) as median_views,
    percentile_cont(0.5) within group (order by p.engagement) as median_engagement,
    min(p.created_at) as first_post_at, max(p.created_at) as last_post_at
from {schema}.creators c left join {schema}.post_engagement p using (platform, creator)
group by c.platform, c.creator;

create or replace view {schema}.musician_summary as
select m.platform, m.musician, count(distinct p.sound) as sounds, count(p.post) as posts,
    count(distinct p.creator) as creators, sum(p.views) as views, m.first_post_at, m.last_post_at
from {schema}.musicians m left join {schema}.posts p using (platform, musician)
group by m.platform, m.musician;

create or replace view {schema}.alert_overview as
select a.alert, t.name as tracker, t.query, a.direction, a.signal, a.started_at, a.opened_at, a.closed_at,
    a.opened_at - a.started_at as delay, a.observed, a.expected, a.return_days, a.posts, a.verdict, a.headline
from {schema}.alerts a join {schema}.trackers t using (tracker);
